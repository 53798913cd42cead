package loadgen

import (
	"context"
	"fmt"
	"net"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/server"
)

// embedded is the project's own API in this process, for a run that has no service to go to. The zero
// value is none.
type embedded struct {
	url    string
	server *server.Server
	done   chan struct{}
}

// embed starts the API on a free loopback port when the plan asks for it.
func embed(p *plan.Plan) (*embedded, error) {
	if p.Host != plan.Embedded {
		return &embedded{}, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("host %q: no loopback port to listen on: %w", plan.Embedded, err)
	}
	e := &embedded{url: "http://" + listener.Addr().String(), server: server.New(server.Options{Instance: plan.Embedded}), done: make(chan struct{})}
	go func() {
		defer close(e.done)
		_ = e.server.Serve(context.Background(), listener) // ends by stop
	}()
	return e, nil
}

func (e *embedded) stop() {
	if e.server != nil {
		_ = e.server.Close()
		<-e.done
	}
}
