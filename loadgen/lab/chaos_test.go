package lab

import (
	"testing"
	"time"

	"scalableappbackend/internal/input"
)

func TestChaosIsReadAndWrittenAlike(t *testing.T) {
	for text, want := range map[string]Chaos{
		"kill-task@60s":            {Verb: KillTask, From: time.Minute},
		"kill-task@0":              {Verb: KillTask},
		"stop-task@1m":             {Verb: StopTask, From: time.Minute},
		"spot-interrupt@2":         {Verb: SpotInterrupt, From: 2 * time.Second},
		" kill-task@90 ":           {Verb: KillTask, From: 90 * time.Second},
		"kill-zone:b@90s..120s":    {Verb: KillZone, Zone: "b", From: 90 * time.Second, To: 2 * time.Minute},
		"kill-zone:a@500ms..1m30s": {Verb: KillZone, Zone: "a", From: 500 * time.Millisecond, To: 90 * time.Second},
	} {
		got, err := ParseChaos(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := ParseChaos(got.String()); err != nil || again != got {
			t.Errorf("%q, written as %q: %+v, %v", text, got, again, err)
		}
	}
}

func TestChaosThatCannotBeIsRefused(t *testing.T) {
	const any = `kill-task@TIME, stop-task@TIME, spot-interrupt@TIME or kill-zone:ZONE@FROM..TO, e.g. kill-task@60s, kill-zone:b@90s..120s`
	const span = `kill-zone:ZONE@FROM..TO with FROM before TO, e.g. kill-zone:b@90s..120s`
	for _, tt := range []struct{ text, want, hint, why string }{
		{"", "empty, want " + any, "", "nothing"},
		{"explode@60s", `"explode@60s": want ` + any, "", "an unknown verb"},
		{"kil-task@60s", `"kil-task@60s": want ` + any, "did you mean kill-task?", "a slip"},
		{"kill-zones:b@1s..2s", `"kill-zones:b@1s..2s": want ` + any, "did you mean kill-zone?", "another"},
		{"kill-task", `"kill-task": want ` + any, "", "no time"},
		{"kill-task@", `"kill-task@": want kill-task@TIME, e.g. kill-task@60s`, "", "an empty time"},
		{"kill-task@-5s", `"kill-task@-5s": want kill-task@TIME, e.g. kill-task@60s`, "", "before the load"},
		{"kill-task:b@60s", `"kill-task:b@60s": want kill-task@TIME, e.g. kill-task@60s`, "", "a zone has no task"},
		{"kill-task@1s..2s", `"kill-task@1s..2s": want kill-task@TIME, e.g. kill-task@60s`, "", "a death takes no time"},
		{"kill-zone@1s..2s", `"kill-zone@1s..2s": want kill-zone:ZONE@FROM..TO, ZONE being a or b`, "", "no zone"},
		{"kill-zone:c@1s..2s", `"kill-zone:c@1s..2s": want kill-zone:ZONE@FROM..TO, ZONE being a or b`, "", "a third zone"},
		{"kill-zone:b@1s", `"kill-zone:b@1s": want ` + span, "", "no end"},
		{"kill-zone:b@2s..2s", `"kill-zone:b@2s..2s": want ` + span, "", "no time at all"},
		{"kill-zone:b@3s..2s", `"kill-zone:b@3s..2s": want ` + span, "", "an end before its beginning"},
	} {
		c, err := ParseChaos(tt.text)
		if err == nil {
			t.Errorf("%q: %+v, want an error: %s", tt.text, c, tt.why)
			continue
		}
		if hint := input.Errors(err)[0].Hint; err.Error() != tt.want || hint != tt.hint {
			t.Errorf("%q:\n got %s (%s)\nwant %s (%s)", tt.text, err, hint, tt.want, tt.hint)
		}
	}
}

func FuzzParseChaos(f *testing.F) {
	for _, seed := range []string{"kill-task@60s", "kill-zone:b@90s..120s", "kill-zone:a@0..1", "kil@", "kill-zone:b@1s...2s", "@", ":@.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseChaos(text)
		if err != nil {
			if len(input.Errors(err)) != 1 {
				t.Fatalf("%q: %v, want a field", text, err)
			}
			return
		}
		if again, err := ParseChaos(c.String()); err != nil || again != c {
			t.Fatalf("%q: %+v, written as %q and read as %+v, %v", text, c, c, again, err)
		}
		if err := c.check(0); err != nil {
			t.Fatalf("%q: read and then refused: %v", text, err)
		}
	})
}
