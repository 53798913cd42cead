package report

import (
	"fmt"
	"slices"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

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

// taskColumns say what of a task's life is shown, and what goes first where a line is too narrow: what others tell as well.
func taskColumns() []document.Column {
	return []document.Column{
		{Head: "tasks"}, {Head: "zone", Spare: 4}, {Head: "placed"}, {Head: "running", Spare: 6}, {Head: "healthy"}, {Head: "served", Spare: 5},
		{Head: "drains"}, {Head: "stopped", Spare: 3}, {Head: "requests", Right: true, Spare: 1}, {Head: "errors", Right: true, Spare: 2}, {Head: "why", Wrap: true},
	}
}

// tasksOf is the lives of tasks, a line each. It is false where there are none, or more than that can show.
func tasksOf(t *timeline.Timeline, f *timeline.Figures) (document.Table, bool) {
	if len(t.Tasks) == 0 || len(t.Tasks) > maxTasks {
		return document.Table{}, false
	}
	clock := clocksOf(t)
	shares := map[string]timeline.TaskShare{}
	for _, s := range f.Tasks {
		shares[s.ID] = s
	}
	var rows [][]string
	initial := stayed(t)
	if len(initial) > 1 {
		row := make([]string, len(taskColumns()))
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
		rows = append(rows, row)
	}
	for i := range t.Tasks {
		k := &t.Tasks[i]
		if len(initial) > 1 && slices.Contains(initial, k) {
			continue
		}
		row := make([]string, len(taskColumns()))
		row[taskID] = k.ID
		row[taskZone] = k.Zone
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
		row[taskReason] = k.Reason
		if k.Reason == "" && k.Replaces != "" {
			row[taskReason] = "replaces " + k.Replaces
		}
		rows = append(rows, row)
	}
	return taskTable(rows), true
}

// taskTable leaves out columns that say nothing.
func taskTable(rows [][]string) document.Table {
	table := document.Table{Rows: make([]document.Row, len(rows))}
	for c, column := range taskColumns() {
		if c > 0 && !slices.ContainsFunc(rows, func(row []string) bool { return row[c] != "" }) {
			continue
		}
		table.Columns = append(table.Columns, column)
		for i, row := range rows {
			cell := document.Cell{Text: row[c], IsCode: c == taskID}
			if c == taskErrors {
				cell.Tone = document.Bad
			}
			table.Rows[i].Cells = append(table.Rows[i].Cells, cell)
		}
	}
	table.Rows = append(table.Rows, document.Row{Note: "running, healthy, served: simulated time since a task was placed; stopped: since it began to drain"})
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
		text += fmt.Sprintf("; healthy %s to %s after they were placed (simulated time)", units.Clock(clock.service(least)), units.Clock(clock.service(most)))
	}
	return []string{text + "; each one's life is in timeline.json"}
}
