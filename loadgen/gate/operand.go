package gate

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/timeline"
)

// parseWithin reads the duration after the operator.
func parseWithin(text string, s subject) (time.Duration, string) {
	d, err := input.Duration(text)
	if text == "" || err != nil || d > timeline.MaxTime {
		return 0, s.accepted() + ", e.g. " + s.shownAs()
	}
	return d, ""
}

// parsePath reads the counts after the operator, and refuses what no path can be.
func parsePath(text string, s subject) (path, want string) {
	var counts []int
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(item), 10, 32)
		if err != nil || n > timeline.MaxTasks {
			return "", s.accepted() + ", e.g. " + s.shownAs()
		}
		if len(counts) > 0 && counts[len(counts)-1] == int(n) {
			return "", "another count after each " + strconv.Itoa(int(n)) + ": a path is of changes"
		}
		counts = append(counts, int(n))
	}
	highest, end := counts[0], "begins with"
	if s.name == ScaleOutPath {
		highest, end = counts[len(counts)-1], "ends with"
	}
	times := 0
	for _, n := range counts {
		if n > highest {
			times = 2
		} else if n == highest {
			times++
		}
	}
	if times > 1 || len(counts) < 2 {
		return "", "a path that " + end + " its highest count and has it once, e.g. " + s.shownAs()
	}
	return pathText(counts), ""
}

func pathText(counts []int) string {
	texts := make([]string, 0, len(counts))
	for _, n := range counts {
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, ",")
}

// cutAmount takes a number off the front of text.
func cutAmount(text string, s subject) (n float64, rest, want string) {
	number, rest, ok := cutNumber(text)
	n, ok = scaled(number, 0, ok)
	switch {
	case !ok && s.unit == taskHours:
		return 0, text, "a number of task-hours, e.g. " + s.shownAs()
	case !ok, s.unit == count && n != math.Trunc(n):
		return 0, text, "a whole number, e.g. " + s.shownAs()
	}
	return n, strings.TrimSpace(rest), ""
}

// cutLevel reads what stands after the operator of a level.
func (e *Expr) cutLevel(text string, s subject) (want string) {
	rest := text
	if name, after := cutWord(text); name == string(Demand) {
		e.Against, rest = Demand, after
	} else if name != "" && !isDigit(name[0]) {
		other, ok := subjectIn(name, ofCapacity)
		switch {
		case !ok || other.form != aLevel:
			return s.accepted() + ", e.g. " + s.shownAs()
		case other.name == s.name:
			return "two levels that can differ, e.g. " + s.shownAs()
		}
		e.Against, rest = other.name, after
		e.arrange()
	} else if e.Limit, rest, want = cutAmount(text, s); want != "" {
		return want
	}
	if rest == "" {
		return ""
	}
	name, after := cutWord(rest)
	moment, end := cutWord(after)
	if name != "at" || end != "" || !slices.Contains(moments(), moment) {
		return "at steady or at end, or nothing, after what is compared, e.g. " + s.shownAs()
	}
	e.At = Moment(moment)
	return ""
}

// arrange puts two levels into the order of the table.
func (e *Expr) arrange() {
	_, left, _ := subjectOf(e.Subject)
	_, right, _ := subjectOf(e.Against)
	if left < right {
		return
	}
	e.Subject, e.Against = e.Against, e.Subject
	if turned, ok := map[Op]Op{Less: Greater, Greater: Less, LessEqual: GreaterEqual, GreaterEqual: LessEqual}[e.Op]; ok {
		e.Op = turned
	}
}

// vacuous refuses what could only pass, or only fail.
func (e Expr) vacuous() (want string) {
	switch {
	case e.Against == Demand:
		if e.Subject != Healthy || e.Op != GreaterEqual || e.At != AtSteady {
			return "healthy>=demand at steady: what a load needs is compared with nothing else"
		}
	case e.Path != "":
	case e.Against != "":
		if e.Subject == Healthy && e.Against == Tasks && (e.Op == LessEqual || e.Op == Greater) {
			return "what can be otherwise: no more tasks are ever healthy than are running"
		}
	case e.Limit == 0 && e.Within == 0 && (e.Op == GreaterEqual || e.Op == Less):
		return "what can be otherwise: nothing is below 0"
	}
	return ""
}

// notFigure is what to write instead of a word that is no figure of capacity.
func notFigure(name string) string {
	// Words of the verbs' flags, of results, and of AWS.
	elsewhere := map[string]string{
		"failures": "errors", "error_rate": "errors", "retries": "retried", "replicas": "tasks", "instances": "tasks", "max": "max_tasks", "min": "min_tasks",
		"max_replicas": "max_tasks", "min_replicas": "min_tasks", "max_capacity": "max_desired", "min_capacity": "min_desired", "recovery": "back_to_min_within",
		"scale_out": "scale_out_within", "scale_in": "scale_in_path or back_to_min_within", "scale_in_within": "back_to_min_within", "recovery_within": "back_to_min_within",
		"demand": "healthy>=demand at steady", "under_provisioned": "time_under_provisioned", "over_provisioned": "time_over_provisioned", "steady": "a level at steady, e.g. healthy==running at steady,",
	}
	if known, ok := elsewhere[strings.ToLower(name)]; ok {
		return known + " instead of " + name
	}
	if meant, ok := near.Near(name, append(namesOf(ofCapacity), running)); ok {
		return meant + " instead of " + name
	}
	return ofCapacity.list("instead of " + name)
}
