package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// server answers the tools' requests and says how many there were.
type server struct {
	url     string // ends in /
	command *exec.Cmd
	status  string // URL of the count
}

// nginxConf answers / and /health from memory; the count stands apart, so that asking for it changes little.
const nginxConf = `worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 65000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s backlog=65535;
    location / { return 200 "{\"message\":\"hello\"}\n"; }
    location = /status { stub_status; }
  }
}
`

// startServer starts nginx on a free loopback port, on one processor.
func startServer(ctx context.Context, folder, cpu string) (*server, error) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		for _, at := range []string{"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"} {
			if _, err := os.Stat(at); err == nil {
				binary = at
			}
		}
		if binary == "" {
			return nil, errors.New("nginx is not installed: it answers the requests, being faster than all that is measured")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	conf := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, folder, address), 0o600); err != nil {
		return nil, err
	}
	s := &server{url: "http://" + address + "/", status: "http://" + address + "/status"}
	words := pinned(cpu, binary, "-c", conf, "-p", folder)
	s.command = exec.CommandContext(ctx, words[0], words[1:]...)
	s.command.Stderr = os.Stderr
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if _, err := s.count(); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New("nginx does not answer")
}

// count is how many requests nginx has answered, those for the count itself included.
func (s *server) count() (int64, error) {
	res, err := http.Get(s.status)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(io.LimitReader(res.Body, 4096))
	for lines.Scan() {
		// " accepts handled requests" is followed by the three numbers.
		var accepts, handled, requests int64
		if n, _ := fmt.Sscan(strings.TrimSpace(lines.Text()), &accepts, &handled, &requests); n == 3 {
			return requests, nil
		}
	}
	return 0, errors.New("nginx says no count")
}

func (s *server) stop() {
	_ = s.command.Process.Signal(os.Interrupt)
	_ = s.command.Wait()
}
