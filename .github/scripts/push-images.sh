#!/usr/bin/env bash
# Builds the commit's images for both architectures and pushes them into ECR, once: a tag of a commit is immutable, so
# what is there stays, and a second run changes nothing. Tags are those that infra/stack looks for: the commit's first 12
# digits, the same with -arm64 (the same image, which has both), and dev, which moves.
#   PREFIX   of the repositories: PREFIX-app, PREFIX-loadgen
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${PREFIX:?}" "${AWS_REGION:?}"
say() { printf '%s\n' "$*" >&2; }

commit=$(git -C "$root" rev-parse HEAD)
tag=$(git -C "$root" rev-parse --short=12 HEAD)
account=$(aws sts get-caller-identity --query Account --output text)
registry=$account.dkr.ecr.$AWS_REGION.amazonaws.com
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "$registry" >&2

# A builder of its own, because the engine's builds one architecture and no attestations. The programs are compiled by
# the runner's architecture for both, so nothing is emulated.
docker buildx inspect loadgen >/dev/null 2>&1 || docker buildx create --name loadgen --driver docker-container >/dev/null

digest() { aws ecr describe-images --region "$AWS_REGION" --repository-name "$1" --image-ids "imageTag=$2" --query 'imageDetails[0].imageDigest' --output text 2>/dev/null || true; }

# names REPOSITORY TAG SOURCE: gives what SOURCE names another name, unless that is taken already by just that.
names() {
  [[ $(digest "$1" "$2") == "$(digest "$1" "$3")" ]] && return
  docker buildx imagetools create --tag "$registry/$1:$2" "$registry/$1:$3" >&2
}

# image REPOSITORY PROGRAM
image() {
  if [[ $(digest "$1" "$tag") == sha256:* ]]; then
    say "$1:$tag is there"
  elif ! docker buildx build --builder loadgen --platform linux/amd64,linux/arm64 --provenance=mode=max --sbom=true --push \
    --file "$root/Dockerfile.$2" --build-arg "VERSION=$tag" --build-arg "REVISION=$commit" --tag "$registry/$1:$tag" "$root" >&2; then
    # Another run of the same commit may have been faster; then the tag is taken, by the same.
    [[ $(digest "$1" "$tag") == sha256:* ]] || { say "push-images: $1:$tag was not pushed"; exit 1; }
    say "$1:$tag was pushed by another run meanwhile"
  fi
  # What infra/stack pushed for ARM64 alone stays.
  [[ $(digest "$1" "$tag-arm64") == sha256:* ]] || names "$1" "$tag-arm64" "$tag"
  names "$1" dev "$tag"
  printf '%s/%s@%s\n' "$registry" "$1" "$(digest "$1" "$tag")"
}

image "$PREFIX-app" server
image "$PREFIX-loadgen" loadgen
