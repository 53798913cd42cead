package validity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/result"
)

// transport is an endpoint without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is an endpoint that always says the same.
func answer(status int, body string) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) { return reply(r, status, body), nil })
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Body:       io.NopCloser(strings.NewReader(body)),
		Request:    r,
	}
}

// taken from the ECS developer guide's example of a task on Fargate, shortened
const taskExample = `{
  "Cluster": "arn:aws:ecs:us-west-2:111122223333:cluster/default",
  "TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/default/e9028f8d5d8e4f258373e7b93ce9a3c3",
  "Family": "curltest",
  "Revision": "3",
  "DesiredStatus": "RUNNING",
  "Limits": {"CPU": 0.25, "Memory": 512},
  "Containers": [{"DockerId": "e9028f8d5d8e4f258373e7b93ce9a3c3-2495160603", "Limits": {"CPU": 10, "Memory": 0}}],
  "AvailabilityZone": "us-west-2a",
  "LaunchType": "FARGATE"
}`

func TestTaskIsReadFromTheMetadataEndpoint(t *testing.T) {
	var asked string
	task, err := readTask(t.Context(), transport(func(r *http.Request) (*http.Response, error) {
		asked = r.Method + " " + r.URL.String()
		return reply(r, 200, taskExample), nil
	}), "http://169.254.170.2/v4/e9028f8d")
	if err != nil {
		t.Fatal(err)
	}
	if asked != "GET http://169.254.170.2/v4/e9028f8d/task" {
		t.Errorf("asked %q", asked)
	}
	want := result.Task{
		ARN:     "arn:aws:ecs:us-west-2:111122223333:task/default/e9028f8d5d8e4f258373e7b93ce9a3c3",
		Family:  "curltest",
		Cluster: "arn:aws:ecs:us-west-2:111122223333:cluster/default",
		ID:      "e9028f8d5d8e4f258373e7b93ce9a3c3", Revision: "3", Zone: "us-west-2a", LaunchType: "FARGATE",
	}
	if task.Task != want || task.cpus != 0.25 || task.memoryBytes != 512<<20 {
		t.Errorf("task %+v", task)
	}
}

func TestMetadataEndpointIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, start := 0, time.Now()
		task, err := readTask(t.Context(), transport(func(r *http.Request) (*http.Response, error) {
			if tries++; tries <= 2 {
				return reply(r, http.StatusTooManyRequests, ""), nil
			}
			return reply(r, 200, taskExample), nil
		}), "http://169.254.170.2/v4/id/")
		if err != nil || task.cpus != 0.25 {
			t.Errorf("task %+v, error %v", task, err)
		}
		if want := 2 * metadataPause; time.Since(start) != want {
			t.Errorf("took %v, want %v", time.Since(start), want)
		}
	})
}

func TestSilentMetadataEndpointIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := readTask(t.Context(), transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), "http://169.254.170.2/v4/id")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if time.Since(start) != metadataTimeout {
			t.Errorf("gave up after %v, want %v", time.Since(start), metadataTimeout)
		}
	})
}

func TestWhyTheTaskCouldNotBeRead(t *testing.T) {
	refused := transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
	broken := transport(func(r *http.Request) (*http.Response, error) {
		answer := reply(r, 200, "")
		answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"Clu`), failing{}))
		return answer, nil
	})
	for _, c := range []struct {
		why      string
		endpoint http.RoundTripper
		uri      string
		want     string
	}{
		{"nobody listens", refused, "http://169.254.170.2/v4/id", "no answer from the metadata endpoint: connection refused"},
		{"an error status", answer(404, ""), "http://169.254.170.2/v4/id", "the metadata endpoint answered 404 Not Found"},
		{"the body breaks off", broken, "http://169.254.170.2/v4/id", "the metadata endpoint's answer broke off: unexpected EOF"},
		{"no JSON", answer(200, "<html>"), "http://169.254.170.2/v4/id", "the metadata endpoint's answer is not the JSON that is documented"},
		{"JSON of another shape", answer(200, `{"Limits": "none"}`), "http://169.254.170.2/v4/id", "the metadata endpoint's answer is not the JSON that is documented"},
		{"no URL", answer(200, taskExample), "http://bad host\x7f", "the metadata URI is not a URL"},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := readTask(t.Context(), c.endpoint, c.uri)
				if err == nil || err.Error() != c.want {
					t.Errorf("error %v, want %s", err, c.want)
				}
			})
		})
	}
}

func TestMetadataGoesThroughNoProxy(t *testing.T) {
	if proxy := metadataTransport().(*http.Transport).Proxy; proxy != nil {
		t.Error("the metadata endpoint would be asked through a proxy")
	}
}

// failing is a body whose connection broke.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func FuzzTask(f *testing.F) {
	f.Add([]byte(taskExample))
	f.Add([]byte(`{"Limits":{"CPU":-1,"Memory":-1}}`))
	f.Add([]byte(`{"Limits":{"CPU":1e400}}`))
	f.Add([]byte(`{"Limits":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		task, err := parseTask(body)
		if err == nil && (!(task.cpus > 0) || !(task.memoryBytes > 0)) {
			t.Errorf("%s: limits %v and %v", body, task.cpus, task.memoryBytes)
		}
	})
}
