#!/usr/bin/env bash
# Measures whole processes on a generated cluster and prints a row for each figure: scan, agent, webhook, and gator
# beside us where there is one.
#   whole.sh SEAWALL SEAWALL-BENCH [GATOR]      the two programs, built with `--release`
# Five minutes on two cores; another load on the machine shows in times, hardly in processor seconds.
set -euo pipefail
seawall=$1 bench=$2 gator=${3:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"

echo "## a scan of 10,000 workloads"
"$bench" dump --workloads 10000 "$folder/dump"
for _ in 1 2 3; do
  # Exit 4: a dump lacks kinds that a live cluster would show.
  /usr/bin/time -f "scan: %e s, user %U s, system %S s, most %M KiB" \
    "$seawall" scan cluster --from "$folder/dump" --format "json=$folder/report.json" --allow-incomplete >/dev/null 2>"$folder/told" || true
  tail -n 1 "$folder/told"
done

for pods in 0 2; do
  workloads=$([ "$pods" = 0 ] && echo 4400 || echo 21000)
  echo "## an agent beside $workloads workloads of $pods pods each"
  "$bench" agent --workloads "$workloads" --pods "$pods"
done
echo "## 1,000 changes, 20 a second, beside 10,000 workloads"
"$bench" agent --workloads 10000 --changes 1000 --every 50

echo "## 500 reviews a second for a minute"
"$bench" reviews --rate 500 --seconds 60

[ -z "$gator" ] || { echo "## templates in Rego"; "$bench" gator --gator "$gator"; }
