package exit

import (
	"fmt"
	"strings"
)

// Markdown is docs/exit-codes.md: the table of the codes, and how one is chosen.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Exit codes\n\n")
	b.WriteString("The last line on stderr names the code: `" + ThresholdFailed.Line() + "`.\n\n")
	b.WriteString("| code | name | meaning |\n|---:|---|---|\n")
	for _, row := range codes {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", row.code, row.name, row.meaning)
	}
	fmt.Fprintf(&b, "| N | %s | Any request failed, nothing above applies, and `--exit-code-on-error N` was given. |\n", failedRequests)
	fmt.Fprintf(&b, `
If several apply, the first of these is the code: %d, %d, %d, %d, %d, %d.

Failed requests alone do not change the code: thresholds and `+"`--exit-code-on-error`"+` say what is too many. There is
one exception. When no request succeeded, and there was no threshold, no expectation and no `+"`--exit-code-on-error`"+`
(flag, variable or plan) to say what that means, the code is %d, after all of the above: a service that is down passes
nothing. `+"`--exit-code-on-error 0`"+` says that no number of failures is too many. Results that were merged are judged as
one run. A run whose verdict is SUSPECT exits as if it were VALID, and says so.

A run that was interrupted evaluates its thresholds on what there is, writes and shows them, and exits %d all the same.
`, Interrupted, RunError, Unhealthy, ThresholdFailed, ScalingNotMet, Regression, RunError, Interrupted)
	return b.String()
}
