package gate

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// ParseExpectation reads one expectation in the grammar of [Expectation]. Its error is a *input.Error as of [Parse].
func ParseExpectation(text string) (Expectation, error) {
	e, want := parseExpectation(strings.TrimSpace(text))
	if want == "" {
		return e, nil
	}
	return Expectation{}, input.Refuse(text, want)
}

func parseExpectation(text string) (e Expectation, want string) {
	if _, isThreshold := parse(text); isThreshold == "" {
		if name, _ := cutWord(text); !known(name) {
			return e, "an expectation about capacity, e.g. max_tasks==6; this is a threshold (--threshold)"
		}
	}
	s, rest, want := cutSubject(text)
	if want != "" {
		return e, want
	}
	e.Subject = s.name
	e.Op, rest = cutOperator(rest)
	ordered := e.Op != Equal && e.Op != NotEqual
	switch {
	case s.form == aPath && (ordered || e.Op == ""):
		return e, "== or != after " + string(s.name) + ", e.g. " + s.example()
	case (s.form == aDuration || s.name == TaskHours) && (!ordered || e.Op == ""):
		return e, "one of < <= > >= after " + string(s.name) + ", e.g. " + s.example()
	case e.Op == "":
		return e, "one of < <= > >= == != after " + string(s.name) + ", e.g. " + s.example()
	}
	switch s.form {
	case aDuration:
		e.Within, want = parseWithin(rest, s)
	case aPath:
		e.Path, want = parsePath(rest, s)
	case aFigure:
		e.Limit, rest, want = cutAmount(rest, s)
		if want == "" && rest != "" {
			want = "nothing after the number, e.g. " + s.example()
		}
	case aLevel:
		want = e.cutLevel(rest, s)
	}
	if want == "" {
		want = e.vacuous()
	}
	return e, want
}

func known(name string) bool {
	_, _, ok := subjectOf(Subject(name))
	return ok || name == running
}

// cutSubject takes a subject off the front of text.
func cutSubject(text string) (s subject, rest, want string) {
	name, rest := cutWord(text)
	switch {
	case name == "":
		return s, text, "one of " + subjectList() + " first"
	case len(name) > longestWord:
		return s, text, "one of " + subjectList() + " instead of " + name[:longestWord] + "…"
	case name == running:
		name = string(Tasks)
	}
	s, _, ok := subjectOf(Subject(name))
	if !ok {
		return s, text, notSubject(name)
	}
	return s, rest, ""
}

// parseWithin reads the duration after the operator.
func parseWithin(text string, s subject) (time.Duration, string) {
	d, err := plan.ParseDuration(text)
	if text == "" || err != nil || time.Duration(d) > timeline.MaxTime {
		return 0, "a duration of service time after " + string(s.name) + ", e.g. " + s.example()
	}
	return time.Duration(d), ""
}

// parsePath reads the counts after the operator, and refuses what no path can be.
func parsePath(text string, s subject) (path, want string) {
	var counts []int
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(item), 10, 32)
		if err != nil || n > timeline.MaxTasks {
			return "", "counts of tasks with a comma between each two, e.g. " + s.example()
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
		return "", "a path that " + end + " its highest count and has it once, e.g. " + s.example()
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
	if !ok || s.name != TaskHours && n != math.Trunc(n) {
		if s.name == TaskHours {
			return 0, text, "a number of task-hours, e.g. " + s.example()
		}
		return 0, text, "a whole number, e.g. " + s.example()
	}
	return n, strings.TrimSpace(rest), ""
}

// cutLevel reads what stands after the operator of a level.
func (e *Expectation) cutLevel(text string, s subject) (want string) {
	rest := text
	if name, after := cutWord(text); name == string(Demand) {
		e.Against, rest = Demand, after
	} else if name != "" && !isDigit(name[0]) {
		other, _, want := cutSubject(text)
		switch {
		case want != "" || other.form != aLevel:
			return "a number, tasks, healthy, desired or draining after the operator, e.g. " + s.example()
		case other.name == s.name:
			return "two levels that can differ, e.g. " + s.example()
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
		return "at steady or at end, or nothing, after what is compared, e.g. " + s.example()
	}
	e.At = Moment(moment)
	return ""
}

// arrange puts two levels into the order of the table.
func (e *Expectation) arrange() {
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
func (e Expectation) vacuous() (want string) {
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

// example is an expectation about the subject.
func (s subject) example() string {
	switch s.name {
	case ScaleOutPath:
		return "scale_out_path==2,6"
	case ScaleInPath:
		return "scale_in_path==6,5,4,3,2"
	case ScaleOutWithin:
		return "scale_out_within<=6m"
	case BackToMinWithin:
		return "back_to_min_within<=30m"
	case TaskHours:
		return "task_hours<=2.5"
	case Tasks:
		return "tasks==2"
	case Healthy, Desired, Draining:
		return "healthy==running at steady"
	}
	switch {
	case s.form == aDuration:
		return string(s.name) + "<=2m"
	case strings.HasPrefix(string(s.name), "min_"):
		return string(s.name) + ">=2"
	case strings.HasPrefix(string(s.name), "max_"):
		return string(s.name) + "==6"
	case s.name == Activities:
		return "activities<=5"
	}
	return string(s.name) + "==0"
}

func subjectNames() []string {
	names := []string{running}
	for _, s := range subjects {
		names = append(names, string(s.name))
	}
	return names
}

func subjectList() string {
	names := subjectNames()
	return strings.Join(names[1:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// notSubject is what to write instead of a word that is no subject.
func notSubject(name string) string {
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
	if meant, ok := near.Near(name, subjectNames()); ok {
		return meant + " instead of " + name
	}
	return "one of " + subjectList() + " instead of " + name
}
