package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/timeline"
)

func TestParseExpectationReadsEveryFormOfTheGrammar(t *testing.T) {
	for _, row := range []struct {
		text string
		want Expr
		why  string
	}{
		{"max_tasks==6", Expr{Subject: MaxTasks, Op: Equal, Limit: 6}, "a figure"},
		{"min_tasks>=2", Expr{Subject: MinTasks, Op: GreaterEqual, Limit: 2}, ""},
		{"errors===0", Expr{Subject: Errors, Op: Equal}, "as k6 writes it"},
		{"retried==0", Expr{Subject: Retried, Op: Equal}, "a threshold's word too"},
		{"activities<=5", Expr{Subject: Activities, Op: LessEqual, Limit: 5}, ""},
		{"oscillations==0", Expr{Subject: Oscillations, Op: Equal}, ""},
		{"overshoot<2", Expr{Subject: Overshoot, Op: Less, Limit: 2}, ""},
		{"task_hours<=2.5", Expr{Subject: TaskHours, Op: LessEqual, Limit: 2.5}, "need not be whole"},
		{"max_tasks<=1e3", Expr{Subject: MaxTasks, Op: LessEqual, Limit: 1000}, "an exponent"},
		{"scale_out_within<=6m", Expr{Subject: ScaleOutWithin, Op: LessEqual, Within: 6 * time.Minute}, "a duration"},
		{"scale_out_within<=360", Expr{Subject: ScaleOutWithin, Op: LessEqual, Within: 6 * time.Minute}, "seconds, as of --run-time"},
		{"back_to_min_within<1h30m", Expr{Subject: BackToMinWithin, Op: Less, Within: 90 * time.Minute}, ""},
		{"time_under_provisioned<=0", Expr{Subject: TimeUnderProvisioned, Op: LessEqual}, "never"},
		{"time_over_provisioned>1s", Expr{Subject: TimeOverProvisioned, Op: Greater, Within: time.Second}, ""},
		{"scale_in_path==6,5,4,3,2", Expr{Subject: ScaleInPath, Op: Equal, Path: "6,5,4,3,2"}, "a path"},
		{"scale_in_path!=06, 4 ,5", Expr{Subject: ScaleInPath, Op: NotEqual, Path: "6,4,5"}, "it may turn round below where it began"},
		{"scale_out_path==2,6", Expr{Subject: ScaleOutPath, Op: Equal, Path: "2,6"}, ""},
		{"tasks==2", Expr{Subject: Tasks, Op: Equal, Limit: 2}, "a level"},
		{"running==2", Expr{Subject: Tasks, Op: Equal, Limit: 2}, "another word"},
		{"draining==0 at end", Expr{Subject: Draining, Op: Equal, At: AtEnd}, ""},
		{"healthy==running at steady", Expr{Subject: Healthy, Op: Equal, Against: Tasks, At: AtSteady}, "two levels"},
		{"running==healthy at steady", Expr{Subject: Healthy, Op: Equal, Against: Tasks, At: AtSteady}, "the same"},
		{"desired>healthy", Expr{Subject: Healthy, Op: Less, Against: Desired}, "the same as healthy<desired"},
		{"desired>=tasks", Expr{Subject: Tasks, Op: LessEqual, Against: Desired}, ""},
		{"desired!=tasks", Expr{Subject: Tasks, Op: NotEqual, Against: Desired}, ""},
		{" healthy \t== running\n at  steady ", Expr{Subject: Healthy, Op: Equal, Against: Tasks, At: AtSteady}, "white space means nothing"},
	} {
		got, err := ParseExpectation(row.text)
		if err != nil || got != row.want {
			t.Errorf("ParseExpectation(%q) = %+v, %v\nwant %+v %s", row.text, got, err, row.want, row.why)
		}
	}
}

