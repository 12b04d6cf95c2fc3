#!/bin/sh
# The whole experiment: heads, 50 trainings (about 36 minutes of one core), table, plot and results. With a folder, it goes on there.
set -e
here=$(dirname "$0")
work=${1:-$(mktemp -d)}
export OMP_NUM_THREADS=1
[ -f "$work/index.json" ] || node --import ./test/generators/typescript.mjs "$here/phantoms.ts" "$work"
/usr/bin/python3 "$here/experiment.py" --heads "$work" --keep "$work/outcomes.jsonl"
node --import ./test/generators/typescript.mjs "$here/report.ts" "$work/outcomes.jsonl"
