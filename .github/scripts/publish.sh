#!/usr/bin/env bash
# publish.sh VERSION DIR: the release of a tag, with all files of DIR, made visible when all are there. Run again it
# continues where it stopped, and leaves a release alone that is out.
#   GH_TOKEN with contents: write
set -euo pipefail
: "${GH_TOKEN:?}" "${GITHUB_REPOSITORY:?}"
version=${1:?} dir=${2:?}
(cd "$dir" && sha256sum --check --quiet SHA256SUMS)
state=$(gh release view "$version" --repo "$GITHUB_REPOSITORY" --json isDraft --jq .isDraft 2>/dev/null || echo none)
case $state in
  false) printf '%s is out\n' "$version"; exit 0 ;;
  none)
    kind=()
    if [[ $version == *-* ]]; then kind=(--prerelease); fi
    gh release create "$version" --repo "$GITHUB_REPOSITORY" --draft --verify-tag --generate-notes --title "$version" ${kind[@]+"${kind[@]}"}
    ;;
esac
gh release upload "$version" --repo "$GITHUB_REPOSITORY" --clobber "$dir"/*
gh release edit "$version" --repo "$GITHUB_REPOSITORY" --draft=false
