#!/usr/bin/env bash
# programs.sh VERSION DIR: an archive a platform with both programs, an SBOM for each program (CycloneDX, read from the
# program itself), and SHA256SUMS over all. The same source and Go give the same bytes.
#   PLATFORMS   os/arch, blanks between; the six that are tested for compiling when empty
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
version=${1:-} out=${2:-}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+([.-][0-9A-Za-z.-]+)?$ ]] || { printf 'programs: %s: want vX.Y.Z\n' "${version:-no version}" >&2; exit 2; }
[[ -n $out ]] || { printf 'programs: want a folder after the version\n' >&2; exit 2; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
GOBIN=$temp go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# All that is in an archive is as old as the commit.
stamp=$(git -C "$root" log -1 --format=%ct)

for platform in ${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
  os=${platform%/*} arch=${platform#*/} suffix=''
  if [[ $os == windows ]]; then suffix=.exe; fi
  name=loadgen_${version#v}_${os}_$arch
  mkdir "$temp/$name"
  for program in loadgen server; do
    (cd "$root" && GOOS=$os GOARCH=$arch CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$temp/$name/$program$suffix" "./cmd/$program")
    "$temp/cyclonedx-gomod" bin -json -noserial -version "$version" "$temp/$name/$program$suffix" |
      jq --arg at "$(date -u -d "@$stamp" +%FT%TZ)" '.metadata.timestamp = $at' >"$out/${name}_$program.cdx.json"
  done
  cp "$root/LICENSE" "$root/README.md" "$temp/$name/"
  find "$temp/$name" -exec touch -d "@$stamp" {} +
  if [[ $os == windows ]]; then
    (cd "$temp" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -X -q "$out/$name.zip" -@)
  else
    tar -C "$temp" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -cf - "$name" | gzip -n -9 >"$out/$name.tar.gz"
  fi
  rm -rf "${temp:?}/$name"
done
cd "$out"
find . -type f ! -name 'SHA256SUMS*' | sed 's,^\./,,' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS.tmp
mv SHA256SUMS.tmp SHA256SUMS
cat SHA256SUMS
