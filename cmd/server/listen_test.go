package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
)

// TestARefusedPortSaysWhatToDo makes the kernel's refusal itself, because a test that runs as root is refused nothing;
// the container tests get the real one.
func TestARefusedPortSaysWhatToDo(t *testing.T) {
	refused := &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{Port: 80},
		Err: os.NewSyscallError("bind", syscall.EACCES)}
	for _, tt := range []struct {
		addr addr
		err  error
		want string
	}{
		{addr{"-addr", ":80", "", 80}, refused,
			`-addr ":80": bind: permission denied: want the sysctl net.ipv4.ip_unprivileged_port_start=80 or lower, or another port, e.g. -addr :8080`},
		{addr{"SERVER_ADDR", "[::1]:443", "::1", 443}, refused,
			`SERVER_ADDR "[::1]:443": bind: permission denied: want the sysctl net.ipv4.ip_unprivileged_port_start=443 or lower, or another port, e.g. -addr [::1]:8080`},
		{addr{"-addr", ":80", "", 80}, fmt.Errorf("wrapped: %w", refused),
			`-addr ":80": bind: permission denied: want the sysctl net.ipv4.ip_unprivileged_port_start=80 or lower, or another port, e.g. -addr :8080`},
		{addr{"-addr", ":80", "", 80}, os.NewSyscallError("socket", syscall.EMFILE),
			`-addr ":80": socket: too many open files`},
	} {
		err := listenError(tt.addr, tt.err)
		if err.Error() != tt.want {
			t.Errorf("got  %s\nwant %s", err, tt.want)
		}
		if errors.Is(tt.err, fs.ErrPermission) != errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v no longer wraps its reason", err)
		}
	}
}

func TestAPortInUseIsSaidInOneLine(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := parseAddr("-addr", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = listen(a)
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v, want %v", err, syscall.EADDRINUSE)
	}
	if want := fmt.Sprintf("-addr %q: bind: %v", a.text, syscall.EADDRINUSE); err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
