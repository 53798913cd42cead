package attack

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The oracle of the contract: net/http's Transport, one for each user and host, beneath the client that a given
// transport has. What it counts is what ours has to count.

// overNetHTTP sends as net/http does.
func overNetHTTP(a *Attack, id int) sender {
	k := &keepers{attack: a, id: id}
	return &closing{a.newTransported(id, k), k}
}

type closing struct {
	*transported
	keepers *keepers
}

func (c *closing) close() {
	for _, k := range c.keepers.kept {
		k.transport.CloseIdleConnections()
	}
}

type keepers struct {
	attack *Attack
	id     int
	kept   []*keeper // of each host that was asked
}

func (k *keepers) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := context.WithValue(r.Context(), requestKey{}, r.Context())
	return k.keeper(r.URL.Scheme, r.URL.Host).fresh(k.attack).RoundTrip(r.WithContext(ctx))
}

// keeper keeps a user's connection to one host. A transport of its own for each host is what lets a connection be
// closed for its age while those to other hosts stay.
type keeper struct {
	scheme, host string
	transport    *http.Transport
	dialed       atomic.Int64 // when its last connection was opened, on the run's clock
}

// keeper is the user's for a host.
func (u *keepers) keeper(scheme, host string) *keeper {
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
		conn, err := dialer(&a.plan.Plan.Client)(ctx, network, address)
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
			config := tlsOf(a.plan).Clone()
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
