#!/usr/bin/env bash
# From a fresh machine to answers: installs Nutgraf, indexes FOLDER (default: sample/), asks three
# questions. Run it again as often as you like; what is done already is not done twice.
# Usage: scripts/demo.sh [FOLDER]
set -euo pipefail
folder=$(realpath -- "${1:-"$(dirname -- "$0")/../sample"}")
cd -- "$(dirname -- "$0")/.."
. scripts/venv.sh
nutgraf_venv

nutgraf=.venv/bin/nutgraf
if [ "$folder" = "$PWD/sample" ]; then
    store=demo-store
else
    store=nutgraf-store
fi
store=${NUTGRAF_STORE:-$store}
export NUTGRAF_STORE=$store

status=0
"$nutgraf" add "$folder" || status=$?
# 3: some records were rejected and listed; the others are there and can be asked.
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"

while IFS= read -r question; do
    printf '\n\033[1m? %s\033[0m\n' "$question"
    "$nutgraf" search "$question" -k 3
done < <(.venv/bin/python scripts/demo_questions.py "$folder" "$store")

cat <<NEXT

What to type next:
  export NUTGRAF_STORE=$PWD/${store#"$PWD"/} PATH="$PWD/.venv/bin:\$PATH"
  nutgraf search "your own question"
  nutgraf add PATH/TO/YOUR/ARTICLES
  nutgraf serve            # then open http://127.0.0.1:8000/
NEXT
exit "$status"
