//go:build unix

package lab

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// ownGroup gives the program a process group of its own: a Ctrl-C in the terminal is for the lab, which ends its replicas
// in its own order, and what the program starts can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the program to end. Only it, not its group: ECS signals a container's first process.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) } // one that has ended needs no signal

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// killGroupID ends a group of which the first process may be gone.
func killGroupID(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }

func killID(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// canGuard says whether programs can be ended together here.
const canGuard = true

// ownSession takes a process out of reach of the terminal: its end, and what is typed there, are for the lab.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// ignoreSignals keeps those who end the lab politely from ending its guard first.
func ignoreSignals() { signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT) }
