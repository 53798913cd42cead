package plan

import (
	"math"
	"slices"
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

// until is the curve before t.
func (c Curve) until(t time.Duration) Curve {
	pieces := slices.Clone(c.pieces)
	for i := range pieces {
		pieces[i].to = min(pieces[i].to, t)
	}
	return Curve{}.then(pieces...)
}

// after is the curve from t on.
func (c Curve) after(t time.Duration) Curve {
	pieces := slices.Clone(c.pieces)
	for i := range pieces {
		pieces[i].from = max(pieces[i].from, t)
	}
	return Curve{}.then(pieces...)
}

// left is the level that the curve comes to at t; at its begin, the level there.
func (c Curve) left(t time.Duration) float64 {
	if t <= 0 || len(c.pieces) == 0 {
		return c.At(0)
	}
	t = min(t, c.End())
	return c.pieces[c.at(t-1)].at(t)
}

// held is the curve with nothing in a hold.
func (c Curve) held(h Hold) Curve {
	out := c.until(h.From)
	out = out.then(constant(h.From, min(h.To, c.End()), 0))
	return out.then(c.after(h.To).pieces...)
}

// approached is a curve that begins at t with another level, and comes to this one at a rate: a straight line until they
// meet.
func (c Curve) approached(t time.Duration, level, perSecond float64) Curve {
	if len(c.pieces) == 0 || c.pieces[0].at(t) == level {
		return c
	}
	slope := perSecond
	if c.pieces[0].at(t) < level {
		slope = -perSecond
	}
	line := func(at time.Duration) float64 { return level + slope*(at-t).Seconds() }
	missing := func(y float64, at time.Duration) float64 { return math.Copysign(1, slope) * (y - line(at)) }
	meet, height := c.End(), line(c.End())
	for _, p := range c.pieces {
		before, after := missing(p.at(p.from), p.from), missing(p.at(p.to), p.to)
		if before <= 0 {
			meet, height = p.from, line(p.from) // at a jump
			break
		}
		if after <= 0 {
			x := float64(p.to-p.from) * before / (before - after)
			meet = min(p.from+time.Duration(math.Ceil(x)), p.to)
			height = p.at(meet)
			break
		}
	}
	s := whole(Segment{From: t, To: meet, Start: level, End: max(0, height)})
	s.spawns = true
	return Curve{}.then(s).then(c.after(meet).pieces...)
}
