#!/usr/bin/env bash
# Run the tests in this folder with a Python: several at a time, since they mostly wait, and those of outages, which
# disturb all other jobs, meanwhile on a second cluster.
set -euo pipefail
PYTHON=$1
FOLDER=$(dirname "$0")
CLUSTER=$FOLDER/cluster.sh
export TEST_SLURM=1
second() { SLURM_TEST_STATE=/var/lib/slurm-test-outages SLURM_TEST_PORT=6827 "$@"; }

finish() {
  kill $(jobs -p) 2>/dev/null || true
  "$CLUSTER" stop
  second "$CLUSTER" stop
}

status=0
"$CLUSTER" start || status=$?
[ $status != 77 ] || exit 0 # SLURM cannot be installed here
trap finish EXIT
[ $status = 0 ]
second "$CLUSTER" start

outages=$(mktemp)
second "$PYTHON" -m pytest "$FOLDER" -m outage >"$outages" 2>&1 &
"$PYTHON" -m pytest "$FOLDER" -n 6 -m "not outage" || status=1
wait $! || status=1
cat "$outages"
rm "$outages"
exit $status