func TestAnExpectationThatCannotBeUsedIsRefusedInOneLineThatSaysWhatCan(t *testing.T) {
	list := figureList()
	for _, row := range []struct {
		text, want, why string
	}{
		{"", "empty, want a figure of capacity first: " + list, ""},
		{"==6", `"==6": want a figure of capacity first: ` + list, ""},
		{"x==6", `"x==6": want a figure of capacity instead of x: ` + list, ""},
		{strings.Repeat("x", 9999), `"` + strings.Repeat("x", 100) + `…": want a figure of capacity instead of ` + strings.Repeat("x", 40) + "…: " + list, "however long, it stays a line"},
		{"max_task==6", `"max_task==6": want max_tasks instead of max_task`, "a near name"},
		{"TASKS==2", `"TASKS==2": want tasks instead of TASKS`, "case"},
		{"replicas==2", `"replicas==2": want tasks instead of replicas`, "another word for it"},
		{"scale_in_within<=3m", `"scale_in_within<=3m": want back_to_min_within instead of scale_in_within`, ""},
		{"{GET /}:max_tasks==6", `"{GET /}:max_tasks==6": want max_tasks without a scope: it is of the service as a whole`, "capacity has no endpoints"},
		{"{GET /}:max_task==6", `"{GET /}:max_task==6": want max_tasks instead of max_task`, ""},
		{"{GET /}:rps>1", `"{GET /}:rps>1": want an expectation about capacity, e.g. max_tasks==6; this is a threshold (--threshold)`, "the other kind"},
		{"p(99)<50ms", `"p(99)<50ms": want an expectation about capacity, e.g. max_tasks==6; this is a threshold (--threshold)`, "the other grammar"},
		{"max_tasks", `"max_tasks": want one of < <= > >= == != after max_tasks, e.g. max_tasks==6`, ""},
		{"max_tasks=6", `"max_tasks=6": want one of < <= > >= == != after max_tasks, e.g. max_tasks==6`, "the usual slip"},
		{"max_tasks==", `"max_tasks==": want a whole number, e.g. max_tasks==6`, ""},
		{"max_tasks==6.5", `"max_tasks==6.5": want a whole number, e.g. max_tasks==6`, ""},
		{"min_tasks>=-1", `"min_tasks>=-1": want a whole number, e.g. min_tasks>=2`, ""},
		{"activities<=x", `"activities<=x": want a whole number, e.g. activities<=5`, ""},
		{"oscillations==inf", `"oscillations==inf": want a whole number, e.g. oscillations==0`, ""},
		{"max_tasks==6 at steady", `"max_tasks==6 at steady": want nothing after the number, e.g. max_tasks==6`, "a maximum has no moment"},
		{"max_tasks>=0", `"max_tasks>=0": want what can be otherwise: nothing is below 0`, "could only pass"},
		{"tasks<0", `"tasks<0": want what can be otherwise: nothing is below 0`, "could only fail"},
		{"scale_out_within<0s", `"scale_out_within<0s": want what can be otherwise: nothing is below 0`, ""},
		{"scale_out_within==6m", `"scale_out_within==6m": want one of < <= > >= after scale_out_within, e.g. scale_out_within<=6m`, "no duration is ever exactly that"},
		{"task_hours==2", `"task_hours==2": want one of < <= > >= after task_hours, e.g. task_hours<=2.5`, "nor is an integral"},
		{"task_hours<=x", `"task_hours<=x": want a number of task-hours, e.g. task_hours<=2.5`, ""},
		{"back_to_min_within<=", `"back_to_min_within<=": want a duration of simulated time after back_to_min_within, e.g. back_to_min_within<=30m`, ""},
		{"time_under_provisioned<=5%", `"time_under_provisioned<=5%": want a duration of simulated time after time_under_provisioned, e.g. time_under_provisioned<=2m`, ""},
		{"scale_out_within<=99999h", `"scale_out_within<=99999h": want a duration of simulated time after scale_out_within, e.g. scale_out_within<=6m`, "longer than any timeline"},
		{"scale_in_path<6,5", `"scale_in_path<6,5": want == or != after scale_in_path, e.g. scale_in_path==6,5,4,3,2`, ""},
		{"scale_in_path==", `"scale_in_path==": want counts of tasks with a comma between each two, e.g. scale_in_path==6,5,4,3,2`, ""},
		{"scale_in_path==6,,5", `"scale_in_path==6,,5": want counts of tasks with a comma between each two, e.g. scale_in_path==6,5,4,3,2`, ""},
		{"scale_in_path==1000001,1", `"scale_in_path==1000001,1": want counts of tasks with a comma between each two, e.g. scale_in_path==6,5,4,3,2`, "more than any timeline has"},
		{"scale_in_path==6,5,5", `"scale_in_path==6,5,5": want another count after each 5: a path is of changes`, ""},
		{"scale_in_path==6", `"scale_in_path==6": want a path that begins with its highest count and has it once, e.g. scale_in_path==6,5,4,3,2`, "which never scaled in"},
		{"scale_in_path==6,7", `"scale_in_path==6,7": want a path that begins with its highest count and has it once, e.g. scale_in_path==6,5,4,3,2`, ""},
		{"scale_in_path!=6,5,6", `"scale_in_path!=6,5,6": want a path that begins with its highest count and has it once, e.g. scale_in_path==6,5,4,3,2`, "it would begin at the last 6"},
		{"scale_out_path==6,2", `"scale_out_path==6,2": want a path that ends with its highest count and has it once, e.g. scale_out_path==2,6`, ""},
		{"tasks==running", `"tasks==running": want two levels that can differ, e.g. tasks==2`, "two words for one thing"},
		{"running>=healthy", `"running>=healthy": want what can be otherwise: no more tasks are ever healthy than are running`, ""},
		{"healthy==steady", `"healthy==steady": want a number, tasks, healthy, desired or draining after the operator, e.g. healthy==running at steady`, ""},
		{"healthy==max_tasks", `"healthy==max_tasks": want a number, tasks, healthy, desired or draining after the operator, e.g. healthy==running at steady`, "no level"},
		{"healthy==running at", `"healthy==running at": want at steady or at end, or nothing, after what is compared, e.g. healthy==running at steady`, ""},
		{"healthy==2 at noon", `"healthy==2 at noon": want at steady or at end, or nothing, after what is compared, e.g. healthy==running at steady`, ""},
		{"tasks==2 at end of load", `"tasks==2 at end of load": want at steady or at end, or nothing, after what is compared, e.g. tasks==2`, ""},
		{"tasks==2,", `"tasks==2,": want at steady or at end, or nothing, after what is compared, e.g. tasks==2`, ""},
	} {
		_, err := ParseExpectation(row.text)
		if _, ok := errors.AsType[*input.Error](err); !ok || err.Error() != row.want {
			t.Errorf("%s\n got %T %v\nwant %s", row.why, err, err, row.want)
		}
	}
}

