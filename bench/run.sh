#!/usr/bin/env bash
# Measures loadgen beside its peers and writes docs/performance.md. Arguments go to the program: bench/run.sh -rounds 3
# The first run installs what is missing, which takes longer than the measuring: bench/run.sh -install-only
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v nginx >/dev/null || ls /usr/sbin/nginx >/dev/null 2>&1 || { echo "bench: nginx is needed: it answers the requests" >&2; exit 1; }
exec go run ./bench -o docs/performance.md "$@"
