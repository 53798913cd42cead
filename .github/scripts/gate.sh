#!/usr/bin/env bash
# Runs the load, compares, and writes the report: what action.yml is for. It ends with 0 whenever it could say something:
# outputs code, verdict, result and report carry the answer on, so that upload and comment come before verdict.sh.
#   LOADGEN            the program
#   START, BUILD       paired: the command that serves a checkout (its port in $PORT), and one that builds it before
#   BASE_REF           paired: the commit to compare with
#   HOST, BASE_HOST    or a service that runs, and another one to be paired with it
#   BASELINE           or results to compare with: one, a folder of some, or a folder of `loadgen baseline`
#   RUNS               how many runs beside a baseline
#   ARGS               flags of `loadgen run`, as words of a command line
#   FAIL_ON            one expression a line
#   STRICT             true: cannot tell fails too
#   NAME               names the result and the report
#   DIRECTORY          folder of the checkout in which BUILD and START run
set -euo pipefail
: "${LOADGEN:?}" "${GITHUB_OUTPUT:?}" "${GITHUB_STEP_SUMMARY:?}" "${RUNNER_TEMP:?}" "${GITHUB_WORKSPACE:?}"
NAME=${NAME:-loadgen} RUNS=${RUNS:-1} STRICT=${STRICT:-false}
START=${START:-} BUILD=${BUILD:-} BASE_REF=${BASE_REF:-} HOST=${HOST:-} BASE_HOST=${BASE_HOST:-} BASELINE=${BASELINE:-}
ARGS=${ARGS:-} FAIL_ON=${FAIL_ON:-} DIRECTORY=${DIRECTORY:-.}

# A name becomes a folder, an artifact and a part of a comment.
[[ $NAME =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ ]] || { printf '::error title=loadgen::name: want letters, digits, ., _ and -, at most 64\n'; exit 2; }
work=$RUNNER_TEMP/loadgen/$NAME
out=$work/result report=$work/report.md log=$work/log
rm -rf "$work"
mkdir -p "$work"
: >"$log"
code=0 verdict=none basis=''

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# finish writes what every end has: the report to the job's summary, and the outputs.
finish() {
  {
    printf '\n<sub>%s' "$NAME"
    [[ -z $basis ]] || printf ' · base: %s' "$basis"
    [[ -z ${GITHUB_SHA:-} ]] || printf ' · new: %s' "${GITHUB_SHA:0:12}"
    [[ -z ${GITHUB_RUN_ID:-} ]] || printf ' · [the run, with its results](%s/%s/actions/runs/%s)' "${GITHUB_SERVER_URL:-https://github.com}" "${GITHUB_REPOSITORY:-}" "$GITHUB_RUN_ID"
    printf ' · exit code %d</sub>\n' "$code"
  } >>"$report"
  cat "$report" >>"$GITHUB_STEP_SUMMARY"
  output code "$code"
  output verdict "$verdict"
  output report "$report"
  if [[ -d $out ]]; then output result "$out"; fi
  exit 0
}

# stop CODE [WHY]: nothing to compare; the last lines that were said tell why.
stop() {
  local why=${2:-The run stopped before there was anything to compare:}
  code=$1
  if ((code == 96)); then
    why='The runner was too busy to generate the load as planned, so the numbers say nothing about the service. Run the job again, on a quieter or a larger runner:'
  fi
  {
    printf '### ⚠️ Performance: not measured\n\n%s\n\n' "$why"
    # shellcheck disable=SC2016
    printf '```text\n%s\n```\n' "$({ grep -E '^(note: the generator is )?INVALID' "$log" || true; tail -n 12 "$log"; } | awk '!seen[$0]++' | tr -d '`' | cut -c1-500)"
  } >"$report"
  finish
}
refuse() { printf 'loadgen: %s\n' "$*" | tee -a "$log"; printf '::error title=loadgen::%s\n' "$*"; stop 2 "An input of the action cannot be used:"; }

# says COMMAND…: runs it, on the job's log and in ours; its exit code in code.
says() {
  code=0
  "$@" </dev/null 2>&1 | tee -a "$log" || code=${PIPESTATUS[0]} # on standard input a run would listen for keys
}

args=() gates=()
if [[ $ARGS == *[![:space:]]* ]]; then
  # xargs knows quotes and expands nothing.
  xargs printf '%s\0' <<<"$ARGS" >"$work/args" 2>>"$log" || refuse "args: want words of a command line, with quotes that are closed"
  while IFS= read -r -d '' word; do args+=("$word"); done <"$work/args"
fi
while read -r line; do
  if [[ -n $line ]]; then gates+=(--fail-on "$line"); fi
done <<<"$FAIL_ON"
case $STRICT in true) gates+=(--strict) ;; false) ;; *) refuse "strict: want true or false" ;; esac
[[ $RUNS =~ ^[1-9][0-9]?$ ]] || refuse "runs: want a number from 1 to 99"
for word in ${args[@]+"${args[@]}"}; do
  case $word in -o | -o?* | --out | --out=*) refuse "args: $word: the action keeps the result itself; its folder is the output result" ;; esac
done

# run DIR FLAG…: one run into DIR; a code beside which there is nothing to compare ends the step.
run() {
  local dir=$1
  shift
  says "$LOADGEN" run --headless "$@" ${args[@]+"${args[@]}"} -o "$dir"
  case $code in 0 | 97 | 98 | 99) ;; *) stop "$code" ;; esac
}

