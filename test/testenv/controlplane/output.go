package controlplane

import (
	"io"
	"sync"
)

// tailSize is how many bytes of output an error repeats at most.
const tailSize = 4 << 10

// output collects what several processes print.
type output struct {
	mu   sync.Mutex
	log  io.Writer
	last []byte
}

// newOutput returns an output that passes everything on to log, unless nil.
func newOutput(log io.Writer) *output {
	if log == nil {
		log = io.Discard
	}
	return &output{log: log}
}

// Write never fails: a full disk under the log must not stop the process.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.log.Write(p)
	o.last = append(o.last, p...)
	if drop := len(o.last) - tailSize; drop > 0 {
		o.last = append(o.last[:0], o.last[drop:]...)
	}
	return len(p), nil
}

// tail returns the last bytes written.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.last)
}
