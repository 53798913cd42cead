package awstest

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// InProcess makes the SDK's clients talk to the fake without sockets, so that tests may run on virtual time (testing/synctest).
func (f *Fake) InProcess() aws.Config { return f.Ahead(0) }

// Ahead is InProcess with answers whose dates are ahead of this machine's clock.
func (f *Fake) Ahead(d time.Duration) aws.Config {
	cfg := f.Config("http://aws.test")
	cfg.HTTPClient = client{f.Direct(), d}
	return cfg
}

type client struct {
	transport http.RoundTripper
	ahead     time.Duration
}

func (c client) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.transport.RoundTrip(r)
	if err == nil {
		answer.Header.Set("Date", time.Now().Add(c.ahead).UTC().Format(http.TimeFormat))
	}
	return answer, err
}
