#!/usr/bin/env bash
# Installs this checkout and its locked tools into .venv, as `make report` does.
set -euo pipefail
cd "$(dirname "$0")/../.."

make .venv/installed
