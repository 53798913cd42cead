package document

import (
	"fmt"
	"io"
	"strings"
)

// Markdown prints a document as a comment on a pull request: GitHub's dialect, with tables and alerts.
func Markdown(w io.Writer, d *Document) error {
	m := &markdown{}
	for _, b := range d.Blocks {
		m.block(b)
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

type markdown struct{ b strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

func (m *markdown) block(b Block) {
	switch b := b.(type) {
	case Verdict:
		m.verdict(&b)
	case Section:
		m.line("#### %s: %s\n", escaped(capital(b.Name)), escaped(b.Title))
	case Note:
		m.note(b)
	case Facts:
		for _, f := range b {
			m.fact(f)
		}
		m.line("")
	case List:
		m.list(&b)
	case Table:
		m.table(&b)
	case Chart:
		m.chart(&b)
	case Histogram:
		m.histogram(&b)
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// alerts are GitHub's, by the tone of the verdict.
func alert(t Tone) string {
	switch t {
	case Warn, StrongWarn:
		return "WARNING"
	case Bad, StrongBad:
		return "CAUTION"
	}
	return "NOTE"
}

func (m *markdown) verdict(v *Verdict) {
	m.line("### %s: %s\n", escaped(v.Word), escaped(v.What))
	m.line("**%s**\n", escaped(v.Sum))
	if len(v.Notes)+len(v.Reasons) == 0 {
		return
	}
	m.line("> [!%s]", alert(v.Tone))
	for i, n := range v.Notes {
		if i > 0 {
			m.line(">")
		}
		m.line("> %s", escaped(n))
	}
	if len(v.Notes) > 0 && len(v.Reasons) > 0 {
		m.line(">")
	}
	for _, r := range v.Reasons {
		m.line("> - %s", escaped(r))
	}
	m.line("")
}

func (m *markdown) note(n Note) {
	text := escaped(n.Text)
	switch {
	case n.Lead != "":
		text = "**" + escaped(n.Lead) + "**: " + text
	case n.Tone == Strong && n.Text != "":
		text = "**" + text + "**"
	}
	m.line("%s\n", text)
}

func (m *markdown) fact(f Fact) {
	texts := make([]string, len(f.Lines))
	for i, l := range f.Lines {
		texts[i] = escaped(l)
		if f.Verbatim {
			texts[i] = code(Clean(l))
		}
	}
	m.line("- **%s**: %s", escaped(f.Name), strings.Join(texts, "; "))
}

func (m *markdown) list(l *List) {
	if len(l.Items) == 0 {
		if l.None != "" {
			m.fact(Fact{Name: l.Name, Lines: []string{l.None}})
			m.line("")
		}
		return
	}
	m.line("**%s**\n", escaped(l.Name))
	causes := l.causes()
	for i, it := range l.Items {
		var parts []string
		switch it.Mark {
		case NoMark:
		case Failed:
			parts = append(parts, "**"+it.Mark.String()+"**")
		default:
			parts = append(parts, it.Mark.String())
		}
		lead := escaped(it.Lead)
		if it.IsCode {
			lead = code(Clean(it.Lead)) + ":"
		}
		if it.Lead != "" {
			parts = append(parts, lead)
		}
		parts = append(parts, escaped(it.Text+causes[i]))
		m.line("- %s", strings.Join(parts, " "))
	}
	m.line("")
}

func (m *markdown) cells(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

// table begins anew at each heading of rows, because GitHub's tables have no other.
func (m *markdown) table(t *Table) {
	open := false
	head := func(first string) {
		if open {
			m.line("")
		}
		cells, rule := []string{escaped(first)}, "|---|"
		if t.Columns[0].Right {
			rule = "|---:|"
		}
		for _, c := range t.Columns[1:] {
			text := escaped(c.Head)
			if name, unit, _ := strings.Cut(c.Group, ", "); strings.TrimSpace(c.Group) != "" {
				text = strings.TrimSpace(escaped(name) + " " + text)
				if unit != "" {
					text += ", " + escaped(unit)
				}
			}
			cells = append(cells, text)
			if c.Right {
				rule += "---:|"
			} else {
				rule += "---|"
			}
		}
		m.cells(cells...)
		m.line("%s", rule)
		open = true
	}
	first := t.Columns[0].Head
	if first == "" {
		first = t.Label
	}
	for i, r := range t.Rows {
		switch {
		case r.Sub != "":
			head(r.Sub)
			continue
		case r.Note != "":
			if open {
				m.line("")
			}
			m.line("%s\n", escaped(r.Note))
			open = false
			continue
		}
		if !open {
			head(first)
		}
		cells := make([]string, len(r.Cells))
		for k, c := range r.Cells {
			cells[k] = escaped(c.Text)
			if c.IsCode && c.Text != "" {
				cells[k] = inCell(code(Clean(c.Text)))
			}
			if (c.Tone == Bad || c.Tone == Strong) && c.Text != "" {
				cells[k] = "**" + cells[k] + "**"
			}
		}
		m.cells(cells...)
		if i+1 == len(t.Rows) {
			break
		}
	}
	if open {
		m.line("")
	}
}

func (m *markdown) fenced(lines []string) {
	m.line("```text")
	for _, l := range lines {
		m.line("%s", strings.ReplaceAll(l, "`", "'"))
	}
	m.line("```\n")
}

func (m *markdown) chart(ch *Chart) {
	if ch.Length <= 0 {
		return
	}
	var lines []string
	for _, r := range ch.draw(DefaultWidth - labels - aside) {
		lines = append(lines, strings.TrimRight(pad(Clip(Clean(r.name), labels-1), labels, false)+r.cells+" "+clipEnd(Clean(r.aside), aside-1), " "))
	}
	m.fenced(lines)
	if ch.Legend != "" {
		m.line("%s\n", escaped(ch.Legend))
	}
}

func (m *markdown) histogram(h *Histogram) {
	if len(h.Bins) == 0 {
		return
	}
	m.line("<details><summary>%s</summary>\n", escaped(h.Name))
	m.fenced(h.lines(DefaultWidth))
	m.line("</details>\n")
}

// code is a span in which nothing means anything.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// inCell is code in a table, whose cells are told apart before code is: a bar ends even that.
func inCell(code string) string { return strings.ReplaceAll(code, "|", `\|`) }

// escaped takes the meaning from text: no markup, no HTML, no table, and nobody is called by @name.
func escaped(text string) string { return escapes.Replace(Clean(text)) }

var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", `\<`, ">", `\>`, "|", `\|`, "~", `\~`, "#", `\#`, "&", `\&`, "@", "@<!-- -->",
)
