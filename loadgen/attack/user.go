package attack

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync/atomic"
	"time"
)

// user sends one request at a time, over connections of its own and with cookies of its own: a
// user of the closed model, a slot of the open one.
type user struct {
	id     int
	client http.Client

	// Of the schedule, under the pacer's lock.
	random  *rand.Rand
	due     time.Duration // of the next send, or of the one under way
	freed   time.Duration // when it could send again
	heapAt  int
	leaving bool

	transport *http.Transport // nil when the caller gave one for all
	dialed    atomic.Int64    // when its last connection was opened, on the run's clock
	hops      int             // of the request under way
}

var errTooManyRedirects = errors.New("too many redirects")

func (a *Attack) newUser(id int) *user {
	u := &user{id: id, heapAt: -1}
	hops := a.plan.Plan.Client.MaxHops()
	u.client.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		switch {
		case hops == 0:
			return http.ErrUseLastResponse
		case len(via) > hops:
			return errTooManyRedirects
		}
		u.hops = len(via)
		return nil
	}
	if a.plan.Plan.Client.Cookies {
		u.client.Jar, _ = cookiejar.New(nil) // never fails without options
	}
	if a.cfg.Transport != nil {
		u.client.Transport = a.cfg.Transport
		return u
	}
	u.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := a.dial(ctx, network, address)
			if err == nil {
				now := a.Elapsed()
				u.dialed.Store(int64(now))
				a.recorder.Opened(u.id, now, conn.RemoteAddr().String())
			}
			return conn, err
		},
		TLSClientConfig:        a.tls,
		DisableKeepAlives:      a.plan.Plan.Client.NoKeepAlive,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ReadBufferSize:         1 << 10, // a transport a user: 5,000 users must not cost 8 KB more each
		WriteBufferSize:        1 << 10,
	}
	u.client.Transport = u.transport
	return u
}

// dial connects to an address, or to the first one of those that the plan gives for it that can be connected to.
func (a *Attack) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, _ := net.SplitHostPort(address) // net/http has joined them
	given := a.plan.Plan.Client.Addresses(host, port)
	if len(given) == 0 {
		return a.dialer.DialContext(ctx, network, address)
	}
	var conn net.Conn
	var err error
	for _, each := range given {
		if conn, err = a.dialer.DialContext(ctx, network, net.JoinHostPort(each.String(), port)); err == nil {
			break
		}
	}
	return conn, err
}

// refresh closes the user's connection when it is older than a plan allows, so that the next
// request looks its host up anew and meets whatever addresses there are now.
func (u *user) refresh(now, maxAge time.Duration) {
	if maxAge > 0 && u.transport != nil && now-time.Duration(u.dialed.Load()) >= maxAge {
		u.transport.CloseIdleConnections()
	}
}

func (u *user) close() {
	if u.transport != nil {
		u.transport.CloseIdleConnections()
	}
}