func TestEveryExampleOfAFigureParsesAndIsOfIt(t *testing.T) {
	for _, s := range subjects {
		if s.of&ofCapacity == 0 {
			continue
		}
		e, err := ParseExpectation(s.shownAs())
		same := e.Subject == s.name || s.form == aLevel && e.Subject == Healthy
		if err != nil || !same || !strings.Contains(figureList(), string(s.name)) {
			t.Errorf("%s: the example %s is %+v, %v", s.name, s.shownAs(), e, err)
		}
	}
}

func TestASubjectReadsWhatItsFormIsJudgedBy(t *testing.T) {
	for _, s := range subjects {
		requests, capacity := s.of&ofRequests != 0, s.of&ofCapacity != 0
		for what, row := range map[string]struct{ has, wants bool }{
			"metrics":     {s.read != nil, requests && s.form == aNumber},
			"a histogram": {s.statistic != nil, requests && s.form == aStatistic},
			"a figure":    {s.figure != nil, capacity && s.form == aNumber},
			"a duration":  {s.duration != nil, capacity && s.form == aDuration},
			"a path":      {s.path != nil, capacity && s.form == aPath},
			"a level":     {s.level != nil, capacity && s.form == aLevel},
		} {
			if row.has != row.wants {
				t.Errorf("%s reads %s: %t, want %t", s.name, what, row.has, row.wants)
			}
		}
	}
}

