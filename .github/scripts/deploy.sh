#!/usr/bin/env bash
# What the workflow deploy does, with the state in a bucket.
#   deploy.sh plan     shows what an apply would change, in the job's summary
#   deploy.sh apply    infra/stack up; when the example deploys by canary, a run of load at the new version beside it
#                      decides: when it fails, the deployment is rolled back and this ends with the run's exit code
#   EXAMPLE, PREFIX, STATE_BUCKET, AWS_REGION; POLL is the pause between two looks in seconds (15)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${EXAMPLE:?}" "${PREFIX:?}" "${STATE_BUCKET:?}" "${AWS_REGION:?}"
say() { printf '%s\n' "$*" >&2; }
command=${1:-}
case $command in plan | apply) ;; *) say "deploy: want plan or apply"; exit 2 ;; esac
[[ $EXAMPLE =~ ^[a-z0-9-]+$ && -d $root/infra/examples/$EXAMPLE ]] || { say "deploy: EXAMPLE=$EXAMPLE: no such example"; exit 2; }
example=$root/infra/examples/$EXAMPLE
tf() { tofu -chdir="$example" "$@"; }

# The examples keep their state on disk; an override puts it into the bucket without a change to a file of git.
cat >"$example/backend_override.tf" <<END
terraform {
  backend "s3" {
    bucket       = "$STATE_BUCKET"
    key          = "$EXAMPLE.tfstate"
    region       = "$AWS_REGION"
    use_lockfile = true
  }
}
END

# A plan without the images that run would take the service away: what dev names is what main pushed last.
digest() { aws ecr describe-images --region "$AWS_REGION" --repository-name "$1" ${2:+--image-ids "imageTag=$2"} --query "$3" --output text 2>/dev/null || true; }
images() {
  local account registry app load collector
  account=$(aws sts get-caller-identity --query Account --output text)
  registry=$account.dkr.ecr.$AWS_REGION.amazonaws.com
  app=$(digest "$PREFIX-app" dev 'imageDetails[0].imageDigest')
  load=$(digest "$PREFIX-loadgen" dev 'imageDetails[0].imageDigest')
  collector=$(digest "$PREFIX-collector" '' 'sort_by(imageDetails[?imageTags],&imagePushedAt)[-1].imageDigest')
  [[ $app == sha256:* && $load == sha256:* ]] || { say "deploy: no images yet in $PREFIX-app and $PREFIX-loadgen: without them there is no service"; return; }
  {
    printf '{\n  "app_image": "%s/%s@%s",\n  "loadgen_image": "%s/%s@%s"' "$registry" "$PREFIX-app" "$app" "$registry" "$PREFIX-loadgen" "$load"
    [[ $collector != sha256:* ]] || printf ',\n  "collector_image": "%s/%s@%s"' "$registry" "$PREFIX-collector" "$collector"
    printf '\n}\n'
  } >"$example/images.auto.tfvars.json"
}

plan() {
  local shown
  tf init -input=false >&2
  # The role that plans reads: it may take no lock but the bucket's own.
  tf plan -input=false -out="$example/stack.tfplan" >&2
  shown=$(tf show -no-color "$example/stack.tfplan")
  {
    printf '### Plan of %s\n\n%s\n\n' "$EXAMPLE" "$(grep -E '^(Plan:|No changes)' <<<"$shown" || echo 'Only outputs change.')"
    # A summary holds a megabyte at most. The state has no secrets, but a backtick would end the block.
    printf '<details><summary>All of it</summary>\n\n~~~text\n%s\n~~~\n\n</details>\n' "$(head -c 800000 <<<"$shown" | tr -d '~')"
  } >>"${GITHUB_STEP_SUMMARY:?}"
}

# stage: where the deployment under way stands; empty when there is none.
stage() {
  local cluster service deployment
  cluster=$(tf output -raw cluster 2>/dev/null) && service=$(tf output -raw service 2>/dev/null) && [[ -n $service ]] || return 0
  deployment=$(aws ecs list-service-deployments --region "$AWS_REGION" --cluster "$cluster" --service "$service" --status IN_PROGRESS --query 'serviceDeployments[0].serviceDeploymentArn' --output text)
  [[ $deployment == arn:* ]] || return 0
  aws ecs describe-service-deployments --region "$AWS_REGION" --service-deployment-arns "$deployment" --query 'serviceDeployments[0].lifecycleStage' --output text
}

apply() {
  local up code=0 gate=0 gated='' header
  tf init -input=false >&2
  header=$(tf output -raw deployment_test_header 2>/dev/null || true)
  YES=1 TF=tofu "$root/infra/stack" up "EXAMPLE=$EXAMPLE" &
  up=$!
  while [[ -n $header && -z $gated ]] && kill -0 "$up" 2>/dev/null; do
    case $(stage) in
      # The new version answers by the test header from here on; before, nobody would.
      POST_TEST_TRAFFIC_SHIFT | PRODUCTION_TRAFFIC_SHIFT | POST_PRODUCTION_TRAFFIC_SHIFT | BAKE_TIME)
        gated=1
        YES=1 TF=tofu "$root/infra/stack" gate "EXAMPLE=$EXAMPLE" || gate=$?
        ;;
      *) sleep "${POLL:-15}" ;;
    esac
  done
  wait "$up" || code=$?
  if [[ -n $gated ]]; then
    printf '### Canary: %s\n\nA run of load at the new version ended with %d.\n' "$( ((gate == 0)) && echo passed || echo rolled back)" "$gate" >>"${GITHUB_STEP_SUMMARY:?}"
  elif [[ -n $header ]]; then
    say "deploy: no deployment shifted traffic: the version that runs is the one that was applied"
  fi
  ((gate == 0)) || exit "$gate"
  exit "$code"
}

images
"$command"
