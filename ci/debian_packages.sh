#!/usr/bin/env bash
# Installs what tests and checks want of Debian or Ubuntu, where it is missing; as root. Not chromium,
# which Ubuntu has as a snap alone: browser tests skip without it, .ci/run runs them on Debian.
set -euo pipefail

missing=()
for command in gcc:gcc nm:binutils make:make git:git python3:python3 tsc:node-typescript npm:npm \
  shellcheck:shellcheck; do
  command -v "${command%%:*}" >/dev/null || missing+=("${command##*:}")
done
[ ${#missing[@]} -eq 0 ] && exit
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
