package document

import (
	"slices"
	"strings"

	"scalableappbackend/internal/units"
)

const (
	minName   = 18 // as little of a row's name as may be shown before the table is laid out otherwise
	minWrap   = 20 // of a column that may be broken into lines
	minGroup  = 5  // of a number in a group, so that columns of one table do not crowd
	separator = " | "
)

// sheet is a table that is being laid out.
type sheet struct {
	*page
	columns []Column
	rows    []Row
	widths  []int
	indent  int
	wrapped int // the column that may be broken into lines; −1 when there is none
}

// table lays a table out as wide as it is allowed to be. What does not fit loses its spare columns; then names are
// shortened; then groups of the same columns are folded below each other; then each row becomes lines of its own.
func (p *page) table(t *Table) {
	s := &sheet{page: p, columns: slices.Clone(t.Columns)}
	for _, r := range t.Rows {
		cells := make([]Cell, len(r.Cells))
		for i, c := range r.Cells {
			c.Text = Clean(c.Text)
			cells[i] = c
		}
		r.Cells = cells
		s.rows = append(s.rows, r)
	}
	if t.Label != "" {
		s.indent = labels
	}
	var out []string
	for s.measure(); s.room() < s.leastName() && s.dropSpare(); s.measure() {
	}
	folds := s.folds()
	switch {
	case s.room() >= s.leastName():
		out = s.grid()
	case folds != nil && folds.room() >= min(folds.widths[0], 8):
		out = folds.grid()
	default:
		out = s.stacked()
	}
	name := t.Label
	for _, l := range out {
		if s.indent > 0 {
			l = label(name) + l
			name = ""
		}
		p.line(l)
	}
}

// measure finds the widths that hold all rows.
func (s *sheet) measure() {
	s.widths, s.wrapped = make([]int, len(s.columns)), -1
	for i, c := range s.columns {
		s.widths[i] = length(c.Head)
		if c.Group != "" {
			s.widths[i] = max(s.widths[i], minGroup)
		}
		for _, r := range s.rows {
			if len(r.Cells) > 0 {
				s.widths[i] = max(s.widths[i], length(r.Cells[i].Text))
			}
		}
		if c.Wrap {
			s.wrapped = i
		}
	}
	if s.wrapped > 0 {
		rest := s.page.width - s.indent
		for i := range s.columns {
			rest -= s.between(i)
			if i != s.wrapped {
				rest -= s.widths[i]
			}
		}
		s.widths[s.wrapped] = min(s.widths[s.wrapped], max(rest, minWrap))
	}
	for i := range s.columns { // the heads of a group need room, too
		if i == 0 || s.columns[i].Group == "" || s.columns[i].Group == s.columns[i-1].Group {
			continue
		}
		end, sum := i, -1
		for ; end < len(s.columns) && s.columns[end].Group == s.columns[i].Group; end++ {
			sum += s.widths[end] + 1
		}
		s.widths[i] += max(0, length(s.columns[i].Group)-sum)
	}
}

// between is how much stands before a column.
func (s *sheet) between(i int) int {
	switch {
	case i == 0:
		return 0
	case s.columns[i].Group == "" && s.columns[i-1].Group == "":
		return 2
	case s.columns[i].Group == s.columns[i-1].Group:
		return 1
	}
	return len(separator)
}

// room is what is left for the names.
func (s *sheet) room() int {
	rest := s.page.width - s.indent
	for i := range s.columns {
		rest -= s.between(i)
		if i > 0 {
			rest -= s.widths[i]
		}
	}
	return rest
}

func (s *sheet) leastName() int { return min(s.widths[0], minName) }

// dropSpare leaves out the column that can be spared first.
func (s *sheet) dropSpare() bool {
	spare := 0
	for i, c := range s.columns {
		if c.Spare > s.columns[spare].Spare {
			spare = i
		}
	}
	if s.columns[spare].Spare == 0 {
		return false
	}
	s.columns = slices.Delete(s.columns, spare, spare+1)
	for i := range s.rows {
		if r := &s.rows[i]; len(r.Cells) > 0 {
			r.Cells = slices.Delete(r.Cells, spare, spare+1)
		}
	}
	return true
}

// grid is a line a row, under the heads.
func (s *sheet) grid() []string {
	s.widths[0] = max(min(s.widths[0], s.room()), 1)
	lines := s.heads()
	for _, r := range s.rows {
		switch {
		case r.Sub != "":
			lines = append(lines, s.Paint(Dim, Clean(r.Sub)))
		case r.Note != "":
			for _, l := range units.Wrap(Clean(r.Note), s.page.width-s.indent) {
				lines = append(lines, s.Paint(Dim, l))
			}
		default:
			lines = append(lines, s.row(r.Cells)...)
		}
	}
	return lines
}

