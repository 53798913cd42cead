package plan

import (
	"net/http"
	"net/url"
	"time"
)

// Model says what decides when a request is sent.
type Model string

const (
	// Closed is a number of users, each of which waits for its answer, thinks, and sends again.
	Closed Model = "closed"
	// Open is a rate that does not depend on the answers.
	Open Model = "open"
	// Bench is a number of connections, each of which sends its next request as soon as it has its answer.
	Bench Model = "bench"
)

// Arrivals says how the sends of an open rate are spaced.
type Arrivals string

const (
	Uniform Arrivals = "uniform" // evenly
	Poisson Arrivals = "poisson" // independently, with exponential gaps
)

// Embedded as a host runs the project's own API in this process, on a loopback port.
const Embedded = "embedded"

// Lab stands for a lab's balancer in a plan that is kept: its port is another one each time, and its results are to be
// compared. It can be run again by the lab alone.
const Lab = "lab"

// Plan is one run's load, targets and client. Durations in JSON are text such as "3m" or "50ms".
type Plan struct {
	Name string            `json:"name,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
	Host string            `json:"host,omitempty"` // base URL for targets without one, or Embedded

	Model       Model    `json:"model"`
	Users       int      `json:"users,omitempty"`         // closed; with Stages: how many at the start; bench: connections
	SpawnRate   float64  `json:"spawn_rate,omitempty"`    // closed, without Stages: users started each second
	Think       Range    `json:"think"`                   // closed: pause after a response; zero is none
	Pacing      Duration `json:"pacing,omitzero"`         // closed: instead of Think, one request each
	Rate        Rate     `json:"rate,omitzero"`           // open; with Stages: the rate at the start
	Arrivals    Arrivals `json:"arrivals,omitempty"`      // open
	MaxInFlight int      `json:"max_in_flight,omitempty"` // open: above it sends go out late
	RunTime     Duration `json:"run_time,omitzero"`       // zero with Stages: they are the run time
	Stages      []Stage  `json:"stages,omitempty"`
	Requests    int64    `json:"requests,omitempty"` // bench: how many in all; 0 for as many as the run time allows
	WarmUp      Duration `json:"warm_up,omitzero"`   // the first part of the load, a phase of its own; the load itself is the same

	// Edits are the changes that were made while the plan ran, or that are to be made when it runs again, in order.
	Edits []Edit `json:"edits,omitempty"`

	Targets []Target `json:"targets"`
	Client  Client   `json:"client"`

	StopTimeout Duration `json:"stop_timeout"` // how long the drain may take
	Thresholds  []string `json:"thresholds,omitempty"`
	AbortOn     string   `json:"abort_on,omitempty"`
	// ExitCodeOnError is the exit code when any request failed and nothing else decides it; 0 says that
	// none is too many. Nil says nothing, and a run in which no request succeeded is then an error.
	ExitCodeOnError *int `json:"exit_code_on_error,omitempty"`

	Seed uint64 `json:"seed"` // of every random choice; below 2^53, so that every JSON reader keeps it
}

// Stage is a linear change to To users, or To requests a second, over a time. A duration of zero is a jump.
type Stage struct {
	Duration Duration `json:"duration"`
	To       float64  `json:"to"`
}

// Range is a uniform choice between two durations, both included; equal ends are a constant.
type Range struct {
	Min, Max Duration // text form: "50ms..200ms", or "100ms" for a constant
}

// Rate is a number of requests in a time, 1 s when Per is zero.
type Rate struct {
	N   float64
	Per Duration // text form: "50", "50/s", "3000/1m"
}

// PerSecond is the rate in requests per second.
func (r Rate) PerSecond() float64 {
	if r.Per == 0 {
		return r.N
	}
	return r.N / time.Duration(r.Per).Seconds()
}

// Duration is a time.Duration whose text form is also a bare number of seconds.
type Duration time.Duration

// Target is one request that users make, as vegeta's target formats describe it.
// URL and header values may hold references ${NAME}, which Prepare fills from the environment.
type Target struct {
	Name   string      `json:"name,omitempty"` // groups targets in the statistics; empty: METHOD path
	Method string      `json:"method"`
	URL    string      `json:"url"` // absolute, or a path below the plan's Host
	Header http.Header `json:"header,omitempty"`
	Body   Body        `json:"body,omitzero"`
	Weight int         `json:"weight,omitempty"` // relative share; 0 counts as 1
	Expect []Status    `json:"expect,omitempty"` // accepted statuses; none: all below 400
	// ExpectBody is a text that the body of an accepted answer must hold, byte by byte as it comes; empty: any body is right.
	ExpectBody string `json:"expect_body,omitempty"`
}

// Status is an accepted status: a code, or a class such as 2xx.
type Status struct {
	Min, Max int // inclusive
}

// Body is a request body: bytes given in place, or a file that Prepare reads. Of a file only its
// name and digest are kept, so that its content never reaches a result.
type Body struct {
	Inline []byte `json:"inline,omitempty"` // base64 in JSON
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // hex digest of File when it was read
}

// Client is how requests are sent.
type Client struct {
	Header           http.Header `json:"header,omitempty"` // for every target that does not set the same one
	Body             Body        `json:"body,omitzero"`    // for every target without a body
	Timeout          Duration    `json:"timeout"`          // of one request, redirects and body included
	NoKeepAlive      bool        `json:"no_keepalive,omitempty"`
	ConnectionMaxAge Duration    `json:"connection_max_age,omitzero"` // zero: no limit
	Insecure         bool        `json:"insecure,omitempty"`          // do not verify certificates
	CAFile           string      `json:"ca_file,omitempty"`           // PEM, beside the system's authorities
	Cookies          bool        `json:"cookies,omitempty"`           // a jar a user
	MaxBody          int64       `json:"max_body"`                    // bytes of a response body that are read
	// Redirects is how many hops are followed, DefaultRedirects when it is nil; 0 takes the redirect as the answer.
	Redirects *int `json:"redirects,omitempty"`
	// Resolve are the addresses of hosts that are not looked up; of two entries for one host and port the later one counts.
	Resolve []Resolve `json:"resolve,omitempty"`
	// TraceRatio is the share of requests, 0 to 1, that carry a trace: which ones is decided by Seed.
	TraceRatio float64 `json:"trace_ratio,omitempty"`
}

// MaxHops is how many redirects a request follows.
func (c *Client) MaxHops() int {
	if c.Redirects == nil {
		return DefaultRedirects
	}
	return *c.Redirects
}

// Ready is a Plan with everything read and resolved: what the attack runs on. It holds secrets and
// is never written anywhere.
type Ready struct {
	Plan      Plan // as given, with digests of the files read
	Requests  []Request
	Endpoints []Endpoint // names in the statistics
	Load
	CA       []byte   // PEM from Client.CAFile, nil without one
	Warnings []string // what the reader of the result should know, e.g. names beyond MaxEndpoints

	// Turns says, of each phase but the drain, which of Hosts is asked for what is due in it; empty when there is one.
	// Hosts are the Requests as they go to each: the same ones in the same order.
	Turns []int
	Hosts [][]Request
}

// Endpoint is one name in the statistics; Method and URL are those of the first target with the
// name, with references unfilled and secrets redacted.
type Endpoint struct {
	Name, Method, URL string
}

// Request is a Target ready to be sent. Its fields are shared between users: nobody may change them.
type Request struct {
	Endpoint int // index into Ready.Endpoints
	Method   string
	URL      *url.URL
	Host     string // of the Host header when it differs from the URL's; else empty
	Header   http.Header
	Close    bool // Connection: close: no other request uses the connection
	Chunked  bool // Transfer-Encoding: chunked, in place of a Content-Length
	Body     []byte
	Weight   int
	Expect   []Status
	// ExpectBody is a text that the body must hold; nil: any body is right.
	ExpectBody []byte
}

// Accepts reports whether a final status is a success.
func (r *Request) Accepts(status int) bool {
	if len(r.Expect) == 0 {
		return 100 <= status && status < 400
	}
	for _, s := range r.Expect {
		if s.Min <= status && status <= s.Max {
			return true
		}
	}
	return false
}

// Phase names.
const (
	WarmUp = "warm-up" // the first WarmUp of the load, whatever it does then; thresholds leave it out
	Ramp   = "ramp"    // the load changes
	Steady = "steady"  // the load is constant
	Held   = "held"    // paused by an edit: nothing becomes due; rates, lag and demand leave it out
	Drain  = "drain"   // nothing new is planned; what was due before is sent and finished
)

// Idle reports whether nothing becomes due in phases of a name. Rates are of the others.
func Idle(phase string) bool { return phase == Held || phase == Drain }

// Phase is a stretch of a run with one kind of load; it ends where the next begins. Drain begins
// where sending ends and has no planned end.
type Phase struct {
	Name string
	From time.Duration // on the run's clock
}
