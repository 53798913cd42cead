package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"scalableappbackend/internal/input"
)

func TestCheckRefusesAScopeThatThePlanDoesNotHave(t *testing.T) {
	endpoints := []string{"GET /", "GET /health"}
	phases := []string{"ramp", "steady", "ramp", "steady", "drain"}
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("POST /items/%d", i))
	}
	long := strings.Repeat("x", 200)
	for _, row := range []struct {
		text      string
		endpoints []string
		want      string // empty: accepted
	}{
		{"p(99)<1", nil, ""},
		{"{GET /health}:p(99)<1", endpoints, ""},
		{"{GET /,phase:steady}:p(99)<1", endpoints, ""},
		{"{phase:drain}:p(99)<1", endpoints, `"{phase:drain}:p(99)<1ms": want a phase other than drain: what is answered in it counts for the phase in which it was due`},
		{"{GET /helth}:p(99)<1", endpoints, `"{GET /helth}:p(99)<1ms": want "GET /health" instead of "GET /helth"`},
		{"{POST /login}:p(99)<1", endpoints, `"{POST /login}:p(99)<1ms": want an endpoint of the targets instead of "POST /login": "GET /", "GET /health"`},
		{"{login}:p(99)<1", many, `"{login}:p(99)<1ms": want an endpoint of the targets instead of "login" (there are 20 targets)`},
		{"{phase:stedy}:p(99)<1", endpoints, `"{phase:stedy}:p(99)<1ms": want "steady" instead of "stedy"`},
		{"{phase:spike}:p(99)<1", endpoints, `"{phase:spike}:p(99)<1ms": want a phase of the plan instead of "spike": "ramp", "steady"`},
		{"{GET /helth,phase:spike}:rps>1", endpoints, `"{GET /helth,phase:spike}:rps>1": want "GET /health" instead of "GET /helth"`},
		{`{"a\nb"}:rps>1`, []string{"GET /"}, `"{\"a\\nb\"}:rps>1": want an endpoint of the targets instead of "a\nb": "GET /"`},
		{"{a}:rps>1", []string{long + "1"}, `"{a}:rps>1": want an endpoint of the targets instead of "a": "` + long[:100] + `…"`},
	} {
		err := Check(mustParse(t, row.text), Has{Endpoints: row.endpoints, Phases: phases, Requests: true})
		if row.want == "" {
			if err != nil {
				t.Errorf("Check(%s) = %v, and the plan has it", row.text, err)
			}
			continue
		}
		if err == nil || err.Error() != row.want {
			t.Errorf("Check(%s)\n got %v\nwant %s", row.text, err, row.want)
		}
		if _, ok := errors.AsType[*input.Error](err); !ok {
			t.Errorf("Check(%s) gives a %T", row.text, err)
		}
	}
}

func TestTheCallerPutsInWhatTheUserNamed(t *testing.T) {
	_, err := Parse("p99<50ms")
	if got, want := input.WithField(err, "--threshold").Error(), `--threshold "p99<50ms": want p(99) instead of p99`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
