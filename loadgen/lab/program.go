package lab

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Programs starts programs of the user's one by one, as a lab starts its replicas, for whoever has no use for the
// rest of a lab, from any goroutine: each gets a port of its own in $PORT, what it prints is kept, and none outlives this process.
type Programs struct {
	env   []string
	grace time.Duration
	guard *guard

	mu      sync.Mutex
	started []*programs
}

// Program is one that listens.
type Program struct{ process *process }

// CheckCommand is why a command line cannot be split into words; a *input.Error without a Field.
func CheckCommand(command string) error {
	_, err := splitWords(command)
	return err
}

// NewPrograms starts the guard, which is Config.Guard and may be nil. env is what the programs find in their
// environment beside PORT; grace how long each may take to listen, DefaultStartupGrace when it is 0.
func NewPrograms(env []string, grace time.Duration, makeGuard func() *exec.Cmd) (*Programs, error) {
	if grace == 0 {
		grace = DefaultStartupGrace
	}
	g, err := startGuard(makeGuard)
	if err != nil {
		return nil, err
	}
	return &Programs{env: env, grace: grace, guard: g}, nil
}

// Start returns when a program accepts connections. Its error is a *ReplicaError, or the cause of ctx, and nothing of
// the program is left then.
func (p *Programs) Start(ctx context.Context, command string) (*Program, error) {
	words, err := splitWords(command)
	if err != nil {
		return nil, err
	}
	launcher := &programs{command: command, words: words, env: p.env, cpus: 1, grace: p.grace, guard: p.guard}
	p.mu.Lock()
	p.started = append(p.started, launcher)
	p.mu.Unlock()
	started, err := launcher.launch(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	return &Program{started.(*process)}, nil
}

// Close ends what is left, and waits for the guard.
func (p *Programs) Close() {
	for _, launcher := range p.started {
		for _, each := range launcher.all {
			select {
			case <-each.ended:
			default:
				each.kill()
			}
		}
	}
	p.guard.close()
}

// Addr is HOST:PORT of where the program listens.
func (p *Program) Addr() string { return p.process.addr() }

// Done is closed when the program has ended, whoever ended it.
func (p *Program) Done() <-chan struct{} { return p.process.done() }

// Err says, after Done, how the program ended when nobody had asked it to: a *ReplicaError with its last lines.
func (p *Program) Err() error { return p.process.err() }

// Output is what was kept of all that the program wrote: the middle of what is longer than 256 KiB is left out.
func (p *Program) Output() []byte { return p.process.record.all() }

// Stop asks the program to end, and ends it by force after grace or when hurry is closed.
func (p *Program) Stop(grace time.Duration, hurry <-chan struct{}) (orderly bool) {
	return p.process.stop(grace, hurry)
}

// Named is the error of a program, whose command was given by a flag or field of that name.
func (e *ReplicaError) Named(name string) string {
	return name + ": " + strings.TrimPrefix(e.Error(), "replica ")
}
