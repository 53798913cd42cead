#!/usr/bin/env bash
# release-image.sh PROGRAM VERSION: builds an image for both architectures with SBOM and provenance, and pushes it to
# GitHub's registry as VERSION, unless it is there: a release that is run again changes nothing.
#   TOKEN with packages: write; GITHUB_REPOSITORY, GITHUB_ACTOR, GITHUB_OUTPUT (name, digest). REGISTRY: ghcr.io
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${TOKEN:?}" "${GITHUB_REPOSITORY:?}" "${GITHUB_ACTOR:?}" "${GITHUB_OUTPUT:?}"
program=${1:-} version=${2:-}
case $program in loadgen | server) ;; *) printf 'release-image: want loadgen or server\n' >&2; exit 2 ;; esac
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+([.-][0-9A-Za-z.-]+)?$ ]] || { printf 'release-image: %s: want vX.Y.Z\n' "${version:-no version}" >&2; exit 2; }
registry=${REGISTRY:-ghcr.io}
name=$registry/$(tr '[:upper:]' '[:lower:]' <<<"$GITHUB_REPOSITORY")/$program

docker login --username "$GITHUB_ACTOR" --password-stdin "$registry" <<<"$TOKEN" >&2
docker buildx inspect loadgen >/dev/null 2>&1 || docker buildx create --name loadgen --driver docker-container >/dev/null
digest() { docker buildx imagetools inspect "$name:$version" --format '{{.Manifest.Digest}}' 2>/dev/null || true; }
if [[ $(digest) == sha256:* ]]; then
  printf '%s:%s is there\n' "$name" "$version" >&2
else
  docker buildx build --builder loadgen --platform linux/amd64,linux/arm64 --provenance=mode=max --sbom=true --push \
    --file "$root/Dockerfile.$program" --build-arg "VERSION=$version" --build-arg "REVISION=$(git -C "$root" rev-parse HEAD)" --tag "$name:$version" "$root" >&2
fi
pushed=$(digest)
[[ $pushed == sha256:* ]] || { printf 'release-image: %s:%s was not pushed\n' "$name" "$version" >&2; exit 1; }
printf 'name=%s\ndigest=%s\n' "$name" "$pushed" >>"$GITHUB_OUTPUT"
