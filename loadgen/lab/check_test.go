package lab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyA200PassesAHealthCheck(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/200":
		case "/204":
			w.WriteHeader(204)
		case "/302":
			http.Redirect(w, r, "/200", http.StatusFound)
		case "/503":
			w.WriteHeader(503)
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer service.Close()
	client := newCheckClient()
	for path, want := range map[string]string{
		"/200": "",
		"/204": "answered 204 No Content", // the matcher is 200 alone
		"/302": `answered 302 Found to /200, which a health check does not follow "<a href=\"/200\">Found</a>."`,
		"/503": "answered 503 Service Unavailable",
		"/cut": "EOF",
	} {
		if got := checkHealth(t.Context(), client, service.URL+path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if checkHealth(ended, client, service.URL+"/200") == "" {
		t.Error("a check passed that was not made")
	}
}