// anyExpectation draws what ParseExpectation can give.
func anyExpectation() *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		s, _ := subjectIn(rapid.SampledFrom(namesOf(ofCapacity)).Draw(t, "subject"), ofCapacity)
		ops := []Op{Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual}
		switch {
		case s.form == aPath:
			ops = ops[4:]
		case s.form == aDuration || s.name == TaskHours:
			ops = ops[:4]
		}
		e := Expr{Subject: s.name, Op: rapid.SampledFrom(ops).Draw(t, "op")}
		switch s.form {
		case aNumber, aLevel:
			e.Limit = float64(rapid.Int64Range(1, mostLimit).Draw(t, "limit"))
			if s.name == TaskHours {
				e.Limit = max(rapid.Float64Range(0, mostLimit).Draw(t, "hours"), leastLimit)
			}
		case aDuration:
			e.Within = time.Duration(rapid.Int64Range(1, int64(timeline.MaxTime)).Draw(t, "within"))
		case aPath:
			counts := []int{rapid.IntRange(2, timeline.MaxTasks).Draw(t, "highest")}
			for i := range rapid.IntRange(1, 5).Draw(t, "changes") {
				n := rapid.IntRange(0, counts[0]-1).Draw(t, "count")
				if i == 0 || n != counts[len(counts)-1] {
					counts = append(counts, n)
				}
			}
			if s.name == ScaleOutPath {
				slices.Reverse(counts)
			}
			e.Path = pathText(counts)
		}
		if s.form == aLevel {
			e.At = rapid.SampledFrom([]Moment{Always, AtSteady, AtEnd}).Draw(t, "at")
			other := rapid.SampledFrom(subjects[len(subjects)-4:]).Draw(t, "other")
			_, left, _ := subjectOf(s.name)
			_, right, _ := subjectOf(other.name)
			if left < right {
				e.Against, e.Limit = other.name, 0
			}
			if e.vacuous() != "" {
				e.Op = Equal
			}
		}
		return e
	})
}

func TestCanonicalExpectationReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpectation().Draw(t, "expectation")
		back, err := ParseExpectation(e.String())
		if err != nil || back != e {
			t.Fatalf("%+v is written %s, which reads as %+v, %v", e, e, back, err)
		}
	})
}

func TestWhiteSpaceInAnExpectationMeansNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpectation().Draw(t, "expectation")
		text := e.String()
		space := rapid.SampledFrom([]string{"", " ", "\t", " \n "})
		for _, token := range []string{string(e.Op), ","} {
			text = strings.ReplaceAll(text, token, space.Draw(t, "before")+token+space.Draw(t, "after"))
		}
		text = strings.ReplaceAll(text, " at ", " "+space.Draw(t, "before")+"at "+space.Draw(t, "after"))
		back, err := ParseExpectation(space.Draw(t, "first") + text + space.Draw(t, "last"))
		if err != nil || back != e {
			t.Fatalf("%q reads as %+v, %v, want %+v", text, back, err, e)
		}
	})
}

func TestCanonicalExpectationIsOneSpellingForEachMeaning(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"running==2", "tasks==2"},
		{"running == tasks at steady", ""},
		{"tasks==healthy at steady", "healthy==running at steady"},
		{"desired>tasks", "running<desired"},
		{"scale_out_within<=360", "scale_out_within<=6m"},
		{"scale_out_within<=0.1h", "scale_out_within<=6m"},
		{"errors===00", "errors==0"},
		{"scale_in_path==6 , 05", "scale_in_path==6,5"},
		{"task_hours<2.50", "task_hours<2.5"},
	} {
		if e, err := ParseExpectation(row.text); err == nil && e.String() != row.want || (err != nil) != (row.want == "") {
			t.Errorf("%q is written %s (%v), want %s", row.text, e, err, row.want)
		}
	}
}

