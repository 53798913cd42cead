package plan

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
)

const (
	wantStatus = "a status from 100 to 599, a class or a range, e.g. 200, 2xx or 200-204"
	minStatus  = 100
	maxStatus  = 599
)

// ParseStatus reads a code ("200"), a class ("2xx") or a range with both ends ("200-204").
func ParseStatus(text string) (Status, error) {
	s := strings.TrimSpace(text)
	var st Status
	if len(s) == 3 && strings.EqualFold(s[1:], "xx") {
		st.Min = int(s[0]-'0') * 100
		st.Max = st.Min + 99
	} else {
		low, high, isRange := strings.Cut(s, "-")
		if !isRange {
			high = low
		}
		st.Min, st.Max = parseCode(low), parseCode(high)
	}
	if !st.valid() {
		return Status{}, input.Refuse(s, wantStatus)
	}
	return st, nil
}

// parseCode returns a three-digit number, or 0.
func parseCode(text string) int {
	s := strings.TrimSpace(text)
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || len(s) != 3 {
		return 0
	}
	return int(n)
}

func (s Status) valid() bool {
	return minStatus <= s.Min && s.Min <= s.Max && s.Max <= maxStatus
}

// String is the shortest form that ParseStatus reads back.
func (s Status) String() string {
	switch {
	case s.Min == s.Max:
		return strconv.Itoa(s.Min)
	case s.Min%100 == 0 && s.Max == s.Min+99:
		return strconv.Itoa(s.Min/100) + "xx"
	}
	return strconv.Itoa(s.Min) + "-" + strconv.Itoa(s.Max)
}

// MarshalJSON writes one code as a number, anything else as text.
func (s Status) MarshalJSON() ([]byte, error) {
	if s.Min == s.Max {
		return strconv.AppendInt(nil, int64(s.Min), 10), nil
	}
	return json.Marshal(s.String())
}

// UnmarshalJSON reads a number or a text that ParseStatus reads.
func (s *Status) UnmarshalJSON(data []byte) (err error) {
	text := string(bytes.TrimSpace(data))
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	*s, err = ParseStatus(text)
	return err
}

// statuses is a list of statuses in JSON, where one may stand without brackets.
type statuses []Status

func (s *statuses) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return json.Unmarshal(data, (*[]Status)(s))
	}
	var one Status
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*s = statuses{one}
	return nil
}
