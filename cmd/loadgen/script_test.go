package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/golden"
	"scalableappbackend/internal/resulttest"
	"scalableappbackend/internal/s3like"
	"scalableappbackend/loadgen/validity"
	"scalableappbackend/server"
)

func TestMain(m *testing.M) {
	testscript.Main(atOnce{m}, map[string]func(){"loadgen": onCalmMachine, "loadgen_as_it_is": main, "replica": replica})
}

// onCalmMachine is main but for what it thinks of the machine that it runs on. Tests run beside others: a script
// about something else must not fail for that. loadgen_as_it_is is for scripts about just this.
func onCalmMachine() {
	env := system()
	env.judge = calm.Judge
	os.Exit(int(run(env)))
}

// atOnce lets more scripts run at a time than there are CPUs: they wait for seconds to pass. A -parallel on
// the command line counts more, because it is parsed later.
type atOnce struct{ *testing.M }

func (m atOnce) Run() int {
	if err := flag.Set("test.parallel", "12"); err != nil {
		log.Fatal(err)
	}
	return m.M.Run()
}

// TestScripts types commands as a person does. Beside testscript's own, a script has these:
//
//	serve NAME KIND        starts a server on loopback and sets $NAME to its URL; see serve
//	code N COMMAND…        runs a command that exits with N
//	code N                 says so of the process that signal was sent to, after it has ended
//	until FILE PATTERN     waits until a file holds a pattern
//	signal NAME            sends a signal to the process that was started last
//	json FILE PATH VALUE   takes a value out of a JSON document and compares it, as a pattern
//	measured DIR RATE      writes the result of 2 s at so many requests a second, each answered in 2 ms or so
//	template FROM TO       writes a file with the variables of another one filled in
//	none                   says that no replica of the script is left
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	// Those of the lab take longest, and package testing starts what stands last first, as a rule.
	slices.SortStableFunc(files, func(a, b string) int {
		return cmp.Compare(strings.Count(a, "lab_"), strings.Count(b, "lab_"))
	})
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       golden.Updating(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPLICAS", e.WorkDir)
			e.Setenv("CPUS", strconv.Itoa(validity.ReadLimits(context.Background(), "").HostCPUs))
			e.Values[processKey{}], e.Values[measuredKey{}] = &process{}, new(int)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": serve, "code": wantCode, "until": until, "signal": sendSignal, "json": wantJSON, "none": noReplica, "template": template,
			"measured": measured,
		},
	})
}

// process is what a script sent a signal to.
type process struct{ *exec.Cmd }

type processKey struct{}

func usageOf(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func wantCode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) > 0, "code N [COMMAND…]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got, last := 0, ""
	if len(args) == 1 {
		p := ts.Value(processKey{}).(*process)
		if p.Cmd == nil || p.ProcessState == nil {
			ts.Fatalf("no process was sent a signal and has ended")
		}
		got, last = p.ProcessState.ExitCode(), ts.ReadFile("stderr")
	} else {
		err := ts.Exec(args[1], args[2:]...)
		if exited, ok := errors.AsType[*exec.ExitError](err); ok {
			got = exited.ExitCode()
		} else {
			ts.Check(err)
		}
		last = ts.ReadFile("stderr")
	}
	_, last = cutLast(last)
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if said := fmt.Sprintf("exit %d: ", want); (want != 0 || last != "") && !strings.HasPrefix(last, said) {
		ts.Fatalf("the last line on stderr is %q, want %q", last, said)
	}
}

// measured writes a result whose figures do not depend on the machine, for a script about what is done with results.
func measured(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 2, "measured DIR RATE")
	rate, err := strconv.Atoi(args[1])
	ts.Check(err)
	m := ts.Value(measuredKey{}).(*int)
	*m++
	ts.Check(resulttest.Make(ts.MkAbs(args[0]), resulttest.Run{
		Started: time.Date(2026, 11, 1, 12, *m, 0, 0, time.UTC), Rate: rate, Seconds: 2, Latency: 2 * time.Millisecond, Seed: uint64(*m),
	}))
}

type measuredKey struct{}

func until(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 2, "until FILE PATTERN")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // another process writes it
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && pattern.Match(data) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never held %q: %v\n%s", args[0], args[1], err, data)
		}
	}
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 1, "signal NAME")
	sig, ok := signalNames()[args[0]]
	if !ok {
		ts.Fatalf("no signal %q on this system", args[0])
	}
	running := ts.BackgroundCmds()
	if len(running) == 0 {
		ts.Fatalf("nothing is running")
	}
	last := running[len(running)-1]
	ts.Value(processKey{}).(*process).Cmd = last
	ts.Check(last.Process.Signal(sig))
}

