#!/bin/sh
# Compares what the operator costs in this checkout with what it cost at commit
# BASE. Both are built, and measured in turn on this machine, so that both see the
# same load. benchstat prints the median of each figure, its spread and the ratio.
set -eu
cd "$(dirname "$0")/.."

: "${BASE:?Say with what to compare, such as make bench-compare BASE=HEAD~1}"
: "${RUNS:=6}" "${SUITES:=quiet}" "${BENCHSTAT:=benchstat}"

work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
git worktree add --quiet --detach "$work/base" "$BASE"

# A commit has its bench in one of these.
bench_in() {
	for package in test/bench cmd/bench; do
		[ -d "$1/$package" ] && echo "./$package" && return
	done
	echo "$1 has no bench." >&2
	return 1
}

# measure NAME CHECKOUT adds a run of each suite to $work/NAME.txt.
measure() {
	for suite in $SUITES; do
		echo "Run $run of $RUNS: $suite, $1." >&2
		(cd "$2" && "$work/$1-bench" --manager="$work/$1-manager" --dir="$work" --suite="$suite" \
			--benchmarks="$work/$1.txt" >"$work/$1.log") || { cat "$work/$1.log" >&2; exit 1; }
	done
	(cd "$2" && make bench-go) >>"$work/$1.txt"
}

for side in base head; do
	checkout=.
	[ $side = base ] && checkout=$work/base
	package=$(bench_in "$checkout")
	go build -C "$checkout" -ldflags '-s -w' -o "$work/$side-manager" ./cmd/manager
	go build -C "$checkout" -o "$work/$side-bench" "$package"
done

run=0
while [ $run -lt "$RUNS" ]; do
	run=$((run + 1))
	# Neither is always the first.
	if [ $((run % 2)) -eq 1 ]; then
		measure base "$work/base"
		measure head .
	else
		measure head .
		measure base "$work/base"
	fi
done
"$BENCHSTAT" -ignore pkg,cpu,goos,goarch base="$work/base.txt" head="$work/head.txt"
