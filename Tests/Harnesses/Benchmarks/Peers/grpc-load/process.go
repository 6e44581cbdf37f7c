package main

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// usage is the resource usage of a process up to now.
type usage struct {
	cpu         time.Duration
	residentKiB int64
	peakKiB     int64
}

// tick is the unit of CPU times in /proc: Linux has 100 ticks per second on all platforms of Go.
const tick = 10 * time.Millisecond

// readUsage reads the usage of a process from /proc. It returns nil for the process 0.
func readUsage(process int) (*usage, error) {
	if process == 0 {
		return nil, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return nil, err
	}
	// The program's name, the second field, is in parentheses and can contain any characters. utime
	// and stime are the fields 14 and 15.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return nil, fmt.Errorf("/proc/%d/stat has too few fields", process)
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
		// Lines with other names do not match.
		_, _ = fmt.Sscanf(string(line), "VmRSS: %d kB", &used.residentKiB)
		_, _ = fmt.Sscanf(string(line), "VmHWM: %d kB", &used.peakKiB)
	}
	return used, nil
}
