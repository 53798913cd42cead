package compare

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"scalableappbackend/loadgen/gate"
)

// chart draws the intervals of the gated ratios on one axis: ● is the estimate, ─ the interval, ┊ nothing changed.
func (c *Comparison) chart() string {
	const half = 24
	reach := 2 * c.MinEffect
	var cells []*Cell
	for i := range c.Cells {
		x := &c.Cells[i]
		if !x.Gated || x.Unit == "ratio" || !x.Low.Known() || math.IsInf(float64(x.Low), 0) || math.IsInf(float64(x.High), 0) {
			continue
		}
		cells = append(cells, x)
		reach = max(reach, math.Abs(float64(x.Low)), math.Abs(float64(x.High)))
	}
	if len(cells) == 0 {
		return ""
	}
	at := func(v float64) int { return min(max(half+int(math.Round(v/reach*half)), 0), 2*half) }
	label := 0
	for _, x := range cells {
		label = max(label, utf8.RuneCountInString(x.name()))
	}
	var b strings.Builder
	left, right := signed(-reach, 0, "%"), signed(reach, 0, "%")
	b.WriteString(pad("", label+2, false) + pad(left, half, false) + "0" + pad(right, half, true) + "\n")
	for _, x := range cells {
		line := []rune(strings.Repeat(" ", 2*half+1))
		line[at(-c.MinEffect)], line[at(c.MinEffect)], line[half] = '·', '·', '┊'
		for i := at(float64(x.Low)); i <= at(float64(x.High)); i++ {
			line[i] = '─'
		}
		line[at(float64(x.Low))], line[at(float64(x.High))], line[at(float64(x.Change))] = '├', '┤', '●'
		b.WriteString(pad(x.name(), label, false) + "  " + strings.TrimRight(string(line), " ") + "\n")
	}
	return b.String()
}

func (x *Cell) name() string {
	if x.Endpoint+x.Phase == "" {
		return x.Metric
	}
	return x.where() + " " + x.Metric
}

// markdown is for a pull request, and for people who never saw this program: the answer in a sentence, what it rests on
// in a table and a picture, and everything else folded away.
func (c *Comparison) markdown() string {
	var b strings.Builder
	b.WriteString("### " + c.title() + "\n\n" + c.sentence() + "\n\n")
	b.WriteString("| | base | new | change | 95 % confidence interval | verdict |\n|---|---:|---:|---:|:---:|---|\n")
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Gated {
			fmt.Fprintf(&b, "| **%s** | %s | %s | **%s** | %s | %s %s |\n", x.plainName(), together(x.figure(x.Base)), together(x.figure(x.New)), together(x.change(x.Change)), together(x.interval()), c.sign(x.Verdict), x.Verdict)
		}
	}
	if chart := c.chart(); chart != "" {
		fmt.Fprintf(&b, "\n```text\n%s```\n\n● is the measured change, ├─┤ the range it lies in with 95 %% confidence. A change between the two dots (±%s) is too small to matter. Higher latency is worse; more requests per second are better.\n", chart, strings.TrimPrefix(signed(c.MinEffect, 0, "%"), "+"))
	}
	for _, g := range c.Gates {
		if x := c.cellOf(g); g.Outcome == Unknown && x != nil {
			_, why, _ := strings.Cut(g.Seen, "; ")
			fmt.Fprintf(&b, "\n- ❔ %s, limit %s: %s.", x.plainName(), code(g.Expression), escape(why))
		}
	}
	if also := c.alsoWorse(); also != "" {
		b.WriteString("\n- Also worse, but not part of the check: " + also + ".")
	}
	b.WriteString("\n\n<details><summary>All figures, and how they were compared</summary>\n\n| endpoint | figure | base | new | change | 95 % interval | verdict |\n|---|---|---:|---:|---:|---:|---|\n")
	rows, left := 0, 0
	for i := range c.Cells {
		x := &c.Cells[i]
		switch {
		case !x.isShown():
		case rows == mostRows:
			left++
		default:
			rows++
			where := x.where()
			if x.Endpoint+x.Phase != "" {
				where = code(where)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", where, x.Metric, x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.word())
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more rows: `loadgen compare` with `-f text` or `-f json` has them.\n", left)
	}
	fmt.Fprintf(&b, "\n%s. p99 latency: 99 of 100 requests were answered within this time. The figures of the check are corrected together for chance (Holm): two measurements of one and the same version are called worse at most 5 times in 100.\n", c.Method)
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "\n- %s", escape(w))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// mostRows is how many rows a comment has: GitHub refuses one of more than 65,536 characters.
const mostRows = 120

// sign is the verdict for the eye; what is worse and passes is a warning.
func (c *Comparison) sign(v Verdict) string {
	if v == Worse && !c.Failed(false) {
		return "⚠️"
	}
	return map[Verdict]string{Worse: "❌", Better: "✅", NoMatter: "✅", CannotTell: "❔"}[v]
}

func (c *Comparison) title() string {
	title := c.sign(c.Verdict) + " Performance: " + string(c.Verdict)
	if c.Verdict == Worse && !c.Failed(false) {
		title += ", within what the check allows"
	}
	return title
}

// together keeps a number and its unit on one line, and a minus with its number; a comma still breaks.
func together(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, " ", "\u00a0"), ",\u00a0", ", ")
}

