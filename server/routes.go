package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
)

// Paths of the API.
const (
	RootPath   = "/"
	HealthPath = "/health"
)

// routes answers the two paths. Not an http.ServeMux, which would answer // and /health/../ with redirects and what it
// does not know with text: here a path is exactly one of the two or 404.
type routes struct {
	draining *atomic.Bool

	root, healthy, unhealthy, notFound, wrongMethod *reply
}

// reply is an answer made beforehand. Its header is shared by all requests and never changed.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func newRoutes(instance string, draining *atomic.Bool) *routes {
	type body struct {
		Service  string `json:"service,omitzero"`
		Instance string `json:"instance,omitzero"`
		Status   string `json:"status,omitzero"`
		Error    string `json:"error,omitzero"`
	}
	const allow = http.MethodGet + ", " + http.MethodHead
	wrongMethod := newReply(http.StatusMethodNotAllowed, body{Error: "method not allowed: want " + allow})
	wrongMethod.header["Allow"] = []string{allow}
	return &routes{
		draining:    draining,
		root:        newReply(http.StatusOK, body{Service: "scalableappbackend", Instance: instance}),
		healthy:     newReply(http.StatusOK, body{Status: "ok"}),
		unhealthy:   newReply(http.StatusServiceUnavailable, body{Status: "draining"}),
		notFound:    newReply(http.StatusNotFound, body{Error: "not found: want " + RootPath + " or " + HealthPath}),
		wrongMethod: wrongMethod,
	}
}

func newReply(status int, body any) *reply {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are strings of this file and an instance name: they always encode
	}
	b = append(b, '\n')
	return &reply{status: status, body: b, header: http.Header{
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(b))},
		// An answer from a cache on the way would be a load that the service never saw.
		"Cache-Control": {"no-store"},
	}}
}

func (rt *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := rt.pick(r)
	h := w.Header()
	maps.Copy(h, a.header)
	w.WriteHeader(a.status)
	w.Write(a.body) // net/http itself leaves the body of an answer to HEAD out; a failed write is the client's loss
}

func (rt *routes) pick(r *http.Request) *reply {
	switch path := r.URL.Path; {
	case path != RootPath && path != HealthPath:
		return rt.notFound
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return rt.wrongMethod
	case path == RootPath:
		return rt.root
	case rt.draining.Load():
		return rt.unhealthy
	default:
		return rt.healthy
	}
}
