#!/usr/bin/env bash
# Answers git, which calls it with a question: GitHub's own host gets the job's token, nobody else does.
set -euo pipefail

server=${GITHUB_SERVER_URL:-https://github.com}
case $1 in
  "Username for '$server"[\'/]*) echo x-access-token ;;
  "Password for '${server%%://*}://x-access-token@${server#*://}"[\'/]*) printf '%s\n' "$GITHUB_TOKEN" ;;
  *) exit 1 ;;
esac
