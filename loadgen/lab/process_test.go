package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guardMode, in the environment, makes this test binary the guard of a lab; labMode a lab that says its pids and stays.
const (
	guardMode = "LAB_TEST_GUARD"
	labMode   = "LAB_TEST_LAB"
)

// replicaMode, in the environment, makes this test binary a program to be run as a replica.
const replicaMode = "LAB_TEST_REPLICA"

// Modes of the program. All that serve say their port and, at SIGTERM, that they end.
const (
	serves   = "serves"
	burns    = "burns"    // 30 ms of CPU a request, through a child that it has started
	dies     = "dies"     // at once, with status 3 and two lines
	deaf     = "deaf"     // never listens
	sick     = "sick"     // /health answers 404 and why
	moved    = "moved"    // /health is elsewhere
	fixed    = "fixed"    // listens on a port of its own choice
	taken    = "taken"    // listens on one that is taken
	six      = "six"      // listens on IPv6 alone
	lingers  = "lingers"  // takes a second and a half to end
	daemon   = "daemon"   // starts a child in a session of its own
	stubborn = "stubborn" // ignores SIGTERM
	parent   = "parent"   // starts a child that would stay
	mortal   = "mortal"   // ends with status 7 at a request of /die
	warming  = "warming"  // /health answers 503 for half a second
)

func actAsReplica(mode string) {
	switch mode {
	case dies:
		fmt.Println("reading configuration")
		fmt.Fprintln(os.Stderr, "\x1b[31mfatal:\x1b[0m no database")
		os.Exit(3)
	case fixed, taken:
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil && mode == taken {
			_, err = net.Listen("tcp", ln.Addr().String())
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		time.Sleep(time.Minute)
		return
	case deaf:
		fmt.Println("thinking")
		time.Sleep(time.Minute)
		return
	case parent, daemon:
		child := exec.Command(os.Args[0])
		if mode == daemon {
			ownSession(child)
		}
		child.Env = append(os.Environ(), replicaMode+"="+deaf)
		if err := child.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("child=%d\n", child.Process.Pid)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	mux := http.NewServeMux()
	began := time.Now()
	mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case mode == sick:
			http.Error(w, "no such page", http.StatusNotFound)
		case mode == moved:
			http.Redirect(w, r, "/healthz", http.StatusFound)
		case mode == warming && time.Since(began) < 500*time.Millisecond:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		for began := time.Now(); mode == burns && time.Since(began) < 30*time.Millisecond; {
		}
		fmt.Fprintf(w, "port %s argument %s", os.Getenv("PORT"), strings.Join(os.Args[1:], ","))
	})
	server := http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux}
	if mode == six {
		server.Addr = "[::1]:" + os.Getenv("PORT")
	}
	server.IdleTimeout, _ = time.ParseDuration(os.Getenv("LAB_TEST_IDLE"))
	go func() {
		fmt.Printf("listening on %s, pid=%d\n", os.Getenv("PORT"), os.Getpid())
		fmt.Println(server.ListenAndServe())
	}()
	<-term
	fmt.Println("terminated")
	switch mode {
	case stubborn:
		time.Sleep(time.Minute)
	case lingers:
		time.Sleep(1500 * time.Millisecond)
	}
	_ = server.Shutdown(context.Background())
}

// program is a Config whose replicas are this test binary in a mode.
func program(mode string, args ...string) Config {
	c := quick()
	c.ReplicaCommand = "'" + os.Args[0] + "' " + strings.Join(args, " ")
	c.Env = append(os.Environ(), replicaMode+"="+mode)
	c.Scaling.Policies = never()
	return c
}

// pids finds what programs have said of themselves in their output.
func pids(t *testing.T, l *Lab, key string) (found []int) {
	t.Helper()
	for task, lines := range l.Output() {
		for _, line := range lines {
			if _, text, ok := strings.Cut(line, key+"="); ok {
				pid, err := strconv.Atoi(text)
				if err != nil {
					t.Fatalf("%s: %q: %v", task, line, err)
				}
				found = append(found, pid)
			}
		}
	}
	return found
}

// alive says whether a process is there and no zombie that waits for its parent.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil || p.Signal(syscall.Signal(0)) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func skipWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
}

func TestAProgramIsRunAsTheReplicas(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	l := start(t, program(serves, `"--listen=:$PORT"`, "'a b'"))
	l.LoadBegan(time.Now())
	client := newClient(t)
	ports := map[string]bool{}
	for range 4 {
		status, body, _ := fetch(t, client, l.URL()+"/")
		port, argument, _ := strings.Cut(strings.TrimPrefix(body, "port "), " argument ")
		if status != 200 || argument != "--listen=:"+port+",a b" {
			t.Errorf("%d %q, want its port in the environment and in the arguments", status, body)
		}
		ports[port] = true
	}
	if len(ports) != 2 {
		t.Errorf("answers from %d ports, want 2 replicas", len(ports))
	}
	if _, ok := l.TaskCapacity(); ok {
		t.Error("the capacity of a program is said to be known")
	}
	if err := l.SetBounds(1, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "one has drained and ended", func() bool { return l.Timeline().Tasks[1].Stopped >= 0 || l.Timeline().Tasks[0].Stopped >= 0 })
	if tl := checked(t, l); events(tl, EventFailed)+events(tl, EventForced) != 0 {
		t.Errorf("%+v, want an end in order", tl.Events)
	}
	all := pids(t, l, "pid")
	if len(all) != 2 {
		t.Fatalf("output %q, want a pid of each of 2", l.Output())
	}
	l.Close()
	for _, pid := range all {
		if alive(pid) {
			t.Errorf("process %d is alive after Close", pid)
		}
	}
	for task, lines := range l.Output() {
		if !strings.Contains(strings.Join(lines, "|"), "terminated") {
			t.Errorf("%s wrote %q, want it to have been asked to end", task, lines)
		}
	}
	if err := l.Err(); err != nil {
		t.Errorf("ended in order, and yet %v", err)
	}
}

