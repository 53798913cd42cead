package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

// latency is an Expr without scope, of a corrected latency.
func latency(m Subject, percentile float64, op Op, ms float64) Expr {
	return Expr{Latency: Corrected, Subject: m, Percentile: percentile, Op: op, Limit: ms}
}

func TestParseReadsEveryFormOfTheGrammar(t *testing.T) {
	in := func(endpoint, phase string, e Expr) Expr { e.Endpoint, e.Phase = endpoint, phase; return e }
	of := func(l Latency, e Expr) Expr { e.Latency = l; return e }
	for _, row := range []struct {
		text string
		want Expr
		why  string
	}{
		{"p(99)<50ms", latency(Percentile, 99, Less, 50), "the form of the documentation"},
		{"p(99.9)<=250ms", latency(Percentile, 99.9, LessEqual, 250), "a fraction"},
		{"p(100)<1s", latency(Percentile, 100, Less, 1000), "100 is max"},
		{"p(99)<50", latency(Percentile, 99, Less, 50), "ms without a unit, as in k6"},
		{"avg<3.5ms", latency(Mean, 0, Less, 3.5), ""},
		{"mean<3.5ms", latency(Mean, 0, Less, 3.5), "avg by another name"},
		{"med<20", latency(Percentile, 50, Less, 20), "p(50) by another name"},
		{"min>0", latency(Min, 0, Greater, 0), ""},
		{"max<2s", latency(Max, 0, Less, 2000), ""},
		{"stddev<5", latency(StdDev, 0, Less, 5), ""},
		{"max<800us", latency(Max, 0, Less, 0.8), ""},
		{"max<800µs", latency(Max, 0, Less, 0.8), "micro sign"},
		{"max<800μs", latency(Max, 0, Less, 0.8), "Greek mu"},
		{"max<0.0003s", latency(Max, 0, Less, 0.3), "by the decimal, not by multiplication"},
		{"max<3600s", latency(Max, 0, Less, 3.6e6), "the longest that is told apart"},
		{"max<33.3333ms", latency(Max, 0, Less, 33.333), "to the microsecond"},
		{"max<1e2", latency(Max, 0, Less, 100), "an exponent"},
		{"max<.5s", latency(Max, 0, Less, 500), ""},
		{"max<5.", latency(Max, 0, Less, 5), ""},
		{"corrected.p(99)<1", latency(Percentile, 99, Less, 1), "corrected is what is meant when unnamed"},
		{"raw.p(99)<1", of(Raw, latency(Percentile, 99, Less, 1)), ""},
		{"failed.max<1", of(Failed, latency(Max, 0, Less, 1)), ""},
		{"first_byte.p(95)<1", of(FirstByte, latency(Percentile, 95, Less, 1)), ""},
		{"connect.med<1", of(Connect, latency(Percentile, 50, Less, 1)), ""},

		{"max==1", latency(Max, 0, Equal, 1), ""},
		{"max===1", latency(Max, 0, Equal, 1), "as k6 accepts"},
		{"max!=1", latency(Max, 0, NotEqual, 1), ""},
		{"max>=1", latency(Max, 0, GreaterEqual, 1), ""},

		{"error_rate<1%", Expr{Subject: ErrorRate, Op: Less, Limit: 0.01}, ""},
		{"error_rate<0.01", Expr{Subject: ErrorRate, Op: Less, Limit: 0.01}, "the same as a ratio"},
		{"error_rate==0", Expr{Subject: ErrorRate, Op: Equal}, ""},
		{"error_rate<=100%", Expr{Subject: ErrorRate, Op: LessEqual, Limit: 1}, ""},
		{"error_rate<0.7%", Expr{Subject: ErrorRate, Op: Less, Limit: 0.007}, "0.7/100 is not 0.007 in float64"},
		{"rps>=370", Expr{Subject: RPS, Op: GreaterEqual, Limit: 370}, ""},
		{"rps>=370/s", Expr{Subject: RPS, Op: GreaterEqual, Limit: 370}, ""},
		{"dropped==0", Expr{Subject: Dropped, Op: Equal}, ""},
		{"requests>68e3", Expr{Subject: Requests, Op: Greater, Limit: 68000}, ""},
		{"bytes_in<10MiB", Expr{Subject: BytesIn, Op: Less, Limit: 10 << 20}, ""},
		{"bytes_out<0.5KiB", Expr{Subject: BytesOut, Op: Less, Limit: 512}, "half of it is still whole bytes"},
		{"bytes_out<512B", Expr{Subject: BytesOut, Op: Less, Limit: 512}, ""},

		{"{GET /}:p(95)<20ms", in("GET /", "", latency(Percentile, 95, Less, 20)), ""},
		{"{phase:steady}:p(99)<50ms", in("", "steady", latency(Percentile, 99, Less, 50)), ""},
		{"{GET /,phase:steady}:rps>1", in("GET /", "steady", Expr{Subject: RPS, Op: Greater, Limit: 1}), "both"},
		{"{phase:steady,GET /}:rps>1", in("GET /", "steady", Expr{Subject: RPS, Op: Greater, Limit: 1}), "in either order"},

		{" \t{ GET / , phase : steady } : raw . p ( 99 ) < 50 ms\n", in("GET /", "steady", of(Raw, latency(Percentile, 99, Less, 50))), "white space means nothing"},
		{"error_rate < 1 %", Expr{Subject: ErrorRate, Op: Less, Limit: 0.01}, ""},
		{"rps > 1 /s", Expr{Subject: RPS, Op: Greater, Limit: 1}, ""},
	} {
		got, err := Parse(row.text)
		if err != nil || got != row.want {
			t.Errorf("Parse(%q) = %+v, %v\nwant %+v %s", row.text, got, err, row.want, row.why)
		}
	}
}

