package report

import "scalableappbackend/loadgen/result"

// painter colours text for a terminal, or leaves it as it is. It is applied to text that is laid
// out already, because its escapes take no columns.
type painter bool

func (p painter) with(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) strong(text string) string { return p.with("1", text) }
func (p painter) dim(text string) string    { return p.with("2", text) }
func (p painter) bad(text string) string    { return p.with("31", text) }
func (p painter) good(text string) string   { return p.with("32", text) }

func (p painter) verdict(v result.Validity, text string) string {
	switch v {
	case result.Valid:
		return p.with("1;32", text)
	case result.Suspect:
		return p.with("1;33", text)
	}
	return p.with("1;31", text)
}
