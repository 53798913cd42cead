package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// taskTable is the lives of tasks, a line each.
type taskTable struct {
	heads []string
	rows  [][]string
}

// Columns of the table.
const (
	taskID = iota
	taskZone
	taskPlaced
	taskRunning
	taskHealthy
	taskServed
	taskDrains
	taskStopped
	taskRequests
	taskErrors
	taskReason
)

var taskHeads = [...]string{"tasks", "zone", "placed", "running", "healthy", "served", "drains", "stopped", "requests", "errors", "why"}

// tasksOf is nil where there are no tasks, or more than a line each can show.
func tasksOf(t *timeline.Timeline, f *timeline.Figures) *taskTable {
	if len(t.Tasks) == 0 || len(t.Tasks) > maxTasks {
		return nil
	}
	clock := clocksOf(t)
	shares := map[string]timeline.TaskShare{}
	for _, s := range f.Tasks {
		shares[s.ID] = s
	}
	table := &taskTable{heads: slices.Clone(taskHeads[:])}
	initial := stayed(t)
	if len(initial) > 1 {
		row := make([]string, len(taskHeads))
		row[taskID], row[taskPlaced] = small(len(initial))+" initial", "before"
		var requests int64
		share, known := 0.0, true
		for _, k := range initial {
			requests += k.Requests
			if s := shares[k.ID].Share; s != nil {
				share += *s
			} else {
				known = false
			}
		}
		row[taskRequests] = units.Count(requests)
		if known {
			row[taskRequests] = units.Percent(share)
		}
		table.rows = append(table.rows, row)
	}
	for i := range t.Tasks {
		k := &t.Tasks[i]
		if len(initial) > 1 && slices.Contains(initial, k) {
			continue
		}
		row := make([]string, len(taskHeads))
		row[taskID] = clean(k.ID)
		row[taskZone] = clean(k.Zone)
		if k.Requested <= t.LoadFrom {
			row[taskPlaced] = "before"
		} else {
			row[taskPlaced] = clock.at(k.Requested)
			row[taskRunning] = clock.since(k.Requested, k.Running)
			row[taskHealthy] = clock.since(k.Requested, k.Healthy)
			row[taskServed] = clock.since(k.Requested, k.FirstSent)
		}
		if k.Draining >= 0 {
			row[taskDrains] = clock.at(k.Draining)
		}
		if k.Stopped >= 0 {
			row[taskStopped] = clock.at(k.Stopped)
			if k.Draining >= 0 && k.Draining <= k.Stopped {
				row[taskStopped] = clock.since(k.Draining, k.Stopped)
			}
		}
		row[taskRequests] = units.Count(k.Requests)
		if s := shares[k.ID].Share; s != nil {
			row[taskRequests] = units.Percent(*s)
		}
		if k.Errors > 0 {
			row[taskErrors] = units.Count(k.Errors)
		}
		row[taskReason] = clean(k.Reason)
		if k.Reason == "" && k.Replaces != "" {
			row[taskReason] = "replaces " + clean(k.Replaces)
		}
		table.rows = append(table.rows, row)
	}
	table.dropEmpty()
	return table
}

// stayed are the tasks from before the load of which there is nothing to tell but what they did:
// two or more share a line.
func stayed(t *timeline.Timeline) (tasks []*timeline.Task) {
	for i := range t.Tasks {
		if k := &t.Tasks[i]; k.Requested <= t.LoadFrom && k.Draining < 0 && k.Stopped < 0 && k.Errors == 0 {
			tasks = append(tasks, k)
		}
	}
	return tasks
}

// dropEmpty takes out columns that say nothing.
func (t *taskTable) dropEmpty() {
	for c := len(t.heads) - 1; c > 0; c-- {
		if !slices.ContainsFunc(t.rows, func(row []string) bool { return row[c] != "" }) {
			t.drop(c)
		}
	}
}

func (t *taskTable) drop(column int) {
	t.heads = slices.Delete(t.heads, column, column+1)
	for i := range t.rows {
		t.rows[i] = slices.Delete(t.rows[i], column, column+1)
	}
}

// lines lays the table out in a width. Where it does not fit, columns that others tell as well go.
func (t *taskTable) lines(width int) []string {
	fit := &taskTable{heads: slices.Clone(t.heads)}
	for _, row := range t.rows {
		fit.rows = append(fit.rows, slices.Clone(row))
	}
	for _, spare := range []int{taskRunning, taskServed, taskZone, taskStopped, taskErrors} {
		if fit.width() <= width {
			break
		}
		if c := slices.Index(fit.heads, taskHeads[spare]); c > 0 {
			fit.drop(c)
		}
	}
	widths := fit.widths()
	lines := make([]string, 0, len(fit.rows)+1)
	for _, row := range slices.Concat([][]string{fit.heads}, fit.rows) {
		var text strings.Builder
		text.WriteString(pad(clip(row[0], labels-1), labels, false))
		for c := 1; c < len(row); c++ {
			right := fit.heads[c] == taskHeads[taskRequests] || fit.heads[c] == taskHeads[taskErrors]
			text.WriteString(pad(row[c], widths[c], right) + "  ")
		}
		lines = append(lines, clipEnd(strings.TrimRight(text.String(), " "), width))
	}
	return lines
}

func (t *taskTable) widths() []int {
	widths := make([]int, len(t.heads))
	for _, row := range slices.Concat([][]string{t.heads}, t.rows) {
		for c, text := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(text))
		}
	}
	widths[0] = labels - 2
	return widths
}

func (t *taskTable) width() int {
	sum := -2
	for _, w := range t.widths() {
		sum += w + 2
	}
	return sum
}

// clipEnd cuts what is longer than n characters.
func clipEnd(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// manyTasks is what tasks that are too many for a line each have in common.
func manyTasks(t *timeline.Timeline) []string {
	clock := clocksOf(t)
	if len(t.Tasks) == 0 {
		return nil
	}
	placed, stopped := 0, 0
	var least, most time.Duration = timeline.Never, timeline.Never
	for i := range t.Tasks {
		k := &t.Tasks[i]
		if k.Stopped >= 0 {
			stopped++
		}
		if k.Requested <= t.LoadFrom {
			continue
		}
		placed++
		if k.Healthy >= 0 {
			took := k.Healthy - k.Requested
			if least < 0 || took < least {
				least = took
			}
			most = max(most, took)
		}
	}
	text := fmt.Sprintf("%s, %s placed after the load began, %s stopped", units.Count(int64(len(t.Tasks))), units.Count(int64(placed)), units.Count(int64(stopped)))
	if least >= 0 {
		text += fmt.Sprintf("; healthy %s to %s after they were placed (service time)", units.Clock(clock.service(least)), units.Clock(clock.service(most)))
	}
	return []string{text + "; each one's life is in timeline.json"}
}
