package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
)

// maxHealthSeconds bounds the readings of one interval that are read from a file: a day.
const maxHealthSeconds = 24 * 3600

// rounded is a reading as files hold it: ratios to a hundredth of a percent, the rest whole. A
// result is summed up from rounded readings, so that it can be summed up again from its files.
func (h Health) rounded() Health {
	const perRatio = 1e4
	return Health{
		CPU: h.CPU.roundedTo(perRatio), Throttled: h.Throttled.roundedTo(perRatio),
		Steal: h.Steal.roundedTo(perRatio), GC: h.GC.roundedTo(perRatio),
		RSS: h.RSS.roundedTo(1), OpenFiles: h.OpenFiles.roundedTo(1),
	}
}

func (r Reading) roundedTo(steps float64) Reading {
	if math.IsInf(float64(r), 0) {
		return Unknown()
	}
	return Reading(math.Round(float64(r)*steps) / steps)
}

// worse is the same second of two generators: of each reading, the higher one that is known.
func (h Health) worse(other Health) Health {
	return Health{
		CPU: h.CPU.higher(other.CPU), Throttled: h.Throttled.higher(other.Throttled),
		Steal: h.Steal.higher(other.Steal), GC: h.GC.higher(other.GC),
		RSS: h.RSS.higher(other.RSS), OpenFiles: h.OpenFiles.higher(other.OpenFiles),
	}
}

func (r Reading) higher(other Reading) Reading {
	switch {
	case !r.Known():
		return other
	case !other.Known():
		return r
	}
	return max(r, other)
}

// healthColumns is the health of an interval in windows.jsonl: a column a reading, a row a second.
// Columns, and one value for a column that does not change, take a third of the room of rows.
type healthColumns struct {
	Seconds   int    `json:"seconds"`
	CPU       column `json:"cpu"`
	Throttled column `json:"throttled"`
	Steal     column `json:"steal"`
	GC        column `json:"gc"`
	RSS       column `json:"rss_bytes"`
	OpenFiles column `json:"open_files"`
}

func newHealthColumns(seconds []Health) *healthColumns {
	if len(seconds) == 0 {
		return nil
	}
	c := &healthColumns{Seconds: len(seconds)}
	for _, h := range seconds {
		h = h.rounded()
		c.CPU = append(c.CPU, h.CPU)
		c.Throttled = append(c.Throttled, h.Throttled)
		c.Steal = append(c.Steal, h.Steal)
		c.GC = append(c.GC, h.GC)
		c.RSS = append(c.RSS, h.RSS)
		c.OpenFiles = append(c.OpenFiles, h.OpenFiles)
	}
	return c
}

// rows undoes newHealthColumns.
func (c *healthColumns) rows() ([]Health, error) {
	if c == nil {
		return nil, nil
	}
	if c.Seconds < 0 || c.Seconds > maxHealthSeconds {
		return nil, errors.New("health.seconds: want 0 to 86400")
	}
	rows := make([]Health, c.Seconds)
	for _, of := range []struct {
		name  string
		col   column
		field func(*Health) *Reading
	}{
		{"cpu", c.CPU, func(h *Health) *Reading { return &h.CPU }},
		{"throttled", c.Throttled, func(h *Health) *Reading { return &h.Throttled }},
		{"steal", c.Steal, func(h *Health) *Reading { return &h.Steal }},
		{"gc", c.GC, func(h *Health) *Reading { return &h.GC }},
		{"rss_bytes", c.RSS, func(h *Health) *Reading { return &h.RSS }},
		{"open_files", c.OpenFiles, func(h *Health) *Reading { return &h.OpenFiles }},
	} {
		if len(of.col) != 1 && len(of.col) != c.Seconds {
			return nil, errors.New("health." + of.name + ": want one reading for each second")
		}
		for i := range rows {
			r := of.col[min(i, len(of.col)-1)]
			if r < 0 {
				return nil, errors.New("health." + of.name + ": want readings that are not negative")
			}
			*of.field(&rows[i]) = r
		}
	}
	return rows, nil
}

// column is a list of readings, in JSON a single one when all are the same.
type column []Reading

func (c column) MarshalJSON() ([]byte, error) {
	for _, r := range c {
		if r != c[0] && (r.Known() || c[0].Known()) {
			return json.Marshal([]Reading(c))
		}
	}
	return c[0].MarshalJSON()
}

func (c *column) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return json.Unmarshal(data, (*[]Reading)(c))
	}
	var r Reading
	if err := r.UnmarshalJSON(data); err != nil {
		return err
	}
	*c = column{r}
	return nil
}
