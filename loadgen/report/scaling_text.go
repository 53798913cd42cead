package report

import (
	"strings"
	"unicode/utf8"
)

// story writes how capacity followed load.
func (p *page) story(s *story) {
	p.item(item{"scaling", []string{s.title}, false})
	for _, n := range s.notes {
		p.block(p.paint.strong, n)
	}
	p.chart(s.chart)
	p.moves(s.moves)
	p.tasks(s.tasks)
	for _, it := range s.items {
		p.item(it)
	}
	p.outcomes("expectations", s.expectations, 2)
	if len(s.expectations) > 0 && !s.claims {
		p.hang(strings.Repeat(" ", labels), labels, "They were judged on a load that an unfit generator sent.")
	}
	p.line("")
}

func (p *page) chart(ch *chart) {
	if ch == nil {
		return
	}
	for i, l := range ch.lines() {
		if ch.rows[i].axis {
			l = p.paint.dim(l)
		}
		p.line(l)
	}
	p.block(p.paint.dim, ch.legend)
}

// fulfilled is how AWS's message of every activity that came about ends; a page is too small for it.
const fulfilled = " Change successfully fulfilled by ecs."

func (p *page) moves(moves []move) {
	when := 0
	for _, m := range moves {
		when = max(when, utf8.RuneCountInString(m.when))
	}
	label, indent, same := "activities", labels+when+2, 1
	for i, m := range moves {
		text := strings.TrimSuffix(m.what, fulfilled)
		switch {
		case m.cause == "":
		case i+1 < len(moves) && moves[i+1].cause == m.cause:
			same++ // said once, after the last of them
		case same > 1:
			text += " Cause of these " + small(same) + ": " + shortAlarm(m.cause)
			same = 1
		default:
			text += " Cause: " + shortAlarm(m.cause)
		}
		p.hang(pad(label, labels, false)+pad(m.when, when+2, false), indent, text)
		label = ""
	}
	if len(moves) == 0 {
		p.item(item{"activities", []string{"none"}, false})
	}
}

func (p *page) tasks(t *taskTable) {
	if t == nil {
		return
	}
	for i, l := range t.lines(p.width) {
		if i == 0 {
			l = p.paint.dim(strings.TrimRight(l, " "))
		}
		p.line(l)
	}
}
