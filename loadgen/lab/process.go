package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// programs starts a program of the user's as replicas.
type programs struct {
	command string
	words   []string
	env     []string // of the program, without PORT
	cpus    float64  // what 100 % is
	grace   time.Duration
	cpu     cpuReader
	guard   *guard // nil without one

	mu  sync.Mutex
	all []*process
}

// cpuReader reads the CPU time of all processes at most once in a tenth of a second, whoever of the replicas asks.
type cpuReader struct {
	mu     sync.Mutex
	at     time.Time
	groups map[int]float64
}

func (r *cpuReader) used(group int) (seconds float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) > 100*time.Millisecond {
		r.groups, r.at = groupsCPU(), time.Now()
	}
	seconds, ok = r.groups[group]
	return seconds, ok
}

func (l *programs) startup() time.Duration { return l.grace }
func (l *programs) slow() bool             { return true }

// listenPoll is how often a program that is starting is asked for a connection.
const listenPoll = 20 * time.Millisecond

// pipeGrace is how long what a program has left behind may hold its output open.
const pipeGrace = time.Second

func (l *programs) launch(ctx context.Context, _ string, _ int) (replica, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	words := fillPort(l.words, port)
	p := &process{
		command: l.command, port: port, namesPort: !slices.Equal(words, l.words), cpus: l.cpus, cpu: &l.cpu, guard: l.guard,
		ended: make(chan struct{}),
	}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env = append(append(l.env[:len(l.env):len(l.env)], "PORT="+port), l.guard.environ()...)
	p.cmd.Stdout = io.MultiWriter(&p.tail, &p.record)
	p.cmd.Stderr = p.cmd.Stdout
	p.cmd.WaitDelay = pipeGrace
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		// The outermost of exec's errors repeats the command.
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		return nil, &ReplicaError{Command: l.command, Reason: "cannot be started: " + err.Error()}
	}
	l.guard.began(p.cmd.Process.Pid)
	l.mu.Lock()
	l.all = append(l.all, p)
	l.mu.Unlock()
	go p.wait()
	if err := p.listens(ctx, l.grace); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// freePort asks the kernel for a port that nobody listens on. Somebody else may get it before the program
// does, which then dies and is started again.
func freePort() (string, error) {
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
		other, err := net.Listen("tcp", net.JoinHostPort("::1", port))
		_ = ln.Close()
		switch {
		case err == nil:
			return port, other.Close()
		case !errors.Is(err, syscall.EADDRINUSE): // there is no IPv6 here
			return port, nil
		}
	}
	return "", errors.New("no port is free on both 127.0.0.1 and ::1")
}

// process is a program that is a replica, with all that it starts.
type process struct {
	command   string
	port      string
	namesPort bool   // the command does
	address   string // once it listens
	cmd       *exec.Cmd
	cpus      float64
	cpu       *cpuReader
	guard     *guard
	tail      tail
	record    record
	ended     chan struct{}
	asked     atomic.Bool  // to end
	how       error        // once ended
	task      atomic.Value // string: of the task that it became
}

// wait reaps the program, and ends what it has left behind in its group.
func (p *process) wait() {
	defer close(p.ended)
	err := p.cmd.Wait()
	killGroup(p.cmd.Process)
	p.guard.ended(p.cmd.Process.Pid)
	if p.asked.Load() {
		return
	}
	reason := "exit status 0"
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		reason = e.String()
	} else if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		reason = err.Error()
	}
	p.how = p.bad("ended by itself: " + reason)
}

// portTaken finds what programs say when somebody else listens where they want to.
var portTaken = regexp.MustCompile(`(?i)address (is )?already in use|EADDRINUSE|only one usage of each socket address|bind: .*in use|port \S+ (is )?(already )?in use`)

// bad is what is wrong with the program, with what it said of it.
func (p *process) bad(reason string) *ReplicaError {
	e := &ReplicaError{Command: p.command, Reason: reason, Output: p.tail.last()}
	if !slices.ContainsFunc(e.Output, portTaken.MatchString) {
		return e
	}
	e.Hint = "each replica has a port of its own in $PORT: let the program listen there"
	if !p.namesPort {
		e.Hint += ", or write $PORT in the command, which does not name it"
	}
	return e
}

// listens waits until the program accepts connections.
func (p *process) listens(ctx context.Context, grace time.Duration) error {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	poll := time.NewTicker(listenPoll)
	defer poll.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	candidates := []string{net.JoinHostPort("127.0.0.1", p.port), net.JoinHostPort("::1", p.port)}
	for {
		for _, address := range candidates {
			c, err := dialer.DialContext(ctx, "tcp", address)
			if err != nil {
				continue
			}
			_ = c.Close()
			// The kernel may join a connection to a port that nobody listens on with itself.
			if c.LocalAddr().String() != c.RemoteAddr().String() {
				p.address = address
				return nil
			}
		}
		select {
		case <-p.ended:
			return p.how
		case <-deadline.C:
			where := "it listens nowhere"
			if at := listening(p.cmd.Process.Pid); len(at) > 0 {
				where = "it listens on " + strings.Join(at, ", ")
			} else if !knowsCPU {
				where = "where it listens is not known on this system"
			}
			return p.bad(fmt.Sprintf("did not listen on %s within %s: want a program that listens on $PORT; %s",
				strings.Join(candidates, " or "), grace, where))
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
}

func (p *process) addr() string          { return p.address }
func (p *process) done() <-chan struct{} { return p.ended }
func (p *process) err() error            { return p.how }
func (p *process) output() []string      { return p.tail.last() }

func (p *process) used() (float64, bool) {
	seconds, ok := p.cpu.used(p.cmd.Process.Pid)
	return seconds / p.cpus, ok
}

func (p *process) stop(grace time.Duration, hurry <-chan struct{}) bool {
	p.asked.Store(true)
	terminate(p.cmd.Process)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
	case <-hurry:
	}
	p.kill()
	return false
}

// records is all that was kept of each program's output, by the name of its task; standby-N is the Nth program that
// was started, when it became none.
func (l *programs) records() map[string][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string][]byte{}
	for i, p := range l.all {
		name, ok := p.task.Load().(string)
		if !ok {
			name = "standby-" + strconv.Itoa(i+1)
		}
		if text := p.record.all(); len(text) > 0 {
			all[name] = text
		}
	}
	return all
}

func (p *process) kill() {
	p.asked.Store(true)
	killGroup(p.cmd.Process)
	<-p.ended
}
