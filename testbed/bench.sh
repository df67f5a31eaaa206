#!/bin/sh
# make bench: measures the design's budgets (section 8) on this machine, now, and prints one table. What is compared runs side
# by side in one run: times alone say little on a machine that others use too.
#
# The exit status is 1 where something is broken: calls failed, packets were lost by us, the pacer allocates, a benchmark
# did not run. What is slower than "never worse than" is only called OVER, unless BENCH_STRICT=1.
set -eu
cd "$(dirname "$0")/.."
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
trap 'exit 130' INT TERM

go build -o "$programs/" ./testbed/bench/drain ./testbed/bench/town
if command -v cc >/dev/null; then
  cc -O2 -o "$programs/floor" testbed/bench/floor.c
else
  echo "bench: no cc here: the ratio to a C loop is skipped"
fi

echo "bench: about five minutes"
failed=0
bench() { # PATTERN TIMES PACKAGE...
  pattern=$1 times=$2
  shift 2
  TELGATE_BENCH=$programs go test -run '^$' -bench "$pattern" -benchtime "$times" -timeout 10m -p 1 "$@" >>"$programs/out" 2>&1 || failed=1
}
bench . 1x ./media ./sip ./cmd/telgate
bench '^BenchmarkPages$' 2000x ./store
bench '^BenchmarkTakingOver' 1x ./store
bench '^BenchmarkAMillionPages$/^sqlite$/^(page|history|whole|running|restart)$' 10x ./store
grep -v -e '^Benchmark' -e '^goos' -e '^goarch' -e '^PASS' -e '^ok' "$programs/out" || true

# benchmark | metric | what | goal | never worse than | correct: more is broken; budget: more is OVER; least: less is OVER; info: only told
awk -v failed="$failed" -v strict="${BENCH_STRICT:-0}" '
  FILENAME != "-" && /^Benchmark/ {
    name = $1; sub(/-[0-9]+$/, "", name); sub(/^Benchmark/, "", name)
    for (i = 3; i < NF; i += 2) measured[name, $(i + 1)] = $i
  }
  FILENAME == "-" && NF {
    n = split($0, f, / *[|] */)
    if (n == 1) { printf "\n%s\n", $0; next }
    key = f[1] SUBSEP f[2]; value = "-"; word = ""
    if (key in measured) {
      value = sprintf(measured[key] >= 1000 ? "%d" : "%.4g", measured[key])
      if (f[6] == "correct") { word = "ok"; if (measured[key] + 0 > f[5] + 0) { word = "BROKEN"; broken++ } }
      if (f[6] == "budget") { word = "ok"; if (measured[key] + 0 > f[5] + 0) { word = "OVER"; over++ } }
      if (f[6] == "least") { word = "ok"; if (measured[key] + 0 < f[5] + 0) { word = "OVER"; over++ } }
    } else if (f[6] == "correct") { word = "NOT MEASURED"; broken++ } else if (f[6] != "info") word = "not measured"
    printf "  %-58s %9s %9s %10s  %s\n", f[3], f[4], f[5], value, word
  }
  BEGIN { printf "\n  %-58s %9s %9s %10s\n", "what", "goal", "never", "measured" }
  END {
    printf "\n"
    if (failed) print "bench: a benchmark did not run to its end"
    if (broken) print "bench: " broken " broken"
    if (over) print "bench: " over " over what it must never be"
    exit (failed || broken || (over && strict == 1)) ? 1 : 0
  }' "$programs/out" - <<TABLE
