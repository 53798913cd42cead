//go:build unix

package lab

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup gives the program a process group of its own: a Ctrl-C in the terminal is for the lab, which ends its replicas
// in its own order, and what the program starts can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the program to end. Only it, not its group: ECS signals a container's first process.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) } // one that has ended needs no signal

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
