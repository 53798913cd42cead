package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheInstanceIsTheTaskElseTheHost(t *testing.T) {
	const arn = `{"Cluster":"default","TaskARN":"arn:aws:ecs:us-west-2:111122223333:task/default/158d1c8083dd49d6b527399fd6414f5c","Family":"app"}`
	host := func() (string, error) { return "ip-10-0-1-7", nil }

	for _, tt := range []struct {
		why     string
		status  int
		answer  string
		want    string
		wantErr string // part of why it is not the task; "" for none
	}{
		{"the task's id", 200, arn, "158d1c8083dd49d6b527399fd6414f5c", ""},
		{"an ARN of the old form, without cluster", 200, `{"TaskARN":"arn:aws:ecs:us-west-2:111122223333:task/c13b4cb4"}`, "c13b4cb4", ""},
		{"no ARN", 200, `{}`, "ip-10-0-1-7", `TaskARN "": want arn:…:task/CLUSTER/ID`},
		{"an ARN of something else", 200, `{"TaskARN":"arn:aws:ecs:us-west-2:1:service/default/web"}`, "ip-10-0-1-7", "want arn:"},
		{"an ARN without an id", 200, `{"TaskARN":"arn:aws:ecs:us-west-2:1:task/default/"}`, "ip-10-0-1-7", "want arn:"},
		{"no JSON", 200, `<html>`, "ip-10-0-1-7", "answer: invalid character"},
		{"an error", 500, arn, "ip-10-0-1-7", "status 500 Internal Server Error"},
		{"a redirect, which is not followed", 302, arn, "ip-10-0-1-7", "status 302 Found"},
		{"an answer without end", 200, `{"x":"` + strings.Repeat("x", 2<<20) + `"}`, "ip-10-0-1-7", "unexpected EOF"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			var asked string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.Path
				w.Header().Set("Location", "/task")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.answer)
			}))
			defer srv.Close()
			for _, base := range []string{srv.URL + "/v4/abc-123", srv.URL + "/v4/abc-123/"} {
				got, err := instanceName(t.Context(), environment(metadataVariable+"="+base), host)
				if got != tt.want {
					t.Errorf("instance %q, want %q", got, tt.want)
				}
				switch {
				case tt.wantErr == "" && err != nil:
					t.Error(err)
				case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
					t.Errorf("error %v, want one with %q", err, tt.wantErr)
				}
				if want := "GET /v4/abc-123/task"; asked != want {
					t.Errorf("asked %s, want %s", asked, want)
				}
			}
		})
	}
}

func TestWithoutECSTheHostNamesTheInstanceAndNothingIsAmiss(t *testing.T) {
	for _, env := range [][]string{nil, {metadataVariable + "="}} {
		got, err := instanceName(t.Context(), environment(env...), func() (string, error) { return "laptop", nil })
		if got != "laptop" || err != nil {
			t.Errorf("%q: %q, %v", env, got, err)
		}
	}
}

func TestAMetadataEndpointThatIsGoneOrHangsCostsAtMostItsTimeout(t *testing.T) {
	t.Parallel()
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, tt := range []struct{ base, wantErr string }{
		{gone.URL, "connection refused"},
		{hangs.URL, "no answer in time"},
		{"http://%zz", "invalid URL escape"},
		{"ftp://127.0.0.1", "unsupported protocol scheme"},
	} {
		began := time.Now()
		got, err := instanceName(t.Context(), environment(metadataVariable+"="+tt.base), func() (string, error) { return "host", nil })
		if got != "host" {
			t.Errorf("%s: %q, want the host's name", tt.base, got)
		}
		if err == nil || !strings.HasPrefix(err.Error(), metadataVariable) || !strings.Contains(err.Error(), tt.wantErr) {
			t.Errorf("%s: error %v, want %s and %q", tt.base, err, metadataVariable, tt.wantErr)
		}
		// The bound is the time-out; the rest is for a busy machine.
		if d := time.Since(began); d > metadataTimeout+2*time.Second {
			t.Errorf("%s: took %s", tt.base, d)
		}
	}
}

func TestWithoutAnyNameBothReasonsAreKept(t *testing.T) {
	noHost := errors.New("no host name")
	got, err := instanceName(t.Context(), environment(metadataVariable+"=ftp://127.0.0.1"), func() (string, error) { return "", noHost })
	if got != "" || !errors.Is(err, noHost) || !strings.Contains(err.Error(), metadataVariable) {
		t.Errorf("%q, %v", got, err)
	}
}
