package result

import (
	"errors"
	"fmt"
	"io/fs"
)

// Audit computes a complete result again from its windows and says in one line where they differ first;
// empty when they agree. Intervals that found no room on the disk show here, and files that were
// changed or damaged. A run that was cut, and a result.json that was copied without them, have nothing to
// be held to.
func (o *Opened) Audit() string {
	if o.Cut || len(o.Meta.Phases) == 0 {
		return ""
	}
	b, err := o.Builder()
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		return fmt.Sprintf("%s cannot be held to the files beside it: %v", resultName, err)
	}
	r := o.Result
	again := b.Result(Final{})
	if b.meta.schema() == SchemaV1 { // its windows do not hold what was dropped
		again.Totals.Dropped, again.Totals.Offered = r.Totals.Dropped, r.Totals.Offered
	}
	for _, part := range []struct {
		name              string
		written, computed any
	}{
		{"totals", r.Totals, again.Totals}, {"endpoints", r.Endpoints, again.Endpoints}, {"phases", r.Phases, again.Phases},
	} {
		d, found, err := differ(part.written, part.computed)
		if err != nil {
			return fmt.Sprintf("%s cannot be held to the files beside it: %v", resultName, err)
		}
		if found {
			path := part.name + d.path
			if d.path != "" && d.path[0] != '[' {
				path = part.name + "." + d.path
			}
			return fmt.Sprintf("%s and the intervals beside it differ: %s is %.40s there and %.40s in them; intervals were lost, or a file was changed",
				resultName, path, d.a, d.b)
		}
	}
	return ""
}
