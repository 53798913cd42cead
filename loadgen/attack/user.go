package attack

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen/wire"
)

// user sends one request at a time, over connections of its own and with cookies of its own: a
// user of the closed model, a slot of the open one.
type user struct {
	id     int
	client http.Client

	// Of the schedule, under the pacer's lock.
	script  Script
	random  *rand.Rand    // its choices
	due     time.Duration // of the next send, or of the one under way
	freed   time.Duration // when it could send again
	heapAt  int
	leaving bool

	attack *Attack
	kept   []*keeper        // of each host that it has asked
	hops   int              // of the request under way
	jars   []http.CookieJar // by the host that has its turn; none without cookies
}

// keeper keeps a user's connection to one host. A transport of its own for each host is what lets a connection be
// closed for its age while those to other hosts stay.
type keeper struct {
	scheme, host string
	transport    *http.Transport
	dialed       atomic.Int64 // when its last connection was opened, on the run's clock
}

var errTooManyRedirects = wire.ErrTooManyRedirects

func (a *Attack) newUser(id int, random *rand.Rand) *user {
	u := &user{id: id, heapAt: -1, attack: a, random: random, script: a.scripts(id, random)}
	u.client.Transport = u
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
	u.turnTo(0)
	return u
}

// turnTo gives the user the cookies of one of the plan's hosts. Each has a jar of its own, because a jar does not tell
// the ports of an address apart (RFC 6265 §8.5).
func (u *user) turnTo(host int) {
	if !u.attack.plan.Plan.Client.Cookies {
		return
	}
	for len(u.jars) <= host {
		jar, _ := cookiejar.New(nil) // never fails without options
		u.jars = append(u.jars, jar)
	}
	u.client.Jar = u.jars[host]
}

// RoundTrip makes one hop: it sends a request and returns when the header of its answer has come.
func (u *user) RoundTrip(r *http.Request) (*http.Response, error) {
	hop := u.attack.cfg.Transport
	if hop == nil {
		hop = u.keeper(r.URL.Scheme, r.URL.Host).fresh(u.attack)
	}
	res, err := hop.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		res.Body.Close() // it is the connection itself, which no context ends, and on which nobody will say anything
		res.Body = http.NoBody
	}
	if to := res.Header.Get("Location"); to != "" && !leads(r, to) {
		res.Header.Del("Location") // then the client takes the redirect as the answer
	}
	return res, nil
}

// leads reports whether a redirect names something that can be asked: an http or https URL with a host.
func leads(r *http.Request, location string) bool {
	to, err := r.URL.Parse(location)
	return err == nil && (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() != ""
}

// keeper is the user's for a host.
func (u *user) keeper(scheme, host string) *keeper {
	for _, k := range u.kept {
		if k.host == host && k.scheme == scheme {
			return k
		}
	}
	k := u.attack.newKeeper(u.id, scheme, host)
	u.kept = append(u.kept, k)
	return k
}

func (a *Attack) newKeeper(user int, scheme, host string) *keeper {
	k := &keeper{scheme: scheme, host: host}
	open := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := a.dial(ctx, network, address)
		if err == nil {
			now := a.Elapsed()
			k.dialed.Store(int64(now))
			a.recorder.Opened(user, now, conn.RemoteAddr().String())
		}
		return conn, err
	}
	k.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return open(ofRequest(ctx), network, address)
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx = ofRequest(ctx)
			conn, err := open(ctx, network, address)
			if err != nil {
				return nil, err
			}
			config := a.tls.Clone()
			config.ServerName, _, _ = net.SplitHostPort(address)
			secure := tls.Client(conn, config)
			if err := secure.HandshakeContext(ctx); err != nil {
				conn.Close()
				return nil, err
			}
			return secure, nil
		},
		DisableKeepAlives:      a.plan.Plan.Client.NoKeepAlive,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ReadBufferSize:         1 << 10, // a transport a user: 5,000 users must not cost 8 KB more each
		WriteBufferSize:        1 << 10,
	}
	return k
}

// fresh closes an idle connection that is older than the plan allows, so that the next request looks its host up anew
// and meets whatever addresses there are now.
func (k *keeper) fresh(a *Attack) *http.Transport {
	maxAge := time.Duration(a.plan.Plan.Client.ConnectionMaxAge)
	if maxAge > 0 && a.Elapsed()-time.Duration(k.dialed.Load()) >= maxAge {
		k.transport.CloseIdleConnections()
	}
	return k.transport
}

// requestKey is where a request's own context stands among the values of the one that net/http dials with.
type requestKey struct{}

// ofRequest is the context of the request that a connection is opened for. The one that net/http gives outlives the
// request, for the next one to use the connection; to a service that does not accept they would pile up.
func ofRequest(dial context.Context) context.Context {
	if request, ok := dial.Value(requestKey{}).(context.Context); ok {
		return request
	}
	return dial
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

func (u *user) close() {
	for _, k := range u.kept {
		k.transport.CloseIdleConnections()
	}
}
