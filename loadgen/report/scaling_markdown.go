package report

import "strings"

// story writes how capacity followed load: the chart as code, all else as tables and lists.
func (d *document) story(s *story) {
	d.line("#### Scaling: %s\n", escaped(s.title))
	for _, n := range s.notes {
		d.line("**%s**\n", escaped(n))
	}
	if s.chart != nil {
		d.line("```text")
		for _, l := range s.chart.lines() {
			d.line("%s", strings.ReplaceAll(l, "`", "'"))
		}
		d.line("```\n")
		d.paragraph(s.chart.legend)
	}
	d.moves(s.moves)
	d.tasks(s.tasks)
	for _, it := range s.items {
		for _, l := range it.lines {
			d.line("- **%s**: %s", it.name, escaped(l))
		}
	}
	d.line("")
	d.outcomes("expectation", s.expectations)
	if len(s.expectations) > 0 && !s.claims {
		d.paragraph("They were judged on a load that an unfit generator sent.")
	}
}

func (d *document) moves(moves []move) {
	if len(moves) == 0 {
		d.line("No scaling activity.\n")
		return
	}
	d.cells("when", "activity", "cause")
	d.line("|---|---|---|")
	for _, m := range moves {
		d.cells(m.when, escaped(m.what), escaped(m.cause))
	}
	d.line("")
}

func (d *document) tasks(t *taskTable) {
	if t == nil {
		return
	}
	d.cells(t.heads...)
	d.line("|%s", strings.Repeat("---|", len(t.heads)))
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = escaped(c)
		}
		cells[0] = inCell(code(row[0]))
		d.cells(cells...)
	}
	d.line("")
	d.paragraph("Running, healthy and served: service time since a task was placed; stopped: since it began to drain.")
}
