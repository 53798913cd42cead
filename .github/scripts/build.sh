#!/usr/bin/env bash
# Finds or builds the program and says where it is, as output loadgen.
#   LOADGEN  a program that is there already; empty: built from the source beside this script, by the runner's own go.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${GITHUB_OUTPUT:?}" "${RUNNER_TEMP:?}"
fail() { printf '::error title=loadgen::%s\n' "$*"; exit 2; }

program=${LOADGEN:-}
if [[ -z $program ]]; then
  command -v go >/dev/null || fail "go: not found on this runner; put actions/setup-go before this step, or give the input loadgen"
  program=$RUNNER_TEMP/loadgen-bin/loadgen
  [[ ${RUNNER_OS:-} == Windows ]] && program+=.exe
  # An older go fetches the toolchain that go.mod names. The user's own Go settings do not matter to this build.
  (cd "$source" && GOTOOLCHAIN=auto GOFLAGS='' GOWORK=off CGO_ENABLED=0 go build -trimpath -o "$program" ./cmd/loadgen)
fi
"$program" version >/dev/null || fail "$program: does not run"
printf 'loadgen=%s\n' "$program" >>"$GITHUB_OUTPUT"
