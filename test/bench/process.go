package main

import (
	"time"

	"github.com/prometheus/procfs"
)

// usage is what a process has used so far.
type usage struct {
	cpu  time.Duration
	peak uint64 // bytes of resident memory
}

// usageOf reads the usage of a running process. It is all zero where the system
// has no /proc.
func usageOf(pid int) usage {
	process, err := procfs.NewProc(pid)
	if err != nil {
		return usage{}
	}
	stat, err := process.Stat()
	if err != nil {
		return usage{}
	}
	status, err := process.NewStatus()
	if err != nil {
		return usage{}
	}
	return usage{cpu: time.Duration(stat.CPUTime() * float64(time.Second)), peak: status.VmHWM}
}