func (s *sheet) heads() []string {
	var groups, heads strings.Builder
	hasGroups := false
	for i, c := range s.columns {
		sep := strings.Repeat(" ", s.between(i))
		if len(sep) == len(separator) {
			sep = separator
		}
		heads.WriteString(sep + pad(c.Head, s.widths[i], c.Right))
		if c.Group == "" || c.Group != s.columns[max(i-1, 0)].Group {
			if blank := length(heads.String()) - s.widths[i] - length(sep) - length(groups.String()); blank > 0 {
				groups.WriteString(strings.Repeat(" ", blank))
			}
			if c.Group != "" {
				groups.WriteString(sep + c.Group)
				hasGroups = hasGroups || strings.TrimSpace(c.Group) != ""
			}
		}
	}
	var lines []string
	if hasGroups {
		lines = append(lines, s.Paint(Dim, strings.TrimRight(groups.String(), " ")))
	}
	if text := strings.TrimRight(heads.String(), " "); text != "" {
		lines = append(lines, s.Paint(Dim, text))
	}
	return lines
}

// row is one line, or as many as the column needs that may be broken.
func (s *sheet) row(cells []Cell) []string {
	broken := []string{""}
	if s.wrapped > 0 {
		broken = units.Wrap(cells[s.wrapped].Text, s.widths[s.wrapped])
	}
	var lines []string
	for n, part := range broken {
		var b strings.Builder
		for i, c := range cells {
			sep := strings.Repeat(" ", s.between(i))
			if len(sep) == len(separator) {
				sep = separator
			}
			text := c.Text
			switch {
			case i == s.wrapped:
				text = part
			case n > 0:
				text, sep = "", strings.Repeat(" ", len(sep))
			case i == 0:
				text = Clip(text, s.widths[0])
			}
			fill := strings.Repeat(" ", max(0, s.widths[i]-length(text)))
			if text = s.Paint(c.Tone, text); s.columns[i].Right {
				text, fill = fill+text, ""
			}
			b.WriteString(sep + text + fill)
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// folds is the table with its second group below the first, which then has a column with the groups' names; nil
// where there are no two groups of the same heads at the end of it.
func (s *sheet) folds() *sheet {
	first := slices.IndexFunc(s.columns, func(c Column) bool { return c.Group != "" })
	n := len(s.columns)
	if first < 1 || (n-first)%2 != 0 {
		return nil
	}
	half := (n - first) / 2
	for i := range half {
		if s.columns[first+i].Head != s.columns[first+half+i].Head {
			return nil
		}
	}
	a, b := s.columns[first].Group, s.columns[first+half].Group
	name, unit := foldedName(a, b)
	f := &sheet{page: s.page, indent: s.indent, columns: slices.Clone(s.columns[:first])}
	f.columns = append(f.columns, Column{Head: unit, Group: name})
	for _, c := range s.columns[first : first+half] {
		c.Group = name
		f.columns = append(f.columns, c)
	}
	for _, r := range s.rows {
		if len(r.Cells) == 0 {
			f.rows = append(f.rows, r)
			continue
		}
		short := func(group string) Cell { return Cell{Text: strings.TrimSuffix(group, ", "+unit)} }
		f.rows = append(f.rows, Row{Cells: slices.Concat(r.Cells[:first], []Cell{short(a)}, r.Cells[first:first+half])})
		f.rows = append(f.rows, Row{Cells: slices.Concat(make([]Cell, first), []Cell{short(b)}, r.Cells[first+half:])})
	}
	f.measure()
	return f
}

// foldedName is what two groups have in common behind a comma, which is their unit.
func foldedName(a, b string) (group, unit string) {
	_, x, _ := strings.Cut(a, ", ")
	_, y, _ := strings.Cut(b, ", ")
	if x != y {
		return " ", ""
	}
	return " ", x
}

// stacked has no columns: each row is its name, and below it what the other columns say.
func (s *sheet) stacked() []string {
	var lines []string
	width := s.page.width - s.indent
	for _, r := range s.rows {
		switch {
		case r.Sub != "":
			lines = append(lines, s.Paint(Dim, Clean(r.Sub)))
			continue
		case r.Note != "":
			for _, l := range units.Wrap(Clean(r.Note), width) {
				lines = append(lines, s.Paint(Dim, l))
			}
			continue
		}
		lines = append(lines, s.Paint(r.Cells[0].Tone, Clip(r.Cells[0].Text, width)))
		var parts []string
		group := ""
		flush := func() {
			prefix := ""
			if group != "" {
				prefix = group + ": "
			}
			for i, l := range units.Wrap(prefix+strings.Join(parts, ", "), width-4) {
				if i == 0 {
					l = "  " + l
				} else {
					l = "    " + l
				}
				lines = append(lines, l)
			}
			parts = nil
		}
		for i, c := range r.Cells[1:] {
			column := s.columns[i+1]
			if column.Group != group && len(parts) > 0 {
				flush()
			}
			group = column.Group
			if c.Text != "" {
				parts = append(parts, strings.TrimSpace(column.Head+" "+c.Text))
			}
		}
		if len(parts) > 0 {
			flush()
		}
	}
	return lines
}
