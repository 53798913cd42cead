package compare

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Unlike is why these runs should not be compared: other plans (seed, name, tags, thresholds, host and port may
// differ), other generators, runs that are INVALID or did not come to their end, results of two
// versions of the format. Nil when they may be. Its parts are of type *UnlikeError.
func Unlike(runs []*Run) error {
	var errs []error
	for _, r := range runs {
		switch {
		case r.Cut:
			errs = append(errs, &UnlikeError{Dir: r.Dir, Reason: "the run was cut: its process ended before it did"})
		case r.StoppedBy != "":
			errs = append(errs, &UnlikeError{Dir: r.Dir, Reason: "the run was stopped early: " + r.StoppedBy})
		}
		if r.Validity == result.Invalid {
			reason := "the run is INVALID: its numbers describe the generator"
			if len(r.Reasons) > 0 {
				reason += " (" + r.Reasons[0].Detail + ")"
			}
			errs = append(errs, &UnlikeError{Dir: r.Dir, Reason: reason})
		}
	}
	first := runs[0]
	for i, r := range runs[1:] {
		for _, earlier := range runs[:i+1] {
			if r.ID != "" && r.ID == earlier.ID {
				errs = append(errs, &UnlikeError{earlier.Dir, r.Dir, "both hold the same run, " + r.ID})
			}
		}
		if reason := first.unlike(r); reason != "" {
			errs = append(errs, &UnlikeError{first.Dir, r.Dir, reason})
		}
	}
	return errors.Join(errs...)
}

func (r *Run) unlike(other *Run) string {
	if r.Schema != other.Schema {
		return fmt.Sprintf("schema differs: %s and %s", r.Schema, other.Schema)
	}
	a, b := loadOf(r.Plan), loadOf(other.Plan)
	if r.Merged != other.Merged { // several generators have a limit each
		a.MaxInFlight, b.MaxInFlight = 0, 0
	}
	if path, x, y, found, err := result.Difference(a, b); err == nil && found {
		return fmt.Sprintf("plan field %s differs: %s and %s", path, x, y)
	}
	for _, size := range []struct {
		name string
		a, b result.Reading
	}{{"cpu_limit", r.Generator.CPULimit, other.Generator.CPULimit}, {"memory_limit_bytes", r.Generator.MemoryLimitBytes, other.Generator.MemoryLimitBytes}} {
		if size.a.Known() != size.b.Known() || size.a.Known() && size.a != size.b {
			return fmt.Sprintf("generator field %s differs: %v and %v", size.name, size.a, size.b)
		}
	}
	if r.Generator.CPUs != other.Generator.CPUs {
		return fmt.Sprintf("generator field cpus differs: %d and %d", r.Generator.CPUs, other.Generator.CPUs)
	}
	return ""
}

// loadOf is a plan without what does not change the load: what the run is called, chance, where the
// service is, and what is asked of the result.
func loadOf(p plan.Plan) plan.Plan {
	p.Name, p.Tags, p.Seed, p.Host = "", nil, 0, ""
	p.Thresholds, p.AbortOn, p.ExitCodeOnError = nil, "", nil
	p.Targets = slices.Clone(p.Targets)
	for i := range p.Targets {
		t := &p.Targets[i]
		if u, err := url.Parse(t.URL); err == nil && u.Host != "" {
			t.URL = u.RequestURI()
		}
		t.Weight = max(t.Weight, 1)
	}
	return p
}

// warnings are what a reader of the comparison has to know of a run.
func (r *Run) warnings() (all []string) {
	if r.Validity == result.Suspect {
		for _, reason := range r.Reasons {
			if reason.Level != result.Valid {
				all = append(all, fmt.Sprintf("%s is SUSPECT: %s: %s", r.Dir, reason.Code, reason.Detail))
			}
		}
	}
	return all
}

// Key names a load: plans that may be compared have the same one.
func Key(p plan.Plan) string {
	data, err := json.Marshal(loadOf(p))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))[:12]
}
