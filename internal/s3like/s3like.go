// Package s3like answers as S3 does, as far as tests need it: put, conditional put, get and list, three objects a page.
package s3like

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Bucket is the only one that there is.
const Bucket = "results"

// Server is a handler. The zero value is an empty bucket.
type Server struct {
	mu      sync.Mutex
	objects map[string]string
	changed map[string]time.Time
	refuse  string
	puts    int
	fades   int
}

// Start starts a server on loopback until the test ends, and returns its URL.
func (s *Server) Start(t testing.TB) string {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// Refuse makes every call fail with an error code; empty ends that.
func (s *Server) Refuse(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = code
}

// Fade makes every call fail with AccessDenied after so many objects were put.
func (s *Server) Fade(after int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fades = after
}

// Put places an object.
func (s *Server) Put(key, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects, s.changed = map[string]string{}, map[string]time.Time{}
	}
	s.objects[key], s.changed[key] = content, time.Now().Truncate(time.Second) // S3 tells whole seconds
}

// Keys are those of all objects, in order.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys("", "")
}

func (s *Server) keys(prefix, after string) (keys []string) {
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// ServeHTTP is of http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	code, there := s.refuse, false
	_, there = s.objects[key]
	if s.fades > 0 && s.puts >= s.fades {
		code = "AccessDenied"
	}
	if r.Method == http.MethodPut {
		s.puts++
	}
	s.mu.Unlock()
	switch {
	case code != "":
		fail(w, http.StatusForbidden, code)
	case bucket != Bucket:
		fail(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut && there && r.Header.Get("If-None-Match") == "*":
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		s.Put(key, string(body))
	case key != "" && !there:
		fail(w, http.StatusNotFound, "NoSuchKey")
	case key != "":
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = io.WriteString(w, s.objects[key])
	default:
		s.list(w, r.FormValue("prefix"), r.FormValue("continuation-token"))
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

// page is how many objects are listed at once. S3 lists 1,000; a client that reads the first page alone is to be found.
const page = 3

func (s *Server) list(w http.ResponseWriter, prefix, after string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.keys(prefix, after)
	fmt.Fprint(w, "<ListBucketResult>")
	if len(keys) > page {
		keys = keys[:page]
		fmt.Fprintf(w, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", text(keys[page-1]))
	}
	for _, key := range keys {
		fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified></Contents>", text(key), len(s.objects[key]), s.changed[key].UTC().Format(time.RFC3339))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

func text(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
