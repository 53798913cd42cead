package document

import "strconv"

// Document is blocks in the order in which they are read.
type Document struct{ Blocks []Block }

// Add adds blocks at the end.
func (d *Document) Add(blocks ...Block) { d.Blocks = append(d.Blocks, blocks...) }

// Block is one of Verdict, Section, Note, Facts, List, Table, Chart and Histogram.
type Block interface{ block() }

func (Verdict) block()   {}
func (Section) block()   {}
func (Note) block()      {}
func (Facts) block()     {}
func (List) block()      {}
func (Table) block()     {}
func (Chart) block()     {}
func (Histogram) block() {}

// Verdict is the answer, and what must be known before any number.
type Verdict struct {
	Word    string // VALID
	Tone    Tone   // of the word
	What    string // what was asked for: 50 users for 3m on http://…
	Sum     string // the result, in one line
	SumTone Tone
	Notes   []string
	Reasons []string // follow the last note
}

// Section begins a part of the document that has a title of its own.
type Section struct{ Name, Title string }

// Note is a paragraph.
type Note struct {
	Tone Tone
	Lead string // its first words, which say what it is about; may be empty
	Text string
}

// Facts are names, each with what is to be said of it.
type Facts []Fact

// Fact is one of them.
type Fact struct {
	Name     string
	Lines    []string
	Verbatim bool // the lines are what a reader copies: they are not broken, however long
}

// List is items below each other. Without items it is None, and nothing when that is empty.
type List struct {
	Name  string
	Items []Item
	None  string
}

// Mark says what became of something that was asked for.
type Mark int

// The marks.
const (
	NoMark Mark = iota
	Passed
	Failed
)

// String is the mark as all printers show it: a sign for the eye, and a word for a search.
func (m Mark) String() string {
	switch m {
	case Passed:
		return "✓ passed"
	case Failed:
		return "✗ FAILED"
	}
	return ""
}

// Item is one of a list: a mark, what it is about, and what is said of it.
type Item struct {
	Mark   Mark
	Lead   string
	IsCode bool // the lead is an expression or a name as one types it
	Text   string
	Cause  string // said once for neighbours with the same
}

// causes are what is said of each item's cause. Of neighbours with the same one only the last says it, for all of them.
func (l *List) causes() []string {
	said, same := make([]string, len(l.Items)), 1
	for i, it := range l.Items {
		switch {
		case it.Cause == "":
		case i+1 < len(l.Items) && l.Items[i+1].Cause == it.Cause:
			same++
		case same > 1:
			said[i] = " Cause of these " + strconv.Itoa(same) + ": " + it.Cause
			same = 1
		default:
			said[i] = " Cause: " + it.Cause
		}
	}
	return said
}

// Table is rows of cells.
type Table struct {
	// Label stands left of the table, which is then set in as far as the lines of Facts are. A table without
	// has the whole width.
	Label   string
	Columns []Column
	Rows    []Row
}

// Column is one of a table. The first one names the rows.
type Column struct {
	Head  string
	Group string // of neighbours: stands above their heads. Two groups of the same heads may be folded below each other
	Right bool   // aligned to the right, as numbers are
	Wrap  bool   // may be broken into lines; at most the last column
	Spare int    // where a line is too narrow, the column with the highest goes first; 0 stays
}

// Row is a line of a table.
type Row struct {
	Cells []Cell
	Sub   string // instead of cells: a heading for the rows below, in the columns of the same table
	Note  string // instead of cells: what is said of rows that are not shown
}

// Cell is one of a row.
type Cell struct {
	Text   string
	Tone   Tone
	IsCode bool
}

// Histogram is how often values lie between bounds.
type Histogram struct {
	Name string // of what: latency, corrected
	Bins []Bin
}

// Bin is the values up to a bound that are above the bound before.
type Bin struct {
	UpTo  string // the bound, with its unit
	Count int64
	Text  string // the count, for people
}
