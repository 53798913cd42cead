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
	for path, want := range map[string]bool{
		"/200": true,
		"/204": false, // the matcher is 200 alone
		"/302": false, // a redirect is an answer
		"/503": false,
		"/cut": false,
	} {
		if got := healthy200(t.Context(), client, service.URL+path); got != want {
			t.Errorf("%s: passed %t, want %t", path, got, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if healthy200(ended, client, service.URL+"/200") {
		t.Error("a check passed that was not made")
	}
}
