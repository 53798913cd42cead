package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHealthcheckIsNilForA200OnlyAndNeverHangs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why     string
		handler http.HandlerFunc
		wantErr string
	}{
		{"healthy", func(w http.ResponseWriter, r *http.Request) {}, ""},
		{"draining", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			io.WriteString(w, `{"status":"draining"}`)
		}, `status 503 Service Unavailable: "{\"status\":\"draining\"}"`},
		{"not our server", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "status 404 Not Found"},
		{"other than 200", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, "status 204 No Content"},
		{"a redirect is no answer", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusMovedPermanently) }, "status 301"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"hanging", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in time"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.Method + " " + r.URL.Path; got != "GET /health" {
					t.Errorf("asked %s", got)
				}
				tt.handler(w, r)
			}))
			defer srv.Close()
			a, err := parseAddr("-addr", strings.TrimPrefix(srv.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err = healthcheck(t.Context(), a)
			switch {
			case tt.wantErr == "" && err != nil:
				t.Error(err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("error %v, want one with %q", err, tt.wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			// The bound is the time-out; the rest is for a busy machine.
			if d := time.Since(began); d > healthcheckTimeout+2*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}