func TestAProgramThatCannotBeAReplicaIsSaidWithItsLastLines(t *testing.T) {
	skipWindows(t)
	for _, tt := range []struct {
		mode, command string
		wants         []string
	}{
		{dies, "", []string{"exit status 3", "reading configuration | ", "fatal:", "no database"}},
		{deaf, "", []string{"did not listen on 127.0.0.1:", " or [::1]:", "within 2s", "$PORT; it listens nowhere", "thinking"}},
		{fixed, "", []string{"within 2s", "$PORT; it listens on 127.0.0.1:"}},
		{taken, "", []string{"exit status 1", "hint: each replica has a port of its own in $PORT", "or write $PORT in the command", "address already in use"}},
		{sick, "", []string{`GET /health did not answer 200 within 2s: it answered 404 Not Found "no such page"`, "listening on"}},
		{moved, "", []string{"it answered 302 Found to /healthz, which a health check does not follow"}},
		{"", "no-such-program-here --x", []string{`"no-such-program-here --x"`, "executable file not found", "it wrote nothing"}},
		{"", "/", []string{`replica "/"`, "cannot be started"}},
	} {
		t.Run(tt.mode+tt.command, func(t *testing.T) {
			t.Parallel()
			c := program(tt.mode)
			if tt.command != "" {
				c.ReplicaCommand = tt.command
			}
			if tt.mode != dies && tt.mode != taken {
				c.StartupGrace = 2 * time.Second // time for a busy machine to start it
			}
			l, err := Start(t.Context(), c)
			if err == nil {
				l.Close()
				t.Fatal("started")
			}
			if _, ok := errors.AsType[*ReplicaError](err); !ok {
				t.Errorf("%T, want a *ReplicaError", err)
			}
			for _, want := range tt.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q is not one printable line", err)
			}
		})
	}
}

func TestAProgramThatIgnoresSIGTERMIsKilledWithWhatItStarted(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	r, err := (&programs{
		command: "x", words: []string{os.Args[0]}, env: append(os.Environ(), replicaMode+"="+stubborn), cpus: 1, grace: 10 * time.Second,
	}).launch(t.Context(), "task-1", 1)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.stop(300*time.Millisecond, nil)
	if d := time.Since(began); d < 300*time.Millisecond || d > 5*time.Second {
		t.Errorf("gone after %s, want its grace of 300ms", d)
	}
	if out := strings.Join(r.output(), "|"); !strings.Contains(out, "terminated") {
		t.Errorf("it wrote %q, want it to have been asked first", out)
	}
	if _, err := net.Dial("tcp", r.addr()); err == nil {
		t.Error("its port is open")
	}

	l := start(t, program(parent))
	children := pids(t, l, "child")
	if len(children) != 2 {
		t.Fatalf("output %q, want a child of each of 2", l.Output())
	}
	l.Close()
	for _, pid := range children {
		eventually(t, "the child of a replica is gone", func() bool { return !alive(pid) })
	}
}

func TestAProgramThatEndsByItselfIsReplacedAndRemembered(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	l := start(t, program(mortal))
	l.LoadBegan(time.Now())
	if status, _, _ := fetch(t, newClient(t), l.URL()+"/die"); status != 502 {
		t.Errorf("the request that it died of: %d, want 502", status)
	}
	eventually(t, "it is replaced", func() bool {
		p := l.scheduler.point()
		return p.Healthy == 2 && len(l.Timeline().Tasks) == 3
	})
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("%v, want its exit status", err)
	}
	tl := checked(t, l)
	if !strings.HasPrefix(tl.Tasks[0].Reason, ReasonDied) && !strings.HasPrefix(tl.Tasks[1].Reason, ReasonDied) {
		t.Errorf("%+v, want one that died", tl.Tasks)
	}
	if n := events(tl, EventReplacing); n != 1 {
		t.Errorf("%d replacements, want 1: %+v", n, tl.Events)
	}
	if len(tl.Activities) != 0 {
		t.Errorf("replacing is no scaling: %+v", tl.Activities)
	}
}

func TestFailingChecksAreNotHeldAgainstAProgramThatIsStarting(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	l := start(t, program(warming))
	if tl := checked(t, l); len(tl.Tasks) != 2 || len(tl.Events) != 0 {
		t.Errorf("%d tasks, %+v, want the two that were started, and nothing to tell", len(tl.Tasks), tl.Events)
	}
}

func TestTheCPUOfAProgramIsThatOfItsGroup(t *testing.T) {
	if !knowsCPU {
		t.Skip("not read on this system")
	}
	t.Parallel()
	c := program(burns)
	c.Scaling.Min = 1
	c.ReplicaCPUs = 0.5
	l := start(t, c)
	l.scheduler.usage()
	client := newClient(t)
	began := time.Now()
	const n = 20
	for range n {
		fetch(t, client, l.URL()+"/")
	}
	time.Sleep(110 * time.Millisecond) // the time for which a reading is good
	share, ok := l.scheduler.usage()
	// The burning is by the clock, so a busy machine gives it less CPU; more than one CPU cannot be used.
	passed := time.Since(began).Seconds()
	if most := 1 / 0.5 * 1.2; !ok || share <= 0.02 || share > most {
		t.Errorf("%.3f of half a CPU in %.2fs, %t, want something above 0 and below %.1f", share, passed, ok, most)
	}
}
