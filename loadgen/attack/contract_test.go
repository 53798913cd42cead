package attack

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/plan"
)

// eachWay runs a test of the contract with our own exchange, and with net/http's as an oracle.
func eachWay(t *testing.T, test func(t *testing.T, senders func(*Attack, int) sender)) {
	t.Run("own", func(t *testing.T) { test(t, nil) })
	t.Run("net/http", func(t *testing.T) { test(t, overNetHTTP) })
}

func TestWhatIsCountedOfAnAnswer(t *testing.T) {
	eachWay(t, whatIsCountedOfAnAnswer)
}

func whatIsCountedOfAnAnswer(t *testing.T, senders func(*Attack, int) sender) {
	log.SetOutput(io.Discard) // net/http speaks of what comes where no body may be; so does the program
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, row := range contract.Rows() {
		t.Run(strings.ReplaceAll(row.Why, " ", "_"), func(t *testing.T) {
			t.Parallel()
			// One user with five beats, kept however late.
			p := plan.Default()
			p.Users, p.Think, p.Pacing, p.RunTime, p.StopTimeout = 1, plan.Range{}, plan.Duration(10*ms), plan.Duration(50*ms), plan.Duration(20*time.Second)
			row.Client(&p.Client)
			ready := at(p, contract.Serve(t, row.Server))
			for i := range ready.Requests {
				if row.Method != "" {
					ready.Requests[i].Method = row.Method
				}
			}
			r := executeWith(Config{Plan: ready, senders: senders}, nil, nil)
			r.balanced(t)
			row.Check(t, r.windows)
		})
	}
}

func TestWhatIsSaidAboutARequestIsSaidOnce(t *testing.T) {
	eachWay(t, whatIsSaidAboutARequestIsSaidOnce)
}

func whatIsSaidAboutARequestIsSaidOnce(t *testing.T, senders func(*Attack, int) sender) {
	for _, row := range []struct {
		why    string
		header http.Header
		body   string
		plan   func(*plan.Plan)
		lines  []string // of the header, but for Host and what the row has no interest in
		opened int64
	}{
		{why: "the client's own length in place of one in lower case", header: http.Header{"content-length": {"5"}}, body: "hello",
			lines: []string{"Content-Length: 5", "User-Agent: Go-http-client/1.1"}, opened: 1},
		{why: "a name in lower case in place of the client's own", header: http.Header{"user-agent": {"curl/8"}}, lines: []string{"Content-Length: 0", "User-Agent: curl/8"}, opened: 1},
		{why: "a close in a target", header: http.Header{"connection": {"close"}}, lines: []string{"Connection: close", "Content-Length: 0", "User-Agent: Go-http-client/1.1"}, opened: 5},
		{why: "a connection that is kept by the target's header and not by the plan", header: http.Header{"connection": {"keep-alive"}},
			plan: func(p *plan.Plan) { p.Client.NoKeepAlive = true }, lines: []string{"Connection: close", "Content-Length: 0", "User-Agent: Go-http-client/1.1"}, opened: 5},
		{why: "a chunked body", header: http.Header{"transfer-encoding": {"chunked"}}, body: "hello",
			lines: []string{"Transfer-Encoding: chunked", "User-Agent: Go-http-client/1.1"}, opened: 1},
		{why: "a chunked body of nothing", header: http.Header{"transfer-encoding": {"chunked"}},
			lines: []string{"Transfer-Encoding: chunked", "User-Agent: Go-http-client/1.1"}, opened: 1},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			var mu sync.Mutex
			var requests [][]string
			var bodies []string
			url := contract.Serve(t, func(c net.Conn, in *bufio.Reader) {
				for {
					// The header as it came, before net/http makes a map of it.
					var lines []string
					var header strings.Builder
					for {
						line, err := in.ReadString('\n')
						if err != nil {
							return
						}
						header.WriteString(line)
						if line = strings.TrimSpace(line); line == "" {
							break
						}
						if !strings.HasPrefix(line, "POST ") && !strings.HasPrefix(line, "Host:") {
							lines = append(lines, line)
						}
					}
					_, body, err := contract.Request(bufio.NewReader(io.MultiReader(strings.NewReader(header.String()), oneByOne{in})))
					if err != nil {
						return
					}
					slices.Sort(lines)
					mu.Lock()
					requests, bodies = append(requests, lines), append(bodies, string(body))
					mu.Unlock()
					write(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") // and no word of Connection: close
				}
			})
			p := plan.Default()
			p.Host = url
			p.Users, p.Think, p.Pacing, p.RunTime = 1, plan.Range{}, plan.Duration(10*ms), plan.Duration(50*ms)
			p.Targets = []plan.Target{{Method: "POST", URL: "/", Header: row.header, Body: plan.Body{Inline: []byte(row.body)}}}
			if row.plan != nil {
				row.plan(&p)
			}
			ready, err := p.Prepare("", func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			r := executeWith(Config{Plan: ready, senders: senders}, nil, nil)
			r.balanced(t)
			mu.Lock()
			defer mu.Unlock()
			if got := contract.SeenIn(r.windows); got.Failure != "" || got.Opened != row.opened || len(requests) != 5 {
				t.Fatalf("%d requests, %+v; want 5 on %d connections", len(requests), got, row.opened)
			}
			if !slices.Equal(requests[4], row.lines) || bodies[4] != row.body {
				t.Errorf("sent %q with body %q, want %q with %q", requests[4], bodies[4], row.lines, row.body)
			}
		})
	}
}

// oneByOne is a reader that takes no more than it is asked for, so that what follows stays with the reader below.
type oneByOne struct{ io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.Reader.Read(p[:min(1, len(p))]) }
