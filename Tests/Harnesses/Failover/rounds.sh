# The rounds of scripts/failover. Each function disturbs the cluster, and returns when calls are
# acknowledged again and the cluster is complete.
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of the script and of its other parts

# The kinds of rounds in their order, their titles, and the longest gap in service that is
# accepted, in seconds.
# shellcheck disable=SC2034  # used by the script
rounds=(killed network suspended given_up switchover server)
declare -A title=(
  [killed]="primary killed"
  [network]="primary's network gone"
  [suspended]="primary suspended"
  [given_up]="standbys, then primary lost"
  [switchover]="planned switchover"
  [server]="mockupd killed"
)
declare -A target=([killed]=25 [network]=25 [suspended]=25 [switchover]=3)

# ask COMMAND…: sends a command to the load, and sets $answer to its answer.
ask() {
  echo "$*" >&"${load[1]}"
  read -r answer <&"${load[0]}" || fail "the load has ended; see $logs/load.log"
  [[ $answer != no:* ]] || fail "$answer; see $logs"
}

# PostgreSQL's processes are killed on the primary. Patroni there still runs, sees it, and makes
# room for a standby.
round_killed() {
  signal KILL "$primary" postgres
  wait_for_other_primary
  ask acknowledged 200
}

# The primary's packets are dropped, those to etcd included.
round_network() {
  cut_network "$primary"
  wait_for_other_primary
  ask acknowledged 200
  heal_network "$primary"
}

# The primary stops, as a virtual machine that is moved, and continues when it has been replaced.
# An open session has a commit ready at that moment: it must not be acknowledged.
round_suspended() {
  local old=$primary probe
  exec {probe}> >(sql "$old" >"$run/probe" 2>>"$logs/probe.log")
  local process=$!
  echo "SELECT 'connected';" >&"$probe"
  wait_for 60 "psql has connected to $old" grep -q connected "$run/probe"
  signal STOP "$old" python3 postgres
  wait_for_other_primary
  ask acknowledged 200
  echo "SELECT pg_logical_emit_message(true, 'probe', ''); SELECT 'acknowledged';" >&"$probe"
  exec {probe}>&-
  signal CONT "$old" python3 postgres
  wait_for 120 "the session on $old has ended" has_ended "$process"
  if grep -q acknowledged "$run/probe"; then
    echo "the old primary has acknowledged a commit" >&2
    wrong=$((wrong + 1))
  fi
  ask acknowledged 200
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }

# The standbys' network is gone, so that no commit is acknowledged, and callers give up. The primary
# is lost with the commits that only it has; its network, too, or its kernel would still send them.
# The standbys come back, and one of them is promoted.
round_given_up() {
  local standby
  for standby in "${standbys[@]}"; do cut_network "$standby"; done
  # Longer than the time limit of a call.
  sleep 5
  cut_network "$primary"
  signal KILL "$primary" python3 postgres
  for standby in "${standbys[@]}"; do heal_network "$standby"; done
  wait_for_other_primary
  ask acknowledged 200
  heal_network "$lost"
  start_patroni "$lost"
}

# Either standby may become the primary: if one is named, the other waits before it follows.
round_switchover() {
  on web-1 curl -s -m 60 "http://${address[$primary]}:8008/switchover" \
    -d "{\"leader\": \"$primary\"}" >>"$logs/switchover.log"
  wait_for_other_primary
  ask acknowledged 200
}

round_server() {
  signal KILL web-1 mockupd
  ask acknowledged 200
  start_mockupd web-1
  ask acknowledged 200
}

# wait_for_other_primary: waits until another host is the primary; sets $lost to the previous one.
wait_for_other_primary() {
  lost=$primary
  wait_for 120 "$lost is replaced" has_other_primary
}

has_other_primary() {
  local host
  for host in "${databases[@]}"; do
    if [ "$host" != "$lost" ] && is_primary "$host"; then return; fi
  done
  return 1
}

columns='%5s  %-27s %12s %8s %4s %11s %13s %7s\n'

# play KIND: plays and checks a round, and adds its row to $table.
play() {
  local kind=$1 discrepancies=0 server row
  local acknowledged given_up lost_calls different unexpected gap
  find_primary || fail "there is no primary"
  say "Round $round: ${title[$kind]} (the primary is $primary)"
  ask round
  ask acknowledged 200
  "round_$kind"
  wait_for 180 "both standbys confirm commits" is_healthy
  ask check
  read -r acknowledged given_up lost_calls different unexpected gap <<<"$answer"
  for server in "${servers[@]}"; do
    verify "$server" || discrepancies=$((discrepancies + 1))
  done
  wrong=$((wrong + lost_calls + different + unexpected + discrepancies))
  # shellcheck disable=SC2059  # one format for all lines
  printf -v row "$columns" "$round" "${title[$kind]}" "$acknowledged" "$given_up" "$lost_calls" \
    "$different" "$discrepancies" "$gap"
  table+=("$row")
  gaps["$kind"]+="$gap "
  print_heading
  printf '%s' "$row"
  [ "$unexpected" = 0 ] || echo "$unexpected unexpected errors; see $logs/load.log"
}

# verify HOST: recomputes all balances through a server.
verify() { "$programs/mockupctl" ledger verify --socket "$run/$1.sock" >>"$logs/verify.log" 2>&1; }

# check_everything: checks the calls of all rounds once more.
check_everything() {
  local acknowledged lost_calls different unexpected
  ask check all
  read -r acknowledged _ lost_calls different unexpected _ <<<"$answer"
  say "All $acknowledged calls of all rounds: $lost_calls lost, $different with two answers"
  wrong=$((wrong + lost_calls + different + unexpected))
}

print_heading() {
  # shellcheck disable=SC2059
  printf "$columns" round kind acknowledged "given up" lost "two answers" discrepancies "gap (s)"
}

# print_table: prints all rounds, and the median gap of each kind.
print_table() {
  local kind median
  say "Rounds"
  print_heading
  printf '%s' "${table[@]}"
  say "Gaps"
  printf '%-27s %10s %10s\n' kind "median (s)" "target (s)"
  for kind in "${rounds[@]}"; do
    [ -n "${gaps["$kind"]-}" ] || continue
    median=$(tr ' ' '\n' <<<"${gaps["$kind"]}" | sed '/^$/d' | sort -n |
      awk '{ g[NR] = $1 } END { printf "%.1f", (g[int((NR + 1) / 2)] + g[int(NR / 2) + 1]) / 2 }')
    printf '%-27s %10s %10s\n' "${title[$kind]}" "$median" "${target[$kind]--}"
  done
}
