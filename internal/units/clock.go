package units

import (
	"fmt"
	"strings"
	"time"
)

// Clock is an instant on a run's clock, m:ss or h:mm:ss: 2:59, 1:02:03. It shows the second that is
// under way, as a clock does: 2:59.999 is 2:59.
func Clock(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", opposite(d)
	}
	s := int64(d / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
}

// Duration is a length of time as a person would type it: Go's form without the units that are
// zero at its end: 3m, 1h30m, 50ms. It is exact, and time.ParseDuration reads it back.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
