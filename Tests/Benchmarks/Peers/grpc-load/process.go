package main

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// usage is what a process has used up to now.
type usage struct {
	cpu         time.Duration
	residentKiB int64
	peakKiB     int64
}

// Linux counts the CPU time that it shows in hundredths of a second, on every machine Go runs on.
const tick = 10 * time.Millisecond

// readUsage reads /proc. It is nil without a process.
func readUsage(process int) (*usage, error) {
	if process == 0 {
		return nil, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return nil, err
	}
	// The program's name is in brackets and may have any character: what follows is from the third
	// field on, and of that utime and stime are the 14th and 15th.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return nil, fmt.Errorf("/proc/%d/stat is short", process)
	}
	var user, system int64
	if _, err := fmt.Sscan(string(fields[11])+" "+string(fields[12]), &user, &system); err != nil {
		return nil, err
	}

	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return nil, err
	}
	used := &usage{cpu: time.Duration(user+system) * tick}
	for _, line := range bytes.Split(status, []byte("\n")) {
		// Lines of other names leave these alone.
		_, _ = fmt.Sscanf(string(line), "VmRSS: %d kB", &used.residentKiB)
		_, _ = fmt.Sscanf(string(line), "VmHWM: %d kB", &used.peakKiB)
	}
	return used, nil
}