func TestAScopeTakesWhateverNameAnEndpointHas(t *testing.T) {
	for _, row := range []struct {
		scope, endpoint, phase, why string
	}{
		{"{GET /a,b}", "GET /a,b", "", "a comma"},
		{"{GET /a,b,phase:ramp}", "GET /a,b", "ramp", "a comma and a phase at the end"},
		{"{phase:ramp,GET /a,b}", "GET /a,b", "ramp", "a comma and a phase at the start"},
		{"{a,phase:ramp,b}", "a,phase:ramp,b", "", "in the middle it is part of the name"},
		{"{GET host:8080/}", "GET host:8080/", "", "a colon"},
		{"{GET /users/{id}}", "GET /users/{id}", "", "braces"},
		{"{GET /users/{id},phase:ramp}", "GET /users/{id}", "ramp", ""},
		{"{a}:b}", "a}:b", "", "what looks like the end of the scope"},
		{"{{}", "{", "", ""},
		{"{}}", "}", "", ""},
		{"{a,}", "a,", "", "a comma at the end"},
		{"{a,,phase:ramp}", "a,", "ramp", ""},
		{"{phased: x}", "phased: x", "", "another word"},
		{"{a,phased:x}", "a,phased:x", "", ""},
		{"{phase}", "phase", "", "no colon, no phase"},
		{`{phase:a"b}`, `phase:a"b`, "", "no name of a phase holds a quote"},
		{`{"phase:ramp"}`, "phase:ramp", "", "quoted, it is a name"},
		{`{"phase:ramp",phase:steady}`, "phase:ramp", "steady", ""},
		{`{phase:steady,"a,phase:ramp"}`, "a,phase:ramp", "steady", ""},
		{`{" a "}`, " a ", "", "quoted, white space stays"},
		{`{"a\x3bb\n"}`, "a;b\n", "", "Go's escapes"},
		{`{"a" b}`, `"a" b`, "", "quoted in part is not quoted"},
		{`{"a" b,phase:ramp}`, `"a" b`, "ramp", ""},
		{`{"a}`, `"a`, "", "nor is half a quote"},
		{"{`a`}", "`a`", "", "back quotes are letters"},
		{"{'a'}", "'a'", "", "so are single ones"},
		{"{`a,phase:x`}", "`a", "x`", "they hold nothing together"},
	} {
		e, err := Parse(row.scope + ":rps>1")
		if err != nil || e.Endpoint != row.endpoint || e.Phase != row.phase {
			t.Errorf("%s is endpoint %q in phase %q (%v), want %q in %q %s", row.scope, e.Endpoint, e.Phase, err, row.endpoint, row.phase, row.why)
		}
	}
}

