package plan

import (
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
)

// MaxRate is the highest rate of requests a second, and of users started a second, that a plan may
// ask for: beyond what one generator sends, so more is a slip of the keyboard.
const MaxRate = 1_000_000

const (
	wantRate    = "requests per second, or NUMBER/DURATION, e.g. 50, 0.5 or 3000/1m"
	wantMaxRate = "at most 1,000,000 requests per second"
)

// ParseRate reads a number of requests a second ("50", "0.5", "50/s"), or in another time
// ("50/1s", "3000/1m", "3000/m"). Zero is read: a staged plan may start there.
func ParseRate(text string) (Rate, error) {
	s := strings.TrimSpace(text)
	number, per, hasPer := strings.Cut(s, "/")
	n, ok := input.Positive(number)
	if !ok {
		return Rate{}, input.Refuse(s, wantRate)
	}
	r := Rate{N: n}
	if hasPer {
		per = strings.TrimSpace(per)
		if per != "" && !strings.ContainsAny(per[:1], "0123456789.+-") {
			per = "1" + per
		}
		d, err := ParseDuration(per)
		if err != nil {
			return Rate{}, input.Refuse(s, wantRate)
		}
		if d == 0 {
			return Rate{}, input.Refuse(s, "a time above 0 after the slash")
		}
		r.Per = d
	}
	if r.PerSecond() > MaxRate {
		return Rate{}, input.Refuse(s, wantMaxRate)
	}
	return r, nil
}

// formatNumber is the shortest decimal that input.Number reads back as n.
func formatNumber(n float64) string {
	if n != 0 && (n < 1e-6 || n >= 1e21) {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// String is the form that ParseRate reads back: "50", "50/s", "3000/1m".
func (r Rate) String() string {
	switch r.Per {
	case 0:
		return formatNumber(r.N)
	case Duration(time.Second):
		return formatNumber(r.N) + "/s"
	}
	return formatNumber(r.N) + "/" + r.Per.String()
}

func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

const wantStage = "DURATION:NUMBER, e.g. 30s:50"

// ParseStage reads "30s:50": over 30 s, change to 50 users or 50 requests a second.
func ParseStage(text string) (Stage, error) {
	s := strings.TrimSpace(text)
	duration, to, found := strings.Cut(s, ":")
	if !found {
		return Stage{}, input.Refuse(s, wantStage)
	}
	d, err := ParseDuration(duration)
	if err != nil {
		return Stage{}, input.Refuse(s, wantStage)
	}
	n, ok := input.Positive(to)
	if !ok {
		return Stage{}, input.Refuse(s, wantStage)
	}
	return Stage{Duration: d, To: n}, nil
}

// ParseStages reads stages separated by commas, the form of the environment: "30s:50,5m:50,0s:0".
func ParseStages(text string) ([]Stage, error) {
	var stages []Stage
	for each := range strings.SplitSeq(text, ",") {
		s, err := ParseStage(each)
		if err != nil {
			return nil, err
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// String is the form that ParseStage reads back: "30s:50".
func (s Stage) String() string { return s.Duration.String() + ":" + formatNumber(s.To) }