func template(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 2, "template FROM TO")
	filled := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(filled), 0o644))
}

// wantJSON compares a value with a pattern that has to match all of it. The path is made of keys and indices,
// with slashes between; len is the length of a list.
func wantJSON(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 3, "json FILE PATH PATTERN")
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	if decoder.More() {
		ts.Fatalf("%s holds more than one document", args[0])
	}
	for key := range strings.SplitSeq(args[1], "/") {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[key]
			if !ok {
				ts.Fatalf("%s: no %q in %v", args[0], key, v)
			}
			value = member
		case []any:
			if key == "len" {
				value = len(v)
				continue
			}
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: no %q in %v", args[0], key, v)
			}
			value = v[i]
		default:
			ts.Fatalf("%s: %q in %v", args[0], key, v)
		}
	}
	var text bytes.Buffer
	if s, ok := value.(string); ok {
		text.WriteString(s)
	} else {
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		ts.Check(encoder.Encode(value))
	}
	got := strings.TrimSpace(text.String())
	matched, err := regexp.MatchString("^(?:"+args[2]+")$", got)
	ts.Check(err)
	if !matched {
		ts.Fatalf("%s: %s is %s, want %s", args[0], args[1], got, args[2])
	}
}

// serve starts one of these on loopback, until the script ends:
//
//	api      the project's API
//	fails    500 for everything
//	hangs    accepts requests and never answers
//	counts   204 for a request with "X-Secret: token" and a body "ping", else 400
//	tls      the API behind a certificate of its own, which $NAME_CA names
//	moves    302 to / for /moved, else 200 and "all is fine"; $NAME_PORT is its port
//	cold     500 for the first 200 ms in which it is asked, then 200
//	slow     200 after a second
//	nothing  404 for everything
//	s3       a bucket "results", whose endpoint $NAME is
//	ecs      an ECS task's metadata
//	fades    S3 that takes one object, and then allows nothing
//	refuses  S3 that allows nothing
//	nobody   no listener at all
func serve(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 2, "serve NAME KIND")
	name, kind := args[0], args[1]
	if kind == "nobody" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(name, "http://"+l.Addr().String())
		ts.Check(l.Close())
		return
	}
	over := make(chan struct{})
	ts.Defer(func() { close(over) })
	handlers := map[string]http.Handler{
		"api":   server.New(server.Options{Instance: "replica-1"}),
		"tls":   server.New(server.Options{}),
		"fails": status(http.StatusInternalServerError), "nothing": http.NotFoundHandler(),
		"hangs": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}),
		"slow": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, "ok")
		}),
		"counts": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body bytes.Buffer
			_, err := body.ReadFrom(r.Body)
			code := http.StatusNoContent
			if err != nil || body.String() != "ping" || r.Header.Get("X-Secret") != "token" {
				code = http.StatusBadRequest
			}
			w.WriteHeader(code)
		}),
	}
	handlers["ecs"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/lab", "TaskARN": "arn:aws:ecs:eu-central-1:111122223333:task/lab/e9028f8d5d8e4f25", "Family": "loadgen",
			"Revision": "3", "AvailabilityZone": "eu-central-1b", "LaunchType": "FARGATE", "Limits": {"CPU": 64, "Memory": 131072}}`)
	})
	refuses := &s3like.Server{}
	refuses.Refuse("AccessDenied")
	fades := &s3like.Server{}
	fades.Fade(1)
	handlers["s3"], handlers["refuses"], handlers["fades"] = &s3like.Server{}, refuses, fades
	handlers["moves"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		fmt.Fprint(w, "all is fine")
	})
	var first sync.Once
	var began time.Time
	handlers["cold"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		first.Do(func() { began = time.Now() })
		if time.Since(began) < 200*time.Millisecond {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	handler, ok := handlers[kind]
	if !ok {
		ts.Fatalf("no server %q", kind)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(ts.Stderr(), "", 0)
	if kind == "tls" {
		s.Config.ErrorLog = log.New(discard{}, "", 0) // a refused certificate is what the script is about
		s.StartTLS()
		file := filepath.Join(ts.MkAbs("."), name+".pem")
		ts.Check(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o644))
		ts.Setenv(name+"_CA", file)
	} else {
		s.Start()
	}
	ts.Defer(s.Close)
	ts.Setenv(name, s.URL)
	ts.Setenv(name+"_PORT", s.URL[strings.LastIndexByte(s.URL, ':')+1:])
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
