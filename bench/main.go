package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command's flags.
type options struct {
	rounds      int
	duration    time.Duration
	connections int
	profile     string
	only        string
	install     bool
	installOnly bool
	out         string
	floor       string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how often each tool runs; at full speed loadgen bench and wrk run twice as often")
	flag.DurationVar(&o.duration, "d", 2*time.Second, "length of one run; one of users who think is four times as long")
	flag.IntVar(&o.connections, "c", 50, "connections")
	flag.StringVar(&o.profile, "profile", "pair,full,paced,latency,rate", "what is measured: pair (loadgen bench and wrk as fast as they go), full (all tools so), paced (50 users who think), latency (as each tells it), rate (how late sends at a rate are)")
	flag.StringVar(&o.only, "only", "", "names of the tools to run, with commas; none: all")
	flag.BoolVar(&o.install, "install", true, "install what is missing")
	flag.BoolVar(&o.installOnly, "install-only", false, "install what is missing, and measure nothing")
	flag.StringVar(&o.floor, "floor", "", "be the barest paced client of this URL, with -c users for -d, and measure nothing")
	flag.StringVar(&o.out, "o", "", "write the page here; none: to stdout")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if o.floor != "" {
		err = bareLoop(os.Stdout, o.floor, o.connections, o.duration)
	} else {
		err = measure(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is one run of one tool.
type run struct {
	requests int64
	cpu      time.Duration // of the process and its children
	kernel   time.Duration // of that, in the kernel
	rss      int64         // bytes, peak of the largest process
	wall     time.Duration
	err      error
}

// perRequest is the CPU time of a request.
func (r run) perRequest() time.Duration {
	if r.requests <= 0 {
		return 0
	}
	return r.cpu / time.Duration(r.requests)
}

func measure(ctx context.Context, o options) error {
	folder, err := os.MkdirTemp("", "loadgen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	loadgen := filepath.Join(folder, "loadgen")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", loadgen, "./cmd/loadgen").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	generatorCPU, serverCPU := processors()
	s, err := startServer(ctx, folder, serverCPU)
	if err != nil {
		return err
	}
	defer s.stop()

	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	bin := filepath.Join(cache, "loadgen-bench", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	var page page
	page.machine, page.before = machine(), loadAverage()
	var have []tool
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, t := range tools(loadgen, self) {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), t.name) {
			continue
		}
		path, err := t.find(bin, o.install)
		if err != nil {
			page.missing = append(page.missing, t.name+": "+err.Error())
			continue
		}
		t.binary = path
		have = append(have, t)
		if says := t.says(); says != "" && !slices.Contains(page.versions, says) {
			page.versions = append(page.versions, says)
		}
	}
	if o.installOnly {
		return nil
	}
	for p := range strings.SplitSeq(o.profile, ",") {
		table, part := table{profile: p, rounds: o.rounds}, have
		switch p {
		case "pair":
			table.duration, table.connections, table.rounds = o.duration, o.connections, 2*o.rounds
			part = slices.DeleteFunc(slices.Clone(have), func(t tool) bool { return t.name != "wrk" && t.name != "loadgen bench" })
		case "full":
			table.duration, table.connections = o.duration, o.connections
		case "paced":
			table.duration, table.connections, table.rounds = 4*o.duration, 50, max(1, o.rounds*2/3)
		case "latency":
			if page.latencies, err = latencies(ctx, have, s, o, generatorCPU); err != nil {
				return err
			}
			continue
		case "rate":
			if page.lateness, err = lateness(ctx, loadgen, s, o, generatorCPU); err != nil {
				return err
			}
			continue
		default:
			return fmt.Errorf("-profile %q: want pair, full, paced, latency or rate, with commas", p)
		}
		if err := table.fill(ctx, part, s, folder, generatorCPU); err != nil {
			return err
		}
		page.tables = append(page.tables, table)
	}
	page.after = loadAverage()
	text := page.markdown()
	if o.out == "" {
		_, err := io.WriteString(os.Stdout, text)
		return err
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

// table is one profile's runs.
type table struct {
	profile     string
	duration    time.Duration
	connections int
	rounds      int
	names       []string
	runs        map[string][]run // by tool, one a round
}

// fill runs the rounds.
func (t *table) fill(ctx context.Context, all []tool, s *server, folder, cpu string) error {
	t.runs = map[string][]run{}
	var part []tool
	for _, each := range all {
		if t.arguments(each, s, folder) != nil {
			part = append(part, each)
			t.names = append(t.names, each.name)
		}
	}
	for round := range t.rounds {
		for i := range part {
			each := part[(i+round)%len(part)]
			r := t.once(ctx, each, s, folder, cpu)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Fprintf(os.Stderr, "%s, round %d of %d: %-22s %9d requests, %7.1f µs CPU a request\n",
				t.profile, round+1, t.rounds, each.name, r.requests, float64(r.perRequest().Nanoseconds())/1e3)
			if r.err != nil {
				fmt.Fprintf(os.Stderr, "  %v\n", r.err)
			}
			t.runs[each.name] = append(t.runs[each.name], r)
		}
	}
	return nil
}

func (t *table) arguments(each tool, s *server, folder string) []string {
	if t.full() && each.full != nil {
		return each.full(s.url, t.connections, t.duration)
	}
	if t.profile == "paced" && each.paced != nil {
		return each.paced(s.url, t.connections, t.duration, folder)
	}
	return nil
}

// once runs a tool in a folder of its own, pinned, and asks the server how many requests came.
func (t *table) once(ctx context.Context, each tool, s *server, folder, cpu string) run {
	work, err := os.MkdirTemp(folder, "run-")
	if err != nil {
		return run{err: err}
	}
	defer os.RemoveAll(work)
	for name, content := range each.files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(strings.ReplaceAll(content, "$URL", s.url)), 0o600); err != nil {
			return run{err: err}
		}
	}
	before, err := s.count()
	if err != nil {
		return run{err: err}
	}
	words := pinned(cpu, append([]string{each.binary}, t.arguments(each, s, folder)...)...)
	limit, cancel := context.WithTimeout(ctx, t.duration+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limit, words[0], words[1:]...)
	cmd.Dir = work
	cmd.Env = each.environ()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	begun := time.Now()
	if err := cmd.Run(); err != nil && !slices.Contains(each.accepts, cmd.ProcessState.ExitCode()) {
		return run{err: fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, last(output.String()))}
	}
	used := cmd.ProcessState
	r := run{wall: time.Since(begun), cpu: used.UserTime() + used.SystemTime(), kernel: used.SystemTime(), rss: peak(used)}
	after, err := s.count()
	r.requests, r.err = after-before-1, err
	return r
}

// pinned puts a command on one processor, where that can be done.
func pinned(cpu string, words ...string) []string {
	if at, err := exec.LookPath("taskset"); err == nil && cpu != "" {
		return append([]string{at, "-c", cpu}, words...)
	}
	return words
}

// processors are those of generator and server.
func processors() (generator, server string) {
	if runtime.NumCPU() < 2 {
		return "", ""
	}
	return "0", "1"
}
