package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
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
	p := &process{command: l.command, address: net.JoinHostPort("127.0.0.1", port), cpus: l.cpus, cpu: &l.cpu, ended: make(chan struct{})}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env = append(l.env[:len(l.env):len(l.env)], "PORT="+port)
	p.cmd.Stdout, p.cmd.Stderr = &p.tail, &p.tail
	p.cmd.WaitDelay = pipeGrace
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		// The outermost of exec's errors repeats the command.
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		return nil, &ReplicaError{Command: l.command, Reason: "cannot be started: " + err.Error()}
	}
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	return strconv.Itoa(port), ln.Close()
}

// process is a program that is a replica, with all that it starts.
type process struct {
	command string
	address string
	cmd     *exec.Cmd
	cpus    float64
	cpu     *cpuReader
	tail    tail
	ended   chan struct{}
	asked   atomic.Bool // to end
	how     error       // once ended
}

// wait reaps the program, and ends what it has left behind in its group.
func (p *process) wait() {
	defer close(p.ended)
	err := p.cmd.Wait()
	killGroup(p.cmd.Process)
	if p.asked.Load() {
		return
	}
	reason := "exit status 0"
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		reason = e.String()
	} else if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		reason = err.Error()
	}
	p.how = &ReplicaError{Command: p.command, Reason: "ended by itself: " + reason, Output: p.tail.last()}
}

// listens waits until the program accepts connections.
func (p *process) listens(ctx context.Context, grace time.Duration) error {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	poll := time.NewTicker(listenPoll)
	defer poll.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	for {
		c, err := dialer.DialContext(ctx, "tcp", p.address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.ended:
			return p.how
		case <-deadline.C:
			return &ReplicaError{Command: p.command, Output: p.tail.last(),
				Reason: fmt.Sprintf("did not listen on %s within %s: want a program that listens on $PORT", p.address, grace)}
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

func (p *process) stop(grace time.Duration) bool {
	p.asked.Store(true)
	terminate(p.cmd.Process)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		p.kill()
		return false
	}
}

func (p *process) kill() {
	p.asked.Store(true)
	killGroup(p.cmd.Process)
	<-p.ended
}
