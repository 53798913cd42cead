package main

import (
	"errors"
	"io/fs"
	"net"
	"strconv"
)

func listen(a addr) (net.Listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(a.host, strconv.Itoa(a.port)))
	if err != nil {
		return nil, listenError(a, err)
	}
	return ln, nil
}

// listenError says what the user can do about a bind that was refused. Linux refuses ports below
// net.ipv4.ip_unprivileged_port_start (1024 unless set) to a process without CAP_NET_BIND_SERVICE, ip(7). Docker sets
// it to 0 in a container's own network namespace; with the host's network, and on ECS without systemControls, it stays.
func listenError(a addr, err error) error {
	// Of net's "listen tcp :80: bind: permission denied" the address is already ours to say.
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return a.errorf("%w: want the sysctl net.ipv4.ip_unprivileged_port_start=%d or lower, or another port, e.g. -addr %s",
			err, a.port, net.JoinHostPort(a.host, "8080"))
	}
	return a.errorf("%w", err)
}
