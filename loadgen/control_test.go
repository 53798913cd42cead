package loadgen

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

func TestAScriptSteersARunByLines(t *testing.T) {
	var answers []string
	res, err := steered(t, brief(), "", func(h *Handle) {
		lines, typed := io.Pipe()
		go h.Control(lines, func(line string) { answers = append(answers, line) })
		for _, row := range []struct {
			at   time.Duration
			line string
		}{
			{2 * time.Second, "users 10 5"},
			{3 * time.Second, ""},
			{3 * time.Second, "# what follows is refused"},
			{3 * time.Second, "users many"},
			{3 * time.Second, "users"},
			{3 * time.Second, "users 5 5 5"},
			{3 * time.Second, "rate 50"},
			{3 * time.Second, "resume"},
			{3 * time.Second, "pause now"},
			{3 * time.Second, "halt"},
			{4 * time.Second, "  pause  "},
			{6 * time.Second, "resume"},
			{7 * time.Second, "spawn-rate 100"},
			{8 * time.Second, "run-time 1m"},
			{9 * time.Second, "stop"},
		} {
			time.Sleep(row.at - h.Elapsed())
			fmt.Fprintln(typed, row.line)
		}
		typed.Close()
		<-h.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ok 2.000 users 10 5",
		`error: users "many": want a whole number of users`,
		"error: users: want a value: users N",
		`error: users "5": want nothing more`,
		"error: rate: does not go with users (the closed model)",
		"error: paused: it is not paused",
		`error: pause "now": want nothing more`,
		`error: "halt": want users N [RATE], rate N, spawn-rate N, run-time D, pause, resume, stop or cut`,
		"ok 4.000 pause", "ok 6.000 resume", "ok 7.000 spawn-rate 100", "ok 8.000 run-time 1m", "ok 9.000 stop",
	}
	if !slices.Equal(answers, want) {
		t.Errorf("answers\n%s\nwant\n%s", strings.Join(answers, "\n"), strings.Join(want, "\n"))
	}
	if !res.Interrupted || res.StoppedBy != "command stop" || len(res.Plan.Edits) != 6 {
		t.Errorf("interrupted %v by %q, edits %v", res.Interrupted, res.StoppedBy, res.Plan.Edits)
	}
}

func TestALineThatIsTooLongEndsTheCommandsAndNotTheRun(t *testing.T) {
	res, err := steered(t, brief(), "", func(h *Handle) {
		var answers []string
		h.Control(strings.NewReader("pause\nresume\n"+strings.Repeat("x", 10_000)+"\nstop\n"), func(line string) { answers = append(answers, line) })
		if n := len(answers); n != 3 || !strings.HasPrefix(answers[2], "error: a line of more than") {
			t.Errorf("answers %q", answers)
		}
	})
	if err != nil || res.Interrupted {
		t.Errorf("interrupted %v, %v", res.Interrupted, err)
	}
}

func FuzzACommandIsEditsOrRefused(f *testing.F) {
	for _, line := range []string{"users 10 5", "rate 3000/1m", "run-time 90s", "pause", "stop", "users", "spawn-rate 1e9", "cut it"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		if len(words) == 0 {
			return
		}
		edits, err := parseCommand(words[0], words[1:])
		if err != nil {
			if text := err.Error(); strings.Contains(text, "\n") || text == "" {
				t.Errorf("%q is refused in the words %q", line, text)
			}
			return
		}
		p := plan.Default()
		_, _ = p.Edited(edits...) // whatever it is, it is refused in words or holds
	})
}
