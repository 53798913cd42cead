package loadgen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// maxCommand is the longest line that [Handle.Control] reads, in bytes.
const maxCommand = 4096

// Control takes commands for a run, a line each, until there are no more or the run ends:
//
//	users N [RATE]   N users from now on, who spawn, or leave, at RATE a second; without it at the plan's spawn rate
//	rate N[/D]       N requests a second, or in a time D, from now on (an open plan)
//	spawn-rate N     users started a second from now on
//	run-time D       the load's length, from its start
//	pause            nothing becomes due
//	resume           the load goes on
//	stop             sending ends; what is under way may still finish
//	cut              as stop, and what is under way is cut
//
// Words are separated by white space; empty lines and those that begin with # say nothing. Each command is answered by a
// line: "ok 12.345 users 80", with the time on the run's clock in seconds, or "error: " and why it was refused, which
// changes nothing. The end of the lines is not the end of the run.
func (h *Handle) Control(lines io.Reader, answer func(line string)) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(make([]byte, 0, 256), maxCommand)
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		select {
		case <-h.done:
			answer("error: " + ErrEnded.Error())
			return
		default:
		}
		at, err := h.command(words)
		if err != nil {
			answer("error: " + strings.ReplaceAll(err.Error(), "\n", "; "))
			continue
		}
		answer(fmt.Sprintf("ok %.3f %s", at.Seconds(), strings.Join(words, " ")))
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		answer(fmt.Sprintf("error: a line of more than %d bytes: no more are read", maxCommand))
	}
}

// command does what a line says, and returns from when on it holds.
func (h *Handle) command(words []string) (at time.Duration, err error) {
	edits, err := parseCommand(words[0], words[1:])
	if err != nil {
		return 0, err
	}
	switch words[0] {
	case "stop":
		h.Stop("command stop")
		return h.Elapsed(), nil
	case "cut":
		h.Stop("command cut")
		h.Cut()
		return h.Elapsed(), nil
	}
	if err := h.Edit(edits...); err != nil {
		return 0, err
	}
	made := h.Plan().Edits
	return made[len(made)-1].At, nil
}

// parseCommand is the edits that a command asks for; stop and cut are none.
func parseCommand(name string, values []string) (edits []plan.Edit, err error) {
	var fields []string
	switch name {
	case "users":
		fields = []string{plan.EditUsers, plan.EditSpawnRate}
	case "rate":
		fields = []string{plan.EditRate}
	case "spawn-rate":
		fields = []string{plan.EditSpawnRate}
	case "run-time":
		fields = []string{plan.EditRunTime}
	case "pause":
		return []plan.Edit{{Field: plan.EditPaused, Value: 1}}, unexpected(name, values)
	case "resume":
		return []plan.Edit{{Field: plan.EditPaused}}, unexpected(name, values)
	case "stop", "cut":
		return nil, unexpected(name, values)
	default:
		return nil, &input.Error{Got: name, Want: "users N [RATE], rate N, spawn-rate N, run-time D, pause, resume, stop or cut"}
	}
	if len(values) == 0 {
		return nil, &input.Error{Field: name, Want: "want a value: " + name + " N"}
	}
	if len(values) > len(fields) {
		return nil, unexpected(name, values[len(fields):])
	}
	for i, value := range values {
		e, err := plan.ParseEdit(fields[i], value)
		if err != nil {
			return nil, err
		}
		edits = append([]plan.Edit{e}, edits...) // the spawn rate first, for the users to spawn at it
	}
	return edits, nil
}

func unexpected(name string, values []string) error {
	if len(values) == 0 {
		return nil
	}
	return &input.Error{Field: name, Got: strings.Join(values, " "), Want: "nothing more"}
}
