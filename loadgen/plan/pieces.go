package plan

import (
	"math"
	"slices"
	"sort"
	"time"
)

// piece is a part of a curve: a line, or what an edit has left of one. It is reckoned by the whole line all the same, so
// that cutting a curve changes no time before the cut, not by a rounding.
type piece struct {
	Segment
	from, to time.Duration // within the Segment
	spawns   bool          // users spawn on it, or leave, until their number is what an edit asks for
}

func whole(s Segment) piece { return piece{Segment: s, from: s.From, to: s.To} }

// at is the line's level at an instant.
func (p piece) at(t time.Duration) float64 {
	if t == p.To {
		return p.End
	}
	return p.level((t - p.From).Seconds())
}

// crosses is when the line is at a level, if it is before the part ends.
func (p piece) crosses(level int) (time.Duration, bool) {
	if !p.Segment.crosses(level) {
		return 0, false
	}
	at := p.when(level)
	return max(at, p.from), p.to == p.To || at < p.to
}

// upTo is the line's integral up to an instant.
func (p piece) upTo(t time.Duration) float64 { return p.area((t - p.From).Seconds()) }

// visible is the part as a line of its own.
func (p piece) visible() Segment {
	s := Segment{From: p.from, To: p.to, Start: p.Start, End: p.End}
	if p.from > p.From {
		s.Start = p.at(p.from)
	}
	if p.to < p.To {
		s.End = p.at(p.to)
	}
	return s
}

// then is the curve with more pieces, which follow its end.
func (c Curve) then(pieces ...piece) Curve {
	out := Curve{pieces: slices.Clip(c.pieces), before: slices.Clip(c.before), total: c.total}
	for _, p := range pieces {
		if p.from >= p.to {
			continue
		}
		out.pieces = append(out.pieces, p)
		out.before = append(out.before, out.total)
		out.total += p.upTo(p.to) - p.upTo(p.from)
	}
	return out
}

// constant is a level from one instant to another.
func constant(from, to time.Duration, level float64) piece {
	return whole(Segment{From: from, To: to, Start: level, End: level})
}

// pieces are those of a curve while it is being edited: each begins where the one before it ends, from 0 on. What edits
// leave of them is at their end, so that many edits take no longer than each of them.
type pieces []piece

func (p pieces) end() time.Duration {
	if len(p) == 0 {
		return 0
	}
	return p[len(p)-1].to
}

// at is the index of the piece that holds t.
func (p pieces) at(t time.Duration) int {
	return sort.Search(len(p), func(i int) bool { return p[i].to > t })
}

// until is what comes before t. It takes the place of p, whose memory it has.
func (p pieces) until(t time.Duration) pieces {
	i := sort.Search(len(p), func(i int) bool { return p[i].to >= t })
	if i == len(p) {
		return p
	}
	if p[i].from >= t {
		return p[:i]
	}
	p[i].to = t
	return p[:i+1]
}

// after is a copy of what comes from t on.
func (p pieces) after(t time.Duration) pieces {
	rest := slices.Clone(p[p.at(t):])
	if len(rest) > 0 {
		rest[0].from = max(rest[0].from, t)
	}
	return rest
}

// left is the level that the pieces come to at t; at their begin, the level there.
func (p pieces) left(t time.Duration) float64 {
	switch {
	case len(p) == 0:
		return 0
	case t <= 0:
		return p[0].at(p[0].from)
	}
	t = min(t, p.end())
	return p[p.at(t-1)].at(t)
}

// held are the pieces with nothing in holds, which are in order.
func (p pieces) held(holds []Hold) pieces {
	if len(holds) == 0 {
		return p
	}
	var out pieces
	i, from := 0, time.Duration(0) // what is done
	add := func(to time.Duration) {
		for ; i < len(p) && from < to; i++ {
			x := p[i]
			x.from, x.to = max(x.from, from), min(x.to, to)
			if x.from < x.to {
				out = append(out, x)
			}
			if p[i].to > to {
				break
			}
		}
		from = max(from, to)
	}
	for _, h := range holds {
		add(h.From)
		if to := min(h.To, p.end()); h.From < to {
			out = append(out, constant(h.From, to, 0))
			for from = to; i < len(p) && p[i].to <= from; i++ {
			}
		}
	}
	add(p.end())
	return out
}

// approached are pieces that begin at t with another level, and come to these at a rate: a straight line until they meet.
func (p pieces) approached(t time.Duration, level, perSecond float64) pieces {
	if len(p) == 0 || p[0].at(t) == level {
		return p
	}
	slope := perSecond
	if p[0].at(t) < level {
		slope = -perSecond
	}
	line := func(at time.Duration) float64 { return level + slope*(at-t).Seconds() }
	missing := func(y float64, at time.Duration) float64 { return math.Copysign(1, slope) * (y - line(at)) }
	meet, height := p.end(), line(p.end())
	for _, each := range p {
		before, after := missing(each.at(each.from), each.from), missing(each.at(each.to), each.to)
		if before <= 0 {
			meet, height = each.from, line(each.from) // at a jump
			break
		}
		if after <= 0 {
			x := float64(each.to-each.from) * before / (before - after)
			meet = min(each.from+time.Duration(math.Ceil(x)), each.to)
			height = each.at(meet)
			break
		}
	}
	if meet == t {
		return p
	}
	s := whole(Segment{From: t, To: meet, Start: level, End: max(0, height)})
	s.spawns = true
	return append(pieces{s}, p.after(meet)...)
}