// sentence is the answer for somebody who reads nothing else.
func (c *Comparison) sentence() string {
	var failed []string
	for _, g := range c.Gates {
		if x := c.cellOf(g); g.Outcome == Failed && x != nil {
			verb := "rose"
			if x.metric.Kind == gate.RPS {
				verb = "fell"
			}
			failed = append(failed, fmt.Sprintf("%s %s by **%s**, where the limit is %s", x.plainName(), verb, strings.TrimLeft(x.change(x.Change), "+−"), code(g.Expression)))
		}
	}
	const under = "Both versions, base and new, were put under the same load. "
	switch {
	case len(failed) > 0:
		return under + "**New is worse, and the check fails**: " + strings.Join(failed, "; ") + "."
	case c.Verdict == Worse:
		return under + "New is worse, but by less than the check forbids, so it passes."
	case c.Verdict == Better:
		return under + "New is better."
	case c.Verdict == NoMatter:
		return under + "Any difference is too small to matter."
	}
	return under + "Nothing in the check is certainly worse, but these runs are too noisy to rule it out."
}

// cellOf finds what a gate was judged by.
func (c *Comparison) cellOf(g Gate) *Cell {
	f, err := gate.ParseChange(g.Expression)
	if err != nil {
		return nil
	}
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Endpoint == f.Endpoint && x.Phase == f.Phase && x.Metric == f.Subject() {
			return x
		}
	}
	return nil
}

// alsoWorse are figures of all endpoints that are worse, though nobody asked.
func (c *Comparison) alsoWorse() string {
	var all []string
	for i := range c.Cells {
		if x := &c.Cells[i]; !x.Gated && x.Endpoint+x.Phase == "" && x.Verdict == Worse {
			all = append(all, x.plainName()+" "+x.change(x.Change))
		}
	}
	return strings.Join(all, ", ")
}

// plainName is what a figure is called by people who do not measure for a living.
func (x *Cell) plainName() string {
	name := x.Metric + " latency"
	switch x.metric.Kind {
	case gate.RPS:
		name = "requests per second"
	case gate.ErrorRate:
		name = "failed requests"
	}
	switch {
	case x.Endpoint != "" && x.Phase != "":
		return code(x.Endpoint) + " in " + code(x.Phase) + ", " + name
	case x.Endpoint+x.Phase != "":
		return code(x.Endpoint+x.Phase) + ", " + name
	}
	return name
}

func escape(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "\n", " ", "`", "'").Replace(s)
}

// code is text that Markdown takes as it stands, in a table too.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(s) + "`"
}
