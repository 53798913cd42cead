#!/usr/bin/env bash
# The last step: CODE of the gate becomes the step's, after report, artifact and comment are out.
set -euo pipefail
CODE=${CODE:-}
[[ $CODE =~ ^[0-9]+$ ]] || { printf '::error title=loadgen::there is no result: an earlier step failed\n'; exit 1; }
case $CODE in
  0) ;;
  98) printf '::error title=loadgen::regression: worse than what it was compared with (exit 98); the report is in the summary\n' ;;
  99) printf '::error title=loadgen::threshold failed (exit 99); the report is in the summary\n' ;;
  96) printf '::error title=loadgen::the generator could not keep up, so the numbers are of no use (exit 96); the report is in the summary\n' ;;
  *) printf '::error title=loadgen::exit %d; the report is in the summary\n' "$CODE" ;;
esac
exit "$CODE"
