package attack

import "bytes"

// finder is a writer that looks for a text in what is written to it, which may be cut anywhere between two writes.
// It keeps no more than it needs for that.
type finder struct {
	want []byte // nothing: it is found at once
	seam []byte // the end of what was written, shorter than want
	has  bool
}

func (f *finder) found() bool { return f.has || len(f.want) == 0 }

func (f *finder) Write(p []byte) (int, error) {
	if f.found() {
		return len(p), nil
	}
	reach := len(f.want) - 1
	f.seam = append(f.seam, p[:min(reach, len(p))]...)
	f.has = bytes.Contains(f.seam, f.want) || bytes.Contains(p, f.want)
	if len(p) > reach {
		f.seam = append(f.seam[:0], p[len(p)-reach:]...)
	} else {
		f.seam = append(f.seam[:0], f.seam[max(0, len(f.seam)-reach):]...)
	}
	return len(p), nil
}
