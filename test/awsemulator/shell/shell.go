// Package shell is the shell of a machine that exists only in the emulator: a
// terminal with a few commands, enough to see who is connected to what.
package shell

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	prompt = "$ "
	// maxTyped is how much input waits while a command runs, maxLine how long a line is.
	maxTyped, maxLine = 16 << 10, 4 << 10
	// The terminal's size until the client gives one.
	defaultColumns, defaultRows = 80, 24
	// maxSeq is the last number that seq counts to.
	maxSeq = 100_000_000
)

// The characters that the terminal acts on.
const (
	interrupt = 0x03
	endOfFile = 0x04
	backspace = 0x08
	erase     = 0x7f
)

// Options says where the shell runs.
type Options struct {
	// User is the operating system's user, Host the name of the machine.
	User, Host string
	// Command is run in place of an interactive shell, which ends with it.
	Command string
}

// Shell is one shell. It is not safe for concurrent use.
type Shell struct {
	options       Options
	columns, rows int
	line          []byte
	typed         []byte    // while a command runs
	output        []byte    // not yet taken
	command       io.Reader // that runs, nil for none
	ended         bool
}

// New starts a shell, which shows its prompt.
func New(o Options) *Shell {
	s := &Shell{options: o, columns: defaultColumns, rows: defaultRows}
	if o.Command != "" {
		s.command = s.run(strings.Fields(o.Command))
		return s
	}
	s.output = []byte(prompt)
	return s
}

// Input takes what was typed.
func (s *Shell) Input(p []byte) {
	for _, c := range p {
		if s.ended {
			return
		}
		s.typeByte(c)
	}
}

// Full reports whether more input waits than there is room for.
func (s *Shell) Full() bool { return len(s.typed) >= maxTyped || len(s.output) >= maxTyped }

// Resize says how large the terminal is.
func (s *Shell) Resize(columns, rows int) { s.columns, s.rows = columns, rows }

// Disconnect does nothing: a shell has no connection of its own.
func (s *Shell) Disconnect() {}

// Close ends the shell.
func (s *Shell) Close() { s.ended, s.command = true, nil }

// Ended reports whether the shell has ended and all its output is taken.
func (s *Shell) Ended() bool { return s.ended && len(s.output) == 0 }

// Output returns up to limit bytes of output.
func (s *Shell) Output(limit int) []byte {
	for len(s.output) < limit && s.command != nil {
		s.proceed(limit)
	}
	n := min(limit, len(s.output))
	out := s.output[:n:n]
	s.output = s.output[n:]
	return out
}

// proceed takes a part of the output of the command that runs.
func (s *Shell) proceed(limit int) {
	part := make([]byte, limit)
	n, err := s.command.Read(part)
	s.output = append(s.output, bytes.ReplaceAll(part[:n], []byte("\n"), []byte("\r\n"))...)
	if err == nil {
		return
	}
	s.command = nil
	if s.options.Command != "" {
		s.ended = true
	}
	if s.ended {
		return
	}
	s.output = append(s.output, prompt...)
	typed := s.typed
	s.typed = nil
	s.Input(typed)
}

func (s *Shell) typeByte(c byte) {
	switch {
	case c == interrupt:
		s.command, s.typed, s.line = nil, nil, nil
		s.output = append(s.output, "^C\r\n"+prompt...)
		s.ended = s.options.Command != ""
	case s.command != nil:
		s.typed = append(s.typed, c)
	case c == '\r' || c == '\n':
		s.output = append(s.output, "\r\n"...)
		words := strings.Fields(string(s.line))
		s.line = nil
		s.command = s.run(words)
	case c == endOfFile && len(s.line) == 0:
		s.ended = true
	case (c == erase || c == backspace) && len(s.line) > 0:
		s.line = s.line[:len(s.line)-1]
		s.output = append(s.output, "\b \b"...)
	case c >= ' ' && c != erase && len(s.line) < maxLine:
		s.line = append(s.line, c)
		s.output = append(s.output, c)
	}
}

// run runs a command and returns its output.
func (s *Shell) run(words []string) io.Reader {
	if len(words) == 0 {
		return strings.NewReader("")
	}
	command, args := words[0], words[1:]
	switch {
	case command == "echo":
		return strings.NewReader(strings.Join(args, " ") + "\n")
	case command == "id" && len(args) == 1 && args[0] == "-un", command == "whoami":
		return strings.NewReader(s.options.User + "\n")
	case command == "hostname":
		return strings.NewReader(s.options.Host + "\n")
	case command == "stty" && len(args) == 1 && args[0] == "size":
		return strings.NewReader(fmt.Sprintf("%d %d\n", s.rows, s.columns))
	case command == "seq" && len(args) == 1:
		last, err := strconv.Atoi(args[0])
		if err != nil || last > maxSeq {
			return strings.NewReader("seq: invalid argument: " + args[0] + "\n")
		}
		return &sequence{last: last}
	case command == "exit":
		s.ended = true
		return strings.NewReader("")
	}
	return strings.NewReader("sh: " + command + ": command not found\n")
}

// sequence is the numbers from 1 to last, a line each.
type sequence struct{ n, last int }

// Read implements io.Reader.
func (s *sequence) Read(p []byte) (int, error) {
	b := p[:0]
	for s.n < s.last && len(b)+len("100000000\n") <= len(p) {
		s.n++
		b = append(strconv.AppendInt(b, int64(s.n), 10), '\n')
	}
	if s.n >= s.last {
		return len(b), io.EOF
	}
	return len(b), nil
}
