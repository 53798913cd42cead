package bench

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// newDrivers are loops for plain HTTP to one address, goroutines for all else.
func (b *Bench) newDrivers() []driver {
	found, port := b.plainAddresses()
	if len(found) == 0 {
		return b.goroutines()
	}
	var drivers []driver
	n, done := b.processors(), 0
	for i := range n {
		share := (b.connections() - done) / (n - i)
		l, err := newLoop(b, i, done, share, sockaddrs(found, port), preferred(found))
		if err != nil {
			for _, d := range drivers {
				d.close()
			}
			return b.goroutines() // no descriptors for an epoll: the requests' own failures will tell
		}
		drivers, done = append(drivers, l), done+share
	}
	return drivers
}

// plainAddresses are those of the one host that all requests go to by plain HTTP; none when that is not so, or when more
// is asked for than a loop can do.
func (b *Bench) plainAddresses() (found []netip.Addr, port int) {
	first := b.requests[0].URL
	for _, q := range b.requests {
		if q.URL.Scheme != "http" || q.URL.Host != first.Host || len(q.ExpectBody) > 0 {
			return nil, 0
		}
	}
	if b.client.ConnectionMaxAge > 0 || b.client.Cookies {
		return nil, 0
	}
	service := cmp.Or(first.Port(), "80")
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, 0
	}
	if found = b.client.Addresses(first.Hostname(), service); len(found) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(b.client.Timeout))
		defer cancel()
		if found, err = net.DefaultResolver.LookupNetIP(ctx, "ip", first.Hostname()); err != nil {
			return nil, 0 // the requests' own failures will tell
		}
	}
	if slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Zone() != "" }) {
		return nil, 0 // an interface by name: the dialer knows
	}
	return found, port
}

// preferred is how many of the addresses, from the first, connections share; the others are there for when none of these
// can be connected to. The resolver's order says which family goes first (RFC 6724).
func preferred(found []netip.Addr) int {
	n := 1
	for n < len(found) && found[n].Unmap().Is4() == found[0].Unmap().Is4() {
		n++
	}
	return n
}

// sockaddrs are addresses for the kernel. Connecting writes into them, so each loop has its own.
func sockaddrs(found []netip.Addr, port int) []unix.Sockaddr {
	var list []unix.Sockaddr
	for _, a := range found {
		if a = a.Unmap(); a.Is4() {
			list = append(list, &unix.SockaddrInet4{Port: port, Addr: a.As4()})
		} else {
			list = append(list, &unix.SockaddrInet6{Port: port, Addr: a.As16()})
		}
	}
	return list
}
