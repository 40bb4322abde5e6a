#!/usr/bin/env bash
# Installs what tests and checks want of Debian or Ubuntu, where it is missing; as root.
#
#   ci/debian_packages.sh          for `make test` and `make check`
#   ci/debian_packages.sh --all    for .ci/run as well: a browser, more BLAS builds, a cluster, a server
#                                  for S3. Debian's: Ubuntu has chromium as a snap alone
set -euo pipefail

# COMMAND-OR-FILE:PACKAGE
wanted=(gcc:gcc nm:binutils make:make git:git python3:python3 tsc:node-typescript npm:npm shellcheck:shellcheck
  zsh:zsh tcsh:tcsh)
if [ "${1:-}" = --all ]; then
  wanted+=(chromium:chromium slurmctld:slurm-wlm munged:munge ss:iproute2
    ceph-mon:ceph-mon ceph-osd:ceph-osd radosgw:radosgw ceph:ceph-common)
  # netlib and BLIS: BLAS builds that no package index has.
  for library in blas/libblas:libblas3 lapack/liblapack:liblapack3 blas64/libblas64:libblas64-3 \
    lapack64/liblapack64:liblapack64-3 blis-pthread/libblas:libblis4-pthread \
    blis64-pthread/libblas64:libblis64-4-pthread; do
    wanted+=("/usr/lib/x86_64-linux-gnu/${library%%:*}.so.3:${library##*:}")
  done
fi

missing=()
for one in "${wanted[@]}"; do
  command -v "${one%%:*}" >/dev/null || [ -e "${one%%:*}" ] || missing+=("${one##*:}")
done
# Debian's python3 comes without what `python3 -m venv` needs.
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
[ ${#missing[@]} -eq 0 ] && exit
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
