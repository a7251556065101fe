package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// measure runs the program and writes what the kernel counted for it, threads and all, from its start to its end. It kills the program when
// its own standard input ends: a bench that dies leaves nothing behind.
func measure(report string, command []string) error {
	program := exec.Command(command[0], command[1:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	startedAt := time.Now()
	if err := program.Start(); err != nil {
		return err
	}
	go func() {
		for s := range signals {
			program.Process.Signal(s)
		}
	}()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		program.Process.Kill()
	}()
	failure := program.Wait()
	wallMs := float64(time.Since(startedAt).Microseconds()) / 1000
	usage, ok := program.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system counts no use of resources")
	}
	text, err := json.Marshal(map[string]any{
		"wallMs": wallMs, "cpuMs": cpuMs(*usage), "userMs": milliseconds(usage.Utime), "systemMs": milliseconds(usage.Stime),
		// Linux counts in KiB.
		"peakRssBytes": usage.Maxrss * 1024, "exitCode": program.ProcessState.ExitCode(),
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(report, text, 0o666); err != nil {
		return err
	}
	return failure
}

func cpuMs(usage syscall.Rusage) float64 {
	return milliseconds(usage.Utime) + milliseconds(usage.Stime)
}

func milliseconds(t syscall.Timeval) float64 { return float64(t.Sec)*1000 + float64(t.Usec)/1000 }
