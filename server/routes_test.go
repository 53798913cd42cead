package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"scalableappbackend/server"
)

func TestEachMethodAndPathHasItsAnswer(t *testing.T) {
	addr := start(t, server.Options{Instance: "replica-1"})

	for _, tt := range []struct {
		method, path string
		status       int
		body         string // "" for HEAD
		allow        string
		why          string
	}{
		{"GET", "/", 200, `{"service":"scalableappbackend","instance":"replica-1"}`, "", "the API"},
		{"HEAD", "/", 200, "", "", "HEAD is GET without the body"},
		{"GET", "/health", 200, `{"status":"ok"}`, "", "ready from the start"},
		{"HEAD", "/health", 200, "", "", "some health checks use HEAD"},
		{"GET", "/?x=1", 200, `{"service":"scalableappbackend","instance":"replica-1"}`, "", "a query changes no route"},
		{"GET", "/health?x=/", 200, `{"status":"ok"}`, "", "a query changes no route"},
		{"POST", "/", 405, `{"error":"method not allowed: want GET, HEAD"}`, "GET, HEAD", "known path, wrong method"},
		{"DELETE", "/health", 405, `{"error":"method not allowed: want GET, HEAD"}`, "GET, HEAD", "known path, wrong method"},
		{"OPTIONS", "/", 405, `{"error":"method not allowed: want GET, HEAD"}`, "GET, HEAD", "no CORS here"},
		{"get", "/", 405, `{"error":"method not allowed: want GET, HEAD"}`, "GET, HEAD", "methods are case-sensitive"},
		{"GET", "/healthz", 404, `{"error":"not found: want / or /health"}`, "", "a prefix is not the path"},
		{"GET", "/health/", 404, `{"error":"not found: want / or /health"}`, "", "no redirect to the near path"},
		{"GET", "//", 404, `{"error":"not found: want / or /health"}`, "", "no cleaning, so no redirect"},
		{"GET", "/x/../health", 404, `{"error":"not found: want / or /health"}`, "", "no cleaning"},
		{"GET", "/HEALTH", 404, `{"error":"not found: want / or /health"}`, "", "paths are case-sensitive"},
		{"POST", "/nowhere", 404, `{"error":"not found: want / or /health"}`, "", "404 wins over 405"},
		{"HEAD", "/nowhere", 404, "", "", "HEAD has no body there either"},
		{"OPTIONS", "*", 404, `{"error":"not found: want / or /health"}`, "", "not net/http's own 200"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			// Written by hand: http.Client would clean the path and refuse "OPTIONS *".
			res, body := exchange(t, addr, tt.method, tt.path)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d: %s", res.StatusCode, tt.status, tt.why)
			}
			if got := strings.TrimSuffix(body, "\n"); got != tt.body {
				t.Errorf("body %s, want %s: %s", got, tt.body, tt.why)
			}
			if body != "" && !json.Valid([]byte(body)) {
				t.Errorf("body is not JSON: %q", body)
			}
			for k, want := range map[string]string{
				"Allow":         tt.allow,
				"Content-Type":  "application/json",
				"Cache-Control": "no-store",
				"X-Served-By":   "replica-1",
				"Connection":    "",
			} {
				if got := res.Header.Get(k); got != want {
					t.Errorf("%s: %q, want %q", k, got, want)
				}
			}
			if tt.method == "HEAD" {
				return
			}
			if got := res.Header.Get("Content-Length"); got != strconv.Itoa(len(body)) {
				t.Errorf("Content-Length %s, body has %d bytes", got, len(body))
			}
		})
	}
}

// start serves on a loopback port until the test ends and returns its address.
func start(t *testing.T, opts server.Options) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := server.New(opts)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

// exchange sends one request line as it stands and reads the answer until the server closes or the body is whole.
func exchange(t *testing.T, addr, method, target string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, target, addr)
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestHEADPromisesTheLengthThatGETDelivers(t *testing.T) {
	addr := start(t, server.Options{})
	for _, path := range []string{server.RootPath, server.HealthPath} {
		res, err := http.Head("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		_, body := exchange(t, addr, "GET", path)
		if res.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s says %d bytes, GET has %d", path, res.ContentLength, len(body))
		}
	}
}

func TestWithoutAnInstanceNameNothingClaimsOne(t *testing.T) {
	w := httptest.NewRecorder()
	server.New(server.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if v, ok := w.Header()["X-Served-By"]; ok {
		t.Errorf("X-Served-By: %q without an instance name", v)
	}
	if got, want := w.Body.String(), `{"service":"scalableappbackend"}`+"\n"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
}

func TestAWrapStandsBeforeBothRoutesAndItsRefusalsNameTheInstanceToo(t *testing.T) {
	srv := server.New(server.Options{Instance: "replica-2", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("full") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	for target, want := range map[string]int{"/": 200, "/health": 200, "/?full": 503, "/health?full": 503} {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
		if got := w.Header().Get("X-Served-By"); got != "replica-2" {
			t.Errorf("%s: X-Served-By %q", target, got)
		}
	}
}

// discardWriter is a ResponseWriter whose header is used again, as no allocation of it may count against the handler.
type discardWriter struct{ h http.Header }

func (w discardWriter) Header() http.Header         { return w.h }
func (w discardWriter) WriteHeader(int)             {}
func (w discardWriter) Write(b []byte) (int, error) { return len(b), nil }

func TestAnswersAllocateNothing(t *testing.T) {
	srv := server.New(server.Options{Instance: "replica-1"})
	w := discardWriter{make(http.Header)}
	for _, path := range []string{"/", "/health", "/nowhere"} {
		r := httptest.NewRequest("GET", path, nil)
		if n := testing.AllocsPerRun(100, func() { srv.ServeHTTP(w, r) }); n != 0 {
			t.Errorf("%s: %v allocations a request", path, n)
		}
	}
}

func BenchmarkServeHTTP(b *testing.B) {
	srv := server.New(server.Options{Instance: "replica-1"})
	w := discardWriter{make(http.Header)}
	r := httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		srv.ServeHTTP(w, r)
	}
}