func TestWhatCannotBeUsedIsRefusedInOneLineThatSaysWhatCan(t *testing.T) {
	for _, row := range []struct {
		text, want, why string
	}{
		{"", "empty, want a metric first: " + metricList, ""},
		{"  ", `"  ": want a metric first: ` + metricList, ""},
		{"<50ms", `"<50ms": want a metric first: ` + metricList, ""},
		{"foo<1", `"foo<1": want a metric instead of foo: ` + metricList, ""},
		{strings.Repeat("x", 9999), `"` + strings.Repeat("x", 100) + `…": want a metric instead of ` + strings.Repeat("x", 40) + "…: " + metricList, "however long, it stays a line"},
		{"raw." + strings.Repeat("x", 9999), `"raw.` + strings.Repeat("x", 96) + `…": want a statistic after raw., e.g. raw.p(99)`, ""},
		{"max_tasks==6", `"max_tasks==6": want a metric of requests, e.g. p(99)<50ms; max_tasks is of capacity (--expect)`, "the other kind"},
		{"healthy>=demand at steady", `"healthy>=demand at steady": want a metric of requests, e.g. p(99)<50ms; healthy is of capacity (--expect)`, ""},
		{"error_rat<1%", `"error_rat<1%": want error_rate instead of error_rat`, "a near name"},
		{"RPS>1", `"RPS>1": want rps instead of RPS`, "case"},
		{"p99<50ms", `"p99<50ms": want p(99) instead of p99`, "the usual slip"},
		{"p99_9<50ms", `"p99_9<50ms": want p(99.9) instead of p99_9`, "a result's field"},
		{"http_req_failed<1%", `"http_req_failed<1%": want error_rate instead of http_req_failed`, "k6's word"},
		{"requests_per_second>1", `"requests_per_second>1": want rps instead of requests_per_second`, "a result's field"},
		{"corected.p(99)<1", `"corected.p(99)<1": want corrected. instead of corected.`, ""},
		{"http.p(99)<1", `"http.p(99)<1": want corrected, raw, failed, first_byte or connect before the point instead of http`, ""},
		{"raw<1", `"raw<1": want a statistic of it, e.g. raw.p(99)`, ""},
		{"raw.<1", `"raw.<1": want a statistic after raw., e.g. raw.p(99)`, ""},
		{"raw.rps>1", `"raw.rps>1": want rps without raw., which is for latencies`, ""},
		{"p<1", `"p<1": want ` + wantPercentile, ""},
		{"p(0)<1", `"p(0)<1": want ` + wantPercentile, "0 is excluded"},
		{"p(100.1)<1", `"p(100.1)<1": want ` + wantPercentile, ""},
		{"p(-1)<1", `"p(-1)<1": want ` + wantPercentile, ""},
		{"p(NaN)<1", `"p(NaN)<1": want ` + wantPercentile, ""},
		{"p(1e1)<1", `"p(1e1)<1": want ` + wantPercentile, ""},
		{"p(99%)<1", `"p(99%)<1": want ` + wantPercentile, ""},
		{"p(99<1", `"p(99<1": want a ) after the percentile, e.g. p(99)`, ""},
		{"p(99)", `"p(99)": want one of < <= > >= == != after p(99)`, ""},
		{"p(99)=50ms", `"p(99)=50ms": want one of < <= > >= == != after p(99)`, ""},
		{"p(99)=<50ms", `"p(99)=<50ms": want one of < <= > >= == != after p(99)`, ""},
		{"raw.p(99) 50ms", `"raw.p(99) 50ms": want one of < <= > >= == != after raw.p(99)`, ""},
		{"p(95){GET /}<1", `"p(95){GET /}<1": want the scope in front, e.g. {GET /}:p(95)<20ms`, "k6's order"},
		{"p(99)<", `"p(99)<": want after < a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<fast", `"p(99)<fast": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<50ns", `"p(99)<50ns": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<50%", `"p(99)<50%": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<-1", `"p(99)<-1": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<Inf", `"p(99)<Inf": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<1.2.3", `"p(99)<1.2.3": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<50ms,p(95)<20ms", `"p(99)<50ms,p(95)<20ms": want a latency, e.g. 50ms, 1.2s or 800us`, "one at a time"},
		{"p(99)<1e", `"p(99)<1e": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<1e9999999999999999999", `"p(99)<1e9999999999999999999": want a latency, e.g. 50ms, 1.2s or 800us`, ""},
		{"p(99)<0.0004ms", `"p(99)<0.0004ms": want a latency of 0, or from 1us to 3600s, which is what can be told apart`, ""},
		{"p(99)<1e-390s", `"p(99)<1e-390s": want a latency of 0, or from 1us to 3600s, which is what can be told apart`, "too small for a float64"},
		{"p(99)<3601s", `"p(99)<3601s": want a latency of 0, or from 1us to 3600s, which is what can be told apart`, "would always pass"},
		{"error_rate<1", `"error_rate<1": want 1% or 100%: a bare 1 could be either`, ""},
		{"error_rate<5", `"error_rate<5": want 5%, or a ratio below 1`, ""},
		{"error_rate<101%", `"error_rate<101%": want a percentage up to 100% or a ratio below 1, e.g. 1% or 0.01`, ""},
		{"error_rate<500", `"error_rate<500": want a percentage up to 100% or a ratio below 1, e.g. 1% or 0.01`, ""},
		{"error_rate<1e-9", `"error_rate<1e-9": want a percentage up to 100% or a ratio below 1, e.g. 1% or 0.01`, "finer than what is told"},
		{"rps>370/m", `"rps>370/m": want a rate, e.g. 370 or 370/s`, ""},
		{"rps>1e16", `"rps>1e16": want a rate, e.g. 370 or 370/s`, ""},
		{"dropped==0.5", `"dropped==0.5": want a whole number, e.g. 0 or 68000`, ""},
		{"dropped==0%", `"dropped==0%": want a whole number, e.g. 0 or 68000`, ""},
		{"bytes_in<1MB", `"bytes_in<1MB": want a number of bytes, e.g. 4096 or 10MiB (KiB, MiB, GiB)`, "which million?"},
		{"bytes_in<0.3B", `"bytes_in<0.3B": want a number of bytes, e.g. 4096 or 10MiB (KiB, MiB, GiB)`, ""},
		{"bytes_in<1e15KiB", `"bytes_in<1e15KiB": want a number of bytes, e.g. 4096 or 10MiB (KiB, MiB, GiB)`, "more than any run"},
		{"{GET /}:dropped==0", `"{GET /}:dropped==0": want dropped without a scope: it is counted for the run as a whole`, ""},
		{"{phase:ramp}:offered>0", `"{phase:ramp}:offered>0": want offered without a scope: it is counted for the run as a whole`, ""},
		{"{GET /:p(95)<1", `"{GET /:p(95)<1": want a } at the end of the scope, e.g. {GET /}:p(95)<20ms`, ""},
		{"{GET /}p(95)<1", `"{GET /}p(95)<1": want a : after the scope, e.g. {GET /}:p(95)<20ms`, ""},
		{"{GET /}:", `"{GET /}:": want a metric first: ` + metricList, ""},
		{"{}:rps>1", `"{}:rps>1": want ` + wantScope, ""},
		{"{ }:rps>1", `"{ }:rps>1": want ` + wantScope, ""},
		{`{""}:rps>1`, `"{\"\"}:rps>1": want ` + wantScope, ""},
		{"{,phase:ramp}:rps>1", `"{,phase:ramp}:rps>1": want ` + wantScope, ""},
		{"{phase:}:rps>1", `"{phase:}:rps>1": want a name after phase:, e.g. {phase:steady}`, ""},
		{"{a,phase: }:rps>1", `"{a,phase: }:rps>1": want a name after phase:, e.g. {phase:steady}`, ""},
		{"{phase:a,phase:b}:rps>1", `"{phase:a,phase:b}:rps>1": want one phase in a scope; the name of an endpoint that begins with phase: in quotes`, ""},
	} {
		_, err := Parse(row.text)
		if err == nil || err.Error() != row.want {
			t.Errorf("Parse(%q)\n got %v\nwant %s %s", row.text, err, row.want, row.why)
		}
		if _, ok := errors.AsType[*input.Error](err); !ok {
			t.Errorf("Parse(%q) gives a %T, and a caller cannot put the flag in", row.text, err)
		}
	}
}

func TestEveryMetricOfTheListParses(t *testing.T) {
	for name := range strings.SplitSeq(strings.ReplaceAll(metricList, " or ", ", "), ", ") {
		name = strings.NewReplacer("p(N)", "p(99)", "within(D)", "within(50ms)").Replace(name)
		if _, err := Parse(name + ">0"); err != nil {
			t.Error(err)
		}
	}
	for _, name := range namesOf(ofRequests) {
		if name != "mean" && !strings.Contains(metricList, name) { // which is avg
			t.Errorf("%s is a metric and not in the list that errors show", name)
		}
	}
}

func TestCanonicalFormIsOneSpellingForEachMeaning(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{" corrected . avg < 0.05s", "mean<50ms"},
		{"med===50", "p(50)==50ms"},
		{"p(99.90)<1e3", "p(99.9)<1000ms"},
		{"raw.max<800us", "raw.max<0.8ms"},
		{"error_rate<0.015", "error_rate<1.5%"},
		{"error_rate<0.0001%", "error_rate<0.0001%"},
		{"error_rate==0.000", "error_rate==0%"},
		{"rps>=370.50/s", "rps>=370.5"},
		{"bytes_in<1KiB", "bytes_in<1024"},
		{"requests>1e6", "requests>1000000"},
		{"{phase:steady, GET /}:rps>1", "{GET /,phase:steady}:rps>1"},
		{`{"GET /"}:rps>1`, "{GET /}:rps>1"},
		{`{"phase:steady"}:rps>1`, `{"phase:steady"}:rps>1`},
	} {
		e, err := Parse(row.text)
		if err != nil || e.String() != row.want {
			t.Errorf("Parse(%q).String() = %q, %v, want %q", row.text, e, err, row.want)
		}
	}
}

