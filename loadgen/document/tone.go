package document

// Tone is what a piece of text means to the reader. Every view of loadgen has the same colour for a tone.
type Tone int

// The tones.
const (
	Plain  Tone = iota
	Strong      // what is read first
	Dim         // what is there to be looked up
	Good
	Warn
	Bad
	StrongGood
	StrongWarn
	StrongBad
)

// codes are the parameters of the escape sequences that select a tone in a terminal.
func (t Tone) code() string {
	return [...]string{Plain: "", Strong: "1", Dim: "2", Good: "32", Warn: "33", Bad: "31", StrongGood: "1;32", StrongWarn: "1;33", StrongBad: "1;31"}[t]
}

// Painter colours text for a terminal, or leaves it as it is. It is applied to text that is laid out
// already, because its escapes take no columns.
type Painter bool

// Paint is text in a tone.
func (p Painter) Paint(t Tone, text string) string {
	if !bool(p) || t == Plain || text == "" {
		return text
	}
	return "\x1b[" + t.code() + "m" + text + "\x1b[0m"
}

// tone is the mark's colour.
func (m Mark) tone() Tone {
	switch m {
	case Passed:
		return Good
	case Failed:
		return Bad
	}
	return Plain
}