The pacer: 1,000 sessions play a recording; beside it a C loop of send()
AThousandSessionsPlayARecording | allocs/packet            | allocations per packet                                  | 0   | 0.01 | correct
AThousandSessionsPlayARecording | lost-packets             | packets lost                                            | 0   | 0    | correct
AThousandSessionsPlayARecording | times-C                  | CPU, times that of the C loop (median of rounds)        | 1.1 | 1.4  | budget
AThousandSessionsPlayARecording | us-a-call-second         | CPU of a second of a call, us                           |     |      | info
AThousandSessionsPlayARecording | C-us-a-call-second       | the same of the C loop, us                              |     |      | info
AThousandSessionsPlayARecording | turns-skipped            | turns of 20 ms skipped, not scheduled in time           |     |      | info
The same under SRTP (AES_CM_128_HMAC_SHA1_80), beside plain RTP
AThousandSessionsUnderSRTP      | allocs/packet            | allocations per packet                                  | 0   | 0.01 | correct
AThousandSessionsUnderSRTP      | times-RTP                | CPU, times that of plain RTP (median of rounds)         |     |      | info
Signalling alone: 2,000 calls were answered and wait; calls are set up beside 1, 10, 100, 1,000 and 2,000 of them
CallsThatWait                   | KB/call                  | memory of a call that waits, heap and stack, KB         | 8   | 8    | budget
CallsThatWait                   | goroutines/call          | goroutines of a call that waits                         | 0   | 0    | budget
CallsThatWait                   | sipgo-goroutines         | goroutines of sipgo more than without those calls       | 0   | 0    | correct
SetUpBesideCallsInProgress      | times-p50                | INVITE to answer, p50, times that beside one call       | 1   | 1.5  | budget
SetUpBesideCallsInProgress      | times-p99                | the same, p99                                           | 1   | 1.5  | budget
Commands one after the other, pages in SQLite that waits for the disk; beside them OPTIONS to the phone and back, and two commits
ACommandRingsAPhone             | ms-command-to-INVITE-p99 | command read from Slack to INVITE at the phone, p99, ms | 3   | 8    | budget
ACommandRingsAPhone             | ms-command-to-INVITE-p50 | the same, p50, ms                                       |     |      | info
ACommandRingsAPhone             | ms-200-to-RTP-p99        | 200 OK to first RTP packet, p99, ms                     | 3   | 20   | budget
ACommandRingsAPhone             | ms-200-to-RTP-p50        | the same, p50, ms                                       |     |      | info
ACommandRingsAPhone             | ms-OPTIONS-p99           | the machine: OPTIONS and its answer, p99, ms            |     |      | info
ACommandRingsAPhone             | ms-commits-p99           | the machine: two commits of a row, p99, ms              |     |      | info
ACommandRingsAPhone             | ms-commits-p50           | the same, p50, ms                                       |     |      | info
The same with PostgreSQL on loopback, which waits for the disk, too
ACommandRingsAPhoneByPostgreSQL | ms-command-to-INVITE-p99 | command read from Slack to INVITE at the phone, p99, ms | 10  | 10   | budget
ACommandRingsAPhoneByPostgreSQL | ms-command-to-INVITE-p50 | the same, p50, ms                                       |     |      | info
ACommandRingsAPhoneByPostgreSQL | ms-commits-p99           | the machine: two commits of a row, p99, ms              |     |      | info
ACommandRingsAPhoneByPostgreSQL | ms-commits-p50           | the same, p50, ms                                       |     |      | info
The store: pages accepted, called and ended, 16 at a time; a gateway that dies; restarts; a history of 1,000,000 pages
Pages/sqlite                    | ms-a-page                | a page through SQLite, ms (5 = 200 a second)            | 5   | 5    | budget
Pages/postgres                  | ms-a-page                | a page through PostgreSQL, ms                           | 5   | 5    | budget
TakingOverFromADeadGateway      | s-longest                | last sign of life to the page being another's, s        | 4   | 4    | budget
TakingOver10000Pages            | ms-ready                 | restart with 10,000 open pages, ready, ms               | 1000| 1000 | budget
TakingOver10000Pages            | ms-all-claimed           | the same, until every page goes on, ms                  |     |      | info
AMillionPages/sqlite/page/million | times-empty            | a page beside 1,000,000, p50, times that beside none    | 1   | 1.5  | budget
AMillionPages/sqlite/restart    | ms                       | restart with 1,000,000 pages stored, ms                 | 1000| 1000 | budget
AMillionPages/sqlite/history/first | ms                    | history of the last day, the newest 100, ms             | 20  | 20   | budget
AMillionPages/sqlite/history/day | ms                      | the same, all 2,500 pages of it, ms                     | 20  | 20   | budget
AMillionPages/sqlite/whole/day  | ms                       | the same with every step, as for --json, ms             |     |      | info
AMillionPages/sqlite/running    | ms                       | what runs, none of it, beside 1,000,000 pages, ms       | 1   | 5    | budget
AMillionPages/sqlite/history/person | ms                   | history of a person, the newest 100, ms                 |     |      | info
1,000 calls, 10, then 100, then all at once; 50 people ask for them; everybody listens to the recording and presses 1
AThousandCallsAtOnce            | failed                   | calls not confirmed                                     | 0   | 0    | correct
AThousandCallsAtOnce            | lost-packets             | packets lost (sequence numbers the phones did not hear) | 0   | 0    | correct
AThousandCallsAtOnce            | calls/s                  | calls set up in a second, the last 900 at once          | 2000| 500  | least
AThousandCallsAtOnce            | times-some               | CPU of a second of a call, times that among 100         | 1   | 1.5  | budget
AThousandCallsAtOnce            | times-few                | the same, times that among 10                           | 1   | 1.5  | budget
AThousandCallsAtOnce            | us-a-call-second         | CPU of a second of a call, us (Slack and store with it) |     |      | info
AThousandCallsAtOnce            | KB/call                  | memory of a call in progress, heap and stacks, KB       | 20  | 40   | budget
AThousandCallsAtOnce            | heap-KB/call             | of that heap, KB                                        |     |      | info
AThousandCallsAtOnce            | goroutines/call          | goroutines of a call in progress                        |     |      | info
AThousandCallsAtOnce            | goroutines-left          | goroutines left when all is over                        | 0   | 5    | budget
AThousandCallsAtOnce            | KB-kept/call             | kept of a call right after (history, SIP timers), KB    |     |      | info
AThousandCallsAtOnce            | ms-200-to-RTP-p99        | 200 OK to first RTP packet in that burst, p99, ms       |     |      | info
AThousandCallsAtOnce            | packets                  | packets heard                                           |     |      | info
AThousandCallsAtOnce            | turns-skipped            | turns of 20 ms skipped, not scheduled in time           |     |      | info
TABLE
