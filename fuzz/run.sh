#!/usr/bin/env bash
# Fuzzes with coverage guidance on stable Rust: the compiler's own coverage pass, libFuzzer as the driver.
#   run.sh [TARGET] [SECONDS]     no TARGET: each in turn; exit 1 if any found a defect
set -euo pipefail
cd "$(dirname "$0")"
target=${1:-} seconds=${2:-60}
cargo=${CARGO:-cargo}
host=$("$cargo" -vV | sed -n "s/^host: //p")
# With --target the flags reach neither build scripts nor derive macros, which could not link libFuzzer.
export RUSTFLAGS="-Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
export CARGO_TARGET_DIR=$PWD/target CARGO_PROFILE_DEV_OPT_LEVEL=2
"$cargo" build --quiet --features libfuzzer --bin guided --target "$host"
guided=target/$host/debug/guided
# Threads of the product have 2 MiB of stack.
ulimit -s 2048
# Some targets write files, which need not reach a disk.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
failed=()
for name in ${target:-$("$guided")}; do
  corpus=corpus/$name
  mkdir -p "$corpus" "artifacts/$name"
  echo "== $name, $seconds s" >&2
  SEAWALL_FUZZ_TARGET=$name SEAWALL_FUZZ_CORPUS=$corpus "$guided" "$corpus" -artifact_prefix="artifacts/$name/" \
    -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 2>"artifacts/$name/log" ||
    failed+=("$name")
  grep -E 'number_of_executed_units|average_exec_per_sec|ERROR|panicked|Test unit written' "artifacts/$name/log" >&2 || true
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "defects in: ${failed[*]}; inputs and logs lie in fuzz/artifacts" >&2
  exit 1
fi