func TestDefaultExpectationsAskWhetherCapacityFollowedLoad(t *testing.T) {
	for _, row := range []struct {
		why  string
		of   Circumstances
		want []string
	}{
		{"any service", Circumstances{Low: 2, High: 20, Demand: true, Recovery: true, Under: 281 * time.Second},
			[]string{"healthy>=demand at steady", "time_under_provisioned<=4m41s", "healthy==running at steady", "errors==0", "oscillations==0", "tasks==2 at end"}},
		{"the demonstration", Circumstances{Low: 2, High: 6, Demand: true, Recovery: true, Story: true},
			[]string{"healthy>=demand at steady", "max_tasks==6", "scale_in_path==6,5,4,3,2", "healthy==running at steady", "errors==0", "oscillations==0", "tasks==2 at end"}},
		{"what a task can do is not known", Circumstances{Low: 1, High: 4, Recovery: true, Under: time.Minute},
			[]string{"healthy==running at steady", "errors==0", "oscillations==0", "tasks==1 at end"}},
		{"a run that ends with its load", Circumstances{Low: 2, High: 6, Demand: true, Story: true},
			[]string{"healthy>=demand at steady", "max_tasks==6", "healthy==running at steady", "errors==0", "oscillations==0"}},
		{"chaos: what a killed task takes with it is not held against the run", Circumstances{Low: 2, High: 6, Demand: true, Recovery: true, Disturbed: true, Under: time.Minute},
			[]string{"oscillations==0", "tasks==2 at end", "healthy==desired at end"}},
		{"nowhere to go", Circumstances{Low: 3, High: 3, Demand: true, Recovery: true, Story: true},
			[]string{"healthy>=demand at steady", "healthy==running at steady", "errors==0", "oscillations==0", "tasks==3 at end"}},
	} {
		var got []string
		for _, e := range DefaultExpectations(row.of) {
			got = append(got, e.String())
			if back, err := ParseExpectation(e.String()); err != nil || back != e {
				t.Errorf("the default %s reads as %+v, %v", e, back, err)
			}
			if err := Check(e, Has{Requests: true, Demand: row.of.Demand, Recovery: row.of.Recovery}); err != nil {
				t.Errorf("%s: a default needs what the run does not have: %v", row.why, err)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s:\n got %q\nwant %q", row.why, got, row.want)
		}
	}
}

func TestAnExpectationAboutWhatTheRunDoesNotHaveIsRefused(t *testing.T) {
	for _, row := range []struct {
		text string
		has  Has
		want string
	}{
		{"errors==0", Has{Requests: true}, ""},
		{"errors==0", Has{Demand: true, Recovery: true}, `"errors==0": want an expectation about capacity: no request is sent, so none can be an error`},
		{"retried==0", Has{}, `"retried==0": want an expectation about capacity: no request is sent, so none can be sent twice`},
		{"time_under_provisioned<=2m", Has{Demand: true}, ""},
		{"time_under_provisioned<=2m", Has{Requests: true, Recovery: true}, `"time_under_provisioned<=2m": want --task-capacity as well: without it the number of tasks that the load needs is not known`},
		{"time_over_provisioned<=2m", Has{}, `"time_over_provisioned<=2m": want --task-capacity as well: without it the number of tasks that the load needs is not known`},
		{"healthy>=demand at steady", Has{Demand: true}, ""},
		{"healthy>=demand at steady", Has{Requests: true}, `"healthy>=demand at steady": want --task-capacity as well: without it the number of tasks that the load needs is not known`},
		{"overshoot==0", Has{}, `"overshoot==0": want --task-capacity as well: without it the number of tasks that the load needs is not known`},
		{"back_to_min_within<=30m", Has{Recovery: true}, ""},
		{"back_to_min_within<=30m", Has{}, `"back_to_min_within<=30m": want a recovery to watch: this run ends with its load`},
		{"max_tasks==600", Has{}, ""}, // for the run to show
		{"healthy==running at steady", Has{}, ""},
	} {
		e, err := ParseExpectation(row.text)
		if err != nil {
			t.Fatal(err)
		}
		err = Check(e, row.has)
		if _, ok := errors.AsType[*input.Error](err); row.want == "" && err != nil || row.want != "" && (!ok || err.Error() != row.want) {
			t.Errorf("%s for %+v: %v, want %s", row.text, row.has, err, row.want)
		}
	}
}

func FuzzParseExpectation(f *testing.F) {
	for _, seed := range []string{
		"max_tasks==6", "min_tasks>=2", "scale_out_within<=6m", "back_to_min_within<=1h30m", "errors==0", "healthy==running at steady",
		"scale_in_path==6,5,4,3,2", "oscillations==0", "activities<=5", "tasks==2", "task_hours<=2.5", "time_under_provisioned<=2m",
		"scale_out_path!=2,4,6", "draining == 0 at end", "demand<=healthy at steady", "demand>1", "tasks>=demand at steady", "desired >= tasks", "p(99)<50ms", "max_tasks==1e400", "max_tasks==6 at", ",", "at", "\xff==1", "tasks==2at end",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpectation(text)
		if err != nil {
			if _, ok := errors.AsType[*input.Error](err); !ok || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("ParseExpectation(%q): %T %q, want one line that a field can be put in", text, err, err)
			}
			return
		}
		back, err := ParseExpectation(e.String())
		if err != nil || back != e || back.String() != e.String() {
			t.Fatalf("%q is %+v, written %s, which reads as %+v, %v", text, e, e, back, err)
		}
		line := story(1)
		for _, o := range Evaluate([]Expr{e}, Evidence{Timeline: line, Figures: figuresOf(line), Counts: &Counts{Requests: 1}}) {
			if o.Detail == "" || strings.ContainsAny(o.Detail, "\n\r") || o.Expression != e.String() {
				t.Fatalf("%q is judged %+v", text, o)
			}
		}
	})
}
