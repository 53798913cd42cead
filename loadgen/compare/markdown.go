package compare

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
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

func escape(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "\n", " ", "`", "'").Replace(s)
}

func (c *Comparison) markdown() string {
	var b strings.Builder
	sign := map[Verdict]string{Worse: "❌", Better: "✅", NoMatter: "✅", CannotTell: "❔"}[c.Verdict]
	fmt.Fprintf(&b, "### %s Performance: %s\n\n", sign, c.Verdict)
	b.WriteString("| | base | new | change | verdict |\n|---|---:|---:|---:|---|\n")
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Gated {
			fmt.Fprintf(&b, "| **%s** | %s | %s | %s %s | %s |\n", escape(x.name()), x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.Verdict)
		}
	}
	if chart := c.chart(); chart != "" {
		b.WriteString("\n```text\n" + chart + "```\n\n● is the estimated change, ├─┤ where the truth lies with 95 % confidence, · the least change that matters. Latency to the right is slower; rps to the left is less.\n")
	}
	for _, g := range c.Gates {
		if g.Outcome != Passed {
			fmt.Fprintf(&b, "\n- **%s** `%s`: %s", gateWord(g.Outcome), strings.ReplaceAll(g.Expression, "`", "'"), escape(g.Seen))
		}
	}
	b.WriteString("\n\n<details><summary>All figures, and how they were compared</summary>\n\n| endpoint | figure | base | new | change | 95 % interval | verdict |\n|---|---|---:|---:|---:|---:|---|\n")
	for i := range c.Cells {
		if x := &c.Cells[i]; x.isShown() {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", escape(x.where()), x.Metric, x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.word())
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", c.Method)
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "\n- %s", escape(w))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}
