package wire

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"
)

// pair is a connection as a service and a client have it.
func pair(t *testing.T) (service, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

// The oracle is net's own connection. Errors are compared by what they say, addresses left out: package attack names a
// failure by their types, which are in the text.
func TestASocketFailsAsAConnectionOfNetDoes(t *testing.T) {
	for _, c := range []struct {
		why  string
		work func(service *net.TCPConn, client net.Conn) error
	}{
		{"the service says that it ends", func(service *net.TCPConn, client net.Conn) error {
			service.Close()
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"the service aborts", func(service *net.TCPConn, client net.Conn) error {
			_ = service.SetLinger(0)
			service.Close()
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"a write to one that has aborted", func(service *net.TCPConn, client net.Conn) error {
			_ = service.SetLinger(0)
			service.Close()
			_, _ = client.Read(make([]byte, 1))
			_, err := client.Write([]byte("x"))
			return err
		}},
		{"a deadline that has passed", func(_ *net.TCPConn, client net.Conn) error {
			_ = client.SetDeadline(past)
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"a deadline that comes", func(_ *net.TCPConn, client net.Conn) error {
			_ = client.SetDeadline(time.Now().Add(5 * time.Millisecond))
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"a deadline while the service takes nothing", func(_ *net.TCPConn, client net.Conn) error {
			_ = client.SetDeadline(time.Now().Add(20 * time.Millisecond))
			for {
				if _, err := client.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		}},
		{"closed by ourselves", func(_ *net.TCPConn, client net.Conn) error {
			client.Close()
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"closed by ourselves while reading", func(_ *net.TCPConn, client net.Conn) error {
			time.AfterFunc(5*time.Millisecond, func() { client.Close() })
			_, err := client.Read(make([]byte, 1))
			return err
		}},
		{"nothing to read into", func(_ *net.TCPConn, client net.Conn) error {
			_, err := client.Read(nil)
			return err
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			text := func(quick bool) string {
				service, tcp := pair(t)
				client := net.Conn(tcp)
				if quick {
					client = quicken(tcp)
				}
				err := c.work(service, client)
				if e, ok := err.(*net.OpError); ok {
					if e.Net != "tcp" || e.Addr.String() != service.LocalAddr().String() || e.Source == nil {
						t.Errorf("of %s, %v to %v", e.Net, e.Source, e.Addr)
					}
					return e.Op + ": " + e.Err.Error()
				}
				if err != nil {
					return err.Error()
				}
				return "none"
			}
			if got, want := text(true), text(false); got != want {
				t.Errorf("error %q, net's is %q", got, want)
			}
		})
	}
}

func TestWhatASocketCannotSendAtOnceIsSentWhole(t *testing.T) {
	service, tcp := pair(t)
	_ = tcp.SetWriteBuffer(4 << 10)
	sent := make([]byte, 8<<20)
	_, _ = rand.Read(sent)
	go func() {
		time.Sleep(10 * time.Millisecond) // so that it has to wait
		_, _ = io.Copy(service, service)  // and what comes back is read while it is sent
		_ = service.CloseWrite()
	}()
	client := quicken(tcp)
	done := make(chan error, 1)
	go func() {
		n, err := client.Write(sent)
		if n != len(sent) {
			t.Errorf("%d bytes written of %d", n, len(sent))
		}
		_ = tcp.CloseWrite()
		done <- err
	}()
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back of %d, the same: %v, error %v", len(got), len(sent), bytes.Equal(got, sent), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAnExchangeOnASocketIsThreeSystemCallsAndNoMemory(t *testing.T) {
	service, tcp := pair(t)
	go func() { _, _ = io.Copy(service, service) }()
	s := quicken(tcp).(*socket)
	var sends, receives int
	s.send.try = func(fd uintptr) bool { sends++; return s.trySend(fd) }
	s.receive.try = func(fd uintptr) bool { receives++; return s.tryReceive(fd) }
	p := make([]byte, 64)
	const n = 1000
	made := testing.AllocsPerRun(n-1, func() {
		if _, err := s.Write(p); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Read(p); m != len(p) || err != nil {
			t.Fatalf("%d bytes, error %v", m, err)
		}
	})
	// A read that finds nothing, and the one that is made when epoll has told; now and then the answer is quicker.
	if sends != n || receives < n || receives > 2*n+20 || made > 0 {
		t.Errorf("%d sends, %d receives and %v allocations an exchange, of %d", sends, receives, made, n)
	}
}