# compared COMPARISON…: the report of `loadgen compare` with these arguments, and its verdict.
compared() {
  local run=$code
  code=0
  "$LOADGEN" compare "$@" ${gates[@]+"${gates[@]}"} -f markdown >"$report" 2>"$work/said" || code=$?
  cat "$work/said" >>"$log"
  cat "$work/said"
  case $code in
    0 | 98)
      "$LOADGEN" compare "$@" ${gates[@]+"${gates[@]}"} -f json >"$work/compare.json" 2>/dev/null || true
      verdict=$(jq -r .verdict "$work/compare.json")
      ;;
    *) stop "$code" 'These results cannot be compared:' ;;
  esac
  if ((run != 0)); then code=$run; fi # thresholds of the run itself come first
}

# alone: a run without anything to compare it with.
alone() {
  run "$out" -H "$HOST"
  {
    printf '### Performance: measured, not compared\n\n%s\n\n' "$1"
    "$LOADGEN" report "$out" -f markdown
  } >"$report" 2>>"$log"
  finish
}

# results FOLDER: sets base to the results that it stands for.
results() {
  local dir kept
  base=()
  if [[ -f $1/result.json ]]; then base=("$1"); return; fi
  for dir in "$1"/*/; do
    if [[ -f ${dir}result.json ]]; then base+=("${dir%/}"); fi
  done
  if ((${#base[@]} == 0)) && kept=$("$LOADGEN" baseline show --dir "$1" 2>>"$log"); then base=("$kept"); fi
}

# checkouts sets commit, the commit to compare with, and puts its tree into $work/base.
checkouts() {
  [[ $BASE_REF =~ [1-9a-zA-Z] && $BASE_REF != -* ]] || refuse "base-ref: this event names no commit to compare with; give one, or run the action on pull requests"
  if ! commit=$(git -C "$GITHUB_WORKSPACE" rev-parse --verify --quiet "$BASE_REF^{commit}"); then
    git -C "$GITHUB_WORKSPACE" fetch --quiet --no-tags --depth=1 origin "$BASE_REF" >>"$log" 2>&1 ||
      refuse "base-ref: $BASE_REF is not in this checkout and cannot be fetched; give actions/checkout fetch-depth: 0"
    commit=$(git -C "$GITHUB_WORKSPACE" rev-parse --verify "FETCH_HEAD^{commit}")
  fi
  basis=${commit:0:12}
  git -C "$GITHUB_WORKSPACE" worktree prune # of a run before on the same machine
  git -C "$GITHUB_WORKSPACE" worktree add --quiet --detach "$work/base" "$commit"
}

# built SIDE DIR: the user's own command, in one of the checkouts.
built() {
  [[ -d $2 ]] || refuse "directory: $DIRECTORY is not in the checkout of $1"
  [[ -n $BUILD ]] || return 0
  printf 'build of %s: %s\n' "$1" "$BUILD" | tee -a "$log"
  code=0
  (cd "$2" && exec bash -eo pipefail -c "$BUILD") 2>&1 | tee -a "$log" || code=${PIPESTATUS[0]}
  ((code == 0)) || stop 1 "The build of $1 failed:"
}

# paired FLAG…: both sides in one run, in turns, and the comparison.
paired() {
  run "$out" "$@" ${gates[@]+"${gates[@]}"}
  [[ -f $out/compare.json ]] || stop "$((code == 0 ? 1 : code))"
  compared "$out"
}

if [[ -n $START ]]; then
  [[ -z $HOST$BASE_HOST$BASELINE ]] || refuse "start: the action starts the service itself; want no host, base-host or baseline beside it"
  [[ $DIRECTORY != *\'* ]] || refuse "directory: want a name without quotes"
  checkouts
  built base "$work/base/$DIRECTORY"
  built new "$GITHUB_WORKSPACE/$DIRECTORY"
  # The command is a file and not an argument, so that it means to bash what it meant in the workflow.
  printf '%s\n' "$START" >"$work/start"
  printf 'cd "$1" && exec bash -c "$(cat "$2")"\n' >"$work/serve"
  paired --start "bash '$work/serve' '$GITHUB_WORKSPACE/$DIRECTORY' '$work/start'" --base-start "bash '$work/serve' '$work/base/$DIRECTORY' '$work/start'"
elif [[ -z $HOST ]]; then
  refuse "want start, a command that serves a checkout, or host, the address of a service that runs"
elif [[ -n $BASE_HOST ]]; then
  [[ -z $BASELINE ]] || refuse "base-host: want no baseline beside it"
  basis=$BASE_HOST
  paired -H "$HOST" --base-host "$BASE_HOST"
elif [[ -n $BASELINE ]]; then
  if [[ ! -d $BASELINE ]]; then
    printf '::warning title=loadgen::baseline: no folder %s: this run is the first\n' "$BASELINE"
    alone "There is no baseline yet: keep this result as one."
  fi
  results "$BASELINE"
  ((${#base[@]} > 0)) || refuse "baseline: $BASELINE holds no result"
  basis="${#base[@]} kept run$( ((${#base[@]} == 1)) || echo s)"
  new=() worst=0
  for ((i = 1; i <= RUNS; i++)); do
    dir=$out
    ((RUNS == 1)) || dir=$out/$i
    run "$dir" -H "$HOST"
    ((code == 0)) || worst=$code
    new+=("$dir")
  done
  code=$worst
  compared "${base[@]}" -- "${new[@]}"
else
  alone "No baseline and no base were given: the run's own thresholds decide alone."
fi
finish
