package lab

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps a Ctrl-C in the terminal from the program: the lab ends its replicas in its own order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate ends the program: Windows has no SIGTERM.
func terminate(p *os.Process) { _ = p.Kill() }

// killGroup ends the program alone: what it has started is beyond reach without a job object.
func killGroup(p *os.Process) { _ = p.Kill() }

func killGroupID(int) {}

func killID(int) {}

// canGuard is false: without process groups there is nothing that a guard could end.
const canGuard = false

func ownSession(*exec.Cmd) {}

func ignoreSignals() {}
