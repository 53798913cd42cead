#!/usr/bin/env bash
# Puts the report on the pull request: one comment for each NAME, updated from then on. It never fails a job: the gate is
# the exit code, and what cannot be commented is in the job's summary.
#   REPORT, NAME, TOKEN
#   PULL_REQUEST       number; empty where the event is of no pull request
#   HEAD_REPOSITORY    OWNER/NAME that the change comes from; a fork's has no token that may write
set -euo pipefail
: "${REPORT:?}" "${NAME:?}" "${GITHUB_REPOSITORY:?}" "${RUNNER_TEMP:?}"
api=${GITHUB_API_URL:-https://api.github.com} marker="<!-- loadgen: $NAME -->"
skip() { printf '::notice title=loadgen::%s\n' "$*"; exit 0; }
give_up() { printf '::warning title=loadgen::no comment: %s; the report is in the summary of this job\n' "$*"; exit 0; }

[[ -n ${PULL_REQUEST:-} ]] || exit 0
[[ $PULL_REQUEST =~ ^[0-9]+$ ]] || give_up "pull request $PULL_REQUEST is no number"
[[ ${HEAD_REPOSITORY:-} == "$GITHUB_REPOSITORY" ]] || skip "a change from a fork has no token that may comment: the report is in the summary of this job"
[[ -n ${TOKEN:-} ]] || give_up "the token is empty"
for tool in curl jq; do command -v "$tool" >/dev/null || give_up "$tool is not on this runner"; done

temp=$(mktemp -d "$RUNNER_TEMP/comment.XXXXXX")
trap 'rm -rf "$temp"' EXIT

# call METHOD PATH [FILE]: status and $temp/answer. The token goes through a pipe: arguments can be read by every process.
call() {
  local method=$1 path=$2
  shift 2
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" | curl --config - --silent --show-error --max-time 30 --request "$method" \
    --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
    ${1+--header 'Content-Type: application/json' --data-binary "@$1"} --output "$temp/answer" --write-out '%{http_code}' "$api$path") || status=000
}
explained() {
  case $status in
    401) echo "the token is not accepted (401)" ;;
    403 | 404) echo "the token may not write comments ($status): give the job permissions: pull-requests: write" ;;
    000) echo "$api does not answer" ;;
    *) echo "$api answers $status" ;;
  esac
}

# GitHub takes 65,536 characters; what is cut off is folded away anyway, so the tail that closes it is put back.
jq -Rs --arg marker "$marker" '($marker + "\n" + .) as $body
  | {body: (if ($body | length) > 65000 then $body[:64000] + "\n\n</details>\n\nThe rest is in the summary of this job.\n" else $body end)}' "$REPORT" >"$temp/body"

# Ours begin with the marker and were written by a bot, or by whom the token belongs to: a stranger who quotes the marker
# does not have a comment of theirs replaced.
me=''
call GET /user
if [[ $status == 200 ]]; then me=$(jq -r '.login // ""' "$temp/answer"); fi
ours=()
for ((page = 1; page <= 50; page++)); do
  call GET "/repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments?per_page=100&page=$page"
  [[ $status == 200 ]] || give_up "$(explained)"
  while read -r id; do ours+=("$id"); done < <(jq -r --arg marker "$marker" --arg me "$me" \
    '.[] | select((.body // "" | startswith($marker)) and (.user.type == "Bot" or ($me != "" and .user.login == $me))) | .id' "$temp/answer" | tr -d '\r')
  if (($(jq length "$temp/answer") < 100)); then break; fi
done

if ((${#ours[@]} == 0)); then
  call POST "/repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" "$temp/body"
  [[ $status == 201 ]] || give_up "$(explained)"
else
  call PATCH "/repos/$GITHUB_REPOSITORY/issues/comments/${ours[0]}" "$temp/body"
  [[ $status == 200 ]] || give_up "$(explained)"
  # Two runs at once may have made two.
  for ((i = 1; i < ${#ours[@]}; i++)); do call DELETE "/repos/$GITHUB_REPOSITORY/issues/comments/${ours[i]}"; done
fi
