package lab

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// guard is a process beside the lab that ends its programs when the lab is gone, however it went: it reads of each program
// on a pipe, and the end of the pipe is the end of the lab. A signal to the direct child alone, as Linux can send at a
// parent's death, would leave what a program has started. A nil guard guards nothing.
type guard struct {
	token string

	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
}

// tokenName is the variable by which programs of a lab, and what they start, are known.
const tokenName = "LOADGEN_LAB"

// startGuard starts the helper that make makes; nil without one.
func startGuard(make func() *exec.Cmd) (*guard, error) {
	if make == nil || !canGuard {
		return nil, nil
	}
	g := &guard{token: fmt.Sprintf("%d-%s", os.Getpid(), randomHex(8)), cmd: make()}
	g.cmd.Env = []string{}
	ownSession(g.cmd)
	in, err := g.cmd.StdinPipe()
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("the process that guards the replicas cannot be started: %w", err)
	}
	g.in = in
	g.say("token " + g.token)
	return g, nil
}

func (g *guard) say(line string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = io.WriteString(g.in, line+"\n") // a guard that was killed is missed by nobody until the lab is, too
}

func (g *guard) began(group int) { g.say("+" + strconv.Itoa(group)) }
func (g *guard) ended(group int) { g.say("-" + strconv.Itoa(group)) }

// environ is what a program has in its environment to be known by.
func (g *guard) environ() []string {
	if g == nil {
		return nil
	}
	return []string{tokenName + "=" + g.token}
}

// close lets the guard end what is left, and waits for it.
func (g *guard) close() {
	if g == nil {
		return
	}
	_ = g.in.Close()
	_ = g.cmd.Wait()
}

// Guard is the helper process of Config.Guard. It reads from the lab which process groups there are, and ends those that
// are left when the lab has gone: when reading ends. On Linux it also ends what has left its group.
func Guard(from io.Reader) {
	ignoreSignals()
	groups := map[int]bool{}
	token := ""
	for lines := bufio.NewScanner(from); lines.Scan(); {
		line := lines.Text()
		if of, ok := strings.CutPrefix(line, "token "); ok {
			token = of
			continue
		}
		if line == "" {
			continue
		}
		group, err := strconv.Atoi(line[1:])
		if err != nil || group <= 1 {
			continue
		}
		if line[0] == '+' {
			groups[group] = true
		} else {
			delete(groups, group)
		}
	}
	for group := range groups {
		killGroupID(group)
	}
	if token == "" {
		return
	}
	for range 10 { // what is ended may just have started something
		marked := withEnvironment(tokenName + "=" + token)
		if len(marked) == 0 {
			return
		}
		for _, pid := range marked {
			killID(pid)
		}
	}
}
