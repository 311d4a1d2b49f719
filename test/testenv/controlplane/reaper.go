package controlplane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// wrapper is a program that notes its process id next to itself and then
// becomes the binary of the same name: envtest does not expose the ids of what
// it starts.
const wrapper = `#!/bin/sh
echo $$ >"$0.pid"
exec "${0%/*}/../real/${0##*/}" "$@"
`

// reaperScript waits for the end of its input, which is the end of the process
// that holds the other side, then kills what has noted its id below $1 and
// removes that directory.
const reaperScript = `
cat >/dev/null
for pid in "$1"/wrapped/*.pid; do
	[ -f "$pid" ] && kill -KILL "$(cat "$pid")"
done
rm -rf "$1"
`

// reaper is a process that ends the control plane when this process ends
// without having stopped it, by a panic or a kill for instance. A parent death
// signal would do so on Linux only, and only for processes that this one starts
// itself.
type reaper struct {
	cmd      *exec.Cmd
	lifeline io.Closer
}

// startReaper guards the processes whose programs come from wrap for dir.
func startReaper(dir string) (*reaper, error) {
	cmd := exec.Command("/bin/sh", "-c", reaperScript, "controlplane-reaper", dir) //nolint:noctx // it outlives every context
	// Out of reach of an interrupt typed at the terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the reaper of the control plane: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reaper of the control plane: %w", err)
	}
	return &reaper{cmd: cmd, lifeline: lifeline}, nil
}

// stop ends the reaper. The directory must be gone by now, or what noted its id
// there is killed.
func (r *reaper) stop() error {
	return errors.Join(r.lifeline.Close(), r.cmd.Wait())
}

// wrap makes, below dir, a wrapper of each named binary of binDir, and returns
// their paths by name.
func wrap(dir, binDir string, names ...string) (map[string]string, error) {
	wrapped, target := filepath.Join(dir, "wrapped"), filepath.Join(dir, "real")
	if err := errors.Join(os.Mkdir(wrapped, 0o700), os.Symlink(binDir, target)); err != nil {
		return nil, fmt.Errorf("wrap the control plane's binaries: %w", err)
	}
	programs := make(map[string]string, len(names))
	for _, name := range names {
		programs[name] = filepath.Join(wrapped, name)
		if err := writeProgram(programs[name]); err != nil {
			return nil, fmt.Errorf("wrap %s: %w", name, err)
		}
	}
	return programs, nil
}

// writeProgram writes the wrapper while no other goroutine can fork: a child
// that inherits the open file makes its execution fail with ETXTBSY.
func writeProgram(path string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(wrapper), 0o700)
}