// anyExpr draws expressions that Parse can give, with names made of what a scope is made of.
func anyExpr() *rapid.Generator[Expr] {
	name := rapid.Custom(func(t *rapid.T) string {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"GET /", "a", ",", ":", "{", "}", "}:", `"`, "`", "'", `\`, " ", "\n", ";", "phase", "phase:", "phase:steady", "é", "\xff", "\u00a0", "%",
		}), 1, 6)
		return strings.Join(pieces.Draw(t, "pieces"), "")
	})
	return rapid.Custom(func(t *rapid.T) Expr {
		e := Expr{Op: rapid.SampledFrom([]Op{Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual}).Draw(t, "op")}
		if rapid.Bool().Draw(t, "latency") {
			e.Latency = rapid.SampledFrom(latencies()).Draw(t, "which")
			e.Subject = rapid.SampledFrom([]Subject{Percentile, Mean, Min, Max, StdDev}).Draw(t, "statistic")
			e.Limit = float64(rapid.Int64Range(0, mostMicros).Draw(t, "micros")) / 1000
			if e.Subject == Percentile {
				e.Percentile = max(rapid.Float64Range(0, 100).Draw(t, "percentile"), 1e-300)
			}
		} else {
			numbers := slices.DeleteFunc(namesOf(ofRequests), func(name string) bool { s, _ := subjectIn(name, ofRequests); return s.form != aNumber })
			c, _ := subjectIn(rapid.SampledFrom(numbers).Draw(t, "number"), ofRequests)
			e.Subject = c.name
			switch e.unit() {
			case ratio:
				e.Limit = max(rapid.Float64Range(0, 1).Draw(t, "ratio"), leastLimit)
			case perSecond:
				e.Limit = max(rapid.Float64Range(0, mostLimit).Draw(t, "rate"), leastLimit)
			default:
				e.Limit = float64(rapid.Int64Range(0, mostLimit).Draw(t, "count"))
			}
			if c.runOnly {
				return e
			}
		}
		if rapid.Bool().Draw(t, "of an endpoint") {
			e.Endpoint = name.Draw(t, "endpoint")
		}
		if rapid.Bool().Draw(t, "in a phase") {
			e.Phase = rapid.SampledFrom([]string{"ramp", "steady", "drain", "warm up", "a:b"}).Draw(t, "phase")
		}
		return e
	})
}

func TestCanonicalFormReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr().Draw(t, "expr")
		back, err := Parse(e.String())
		if err != nil || back != e {
			t.Fatalf("%+v is written %s, which reads as %+v, %v", e, e, back, err)
		}
		if strings.ContainsFunc(e.String(), unicode.IsControl) {
			t.Fatalf("%q is not one line", e.String())
		}
	})
}

func TestWhiteSpaceBetweenTokensMeansNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr().Draw(t, "expr")
		text := e.String()
		scope, rest := "", text
		if i := strings.LastIndexByte(text, '}'); i >= 0 {
			scope, rest = text[:i+1], text[i+1:]
		}
		var b strings.Builder
		for i, r := range rest {
			letter := func(r rune) bool {
				return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.<>=!", r)
			}
			if i == 0 || !letter(r) || !letter(rune(rest[i-1])) {
				b.WriteString(rapid.SampledFrom([]string{"", " ", "\t", " \n "}).Draw(t, "space"))
			}
			b.WriteRune(r)
		}
		back, err := Parse(scope + b.String() + " ")
		if err != nil || back != e {
			t.Fatalf("%q reads as %+v, %v, want %+v", scope+b.String(), back, err, e)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"p(99)<50ms", "p(99.9)<=250ms", "avg<1", "raw.p(99)<1s", "failed.max<=800us", "first_byte.p(95)>0", "connect.med<1",
		"error_rate<1%", "error_rate<0.01", "error_rate<1", "rps>=370/s", "dropped==0", "bytes_in<10MiB", "max===1e2",
		"{GET /}:p(95)<20ms", "{phase:steady}:p(99)<50ms", "{GET /,phase:steady}:rps>1", "{phase:a,b,c}:rps>1", `{"a}:b"}:rps>1`,
		"{a}:b}:rps>1", " { x } : p ( 1 ) < 1 ms ", "p(99)<1e-390s", "p99<1", "{", "}", "{}:", "{:}:<", "\xff<1", "p(\n)<1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*input.Error](err); !ok || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("Parse(%q): %T %q, want one line that a field can be put in", text, err, err)
			}
			return
		}
		back, err := Parse(e.String())
		if err != nil || back != e || back.String() != e.String() {
			t.Fatalf("%q is %+v, written %s, which reads as %+v, %v", text, e, e, back, err)
		}
		if len(e.judgeRequests(&Metrics{}).Detail) == 0 {
			t.Fatalf("%q is judged without a word", text)
		}
	})
}
