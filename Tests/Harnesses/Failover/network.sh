# The hosts of scripts/failover: network namespaces that are connected by a bridge.
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of the script and of its other parts

# The names of the namespaces begin with this, so that several runs do not meet.
prefix=failover-$$
stores=(etcd-1 etcd-2 etcd-3)
databases=(db-1 db-2 db-3)
servers=(web-1 web-2)
hosts=("${stores[@]}" "${databases[@]}" "${servers[@]}")

# Nothing outside of these namespaces can reach the addresses.
declare -A address=(
  [etcd-1]=10.77.0.1 [etcd-2]=10.77.0.2 [etcd-3]=10.77.0.3
  [db-1]=10.77.0.11 [db-2]=10.77.0.12 [db-3]=10.77.0.13
  [web-1]=10.77.0.21 [web-2]=10.77.0.22
)

# create_network: creates a namespace for each host, and one for the bridge.
create_network() {
  local host
  ip netns add "$prefix-switch"
  ip -n "$prefix-switch" link add bridge type bridge
  ip -n "$prefix-switch" link set bridge up
  for host in "${hosts[@]}"; do
    ip netns add "$prefix-$host"
    ip -n "$prefix-switch" link add "$host" type veth peer name eth0 netns "$prefix-$host"
    ip -n "$prefix-switch" link set "$host" master bridge up
    ip -n "$prefix-$host" address add "${address[$host]}/24" dev eth0
    ip -n "$prefix-$host" link set eth0 up
    ip -n "$prefix-$host" link set lo up
  done
}

# remove_network: kills every process on the hosts, and removes the namespaces.
remove_network() {
  local host process
  # PostgreSQL's shared memory would stay until the next boot if it was killed. The others are
  # killed first, since Patroni would start it again.
  for host in "${hosts[@]}"; do
    for process in $(ip netns pids "$prefix-$host" 2>/dev/null); do
      [ "$(cat "/proc/$process/comm" 2>/dev/null)" = postgres ] ||
        kill -KILL "$process" 2>/dev/null || true
    done
    for process in $(ip netns pids "$prefix-$host" 2>/dev/null); do
      kill -QUIT "$process" 2>/dev/null || true
      kill -CONT "$process" 2>/dev/null || true
    done
  done
  sleep 1
  for host in "${hosts[@]}"; do
    # A process that is being started can appear after the first list.
    while process=$(ip netns pids "$prefix-$host" 2>/dev/null) && [ -n "$process" ]; do
      # shellcheck disable=SC2086  # a list
      kill -KILL $process 2>/dev/null || true
      sleep 0.1
    done
  done
  for host in switch "${hosts[@]}"; do ip netns del "$prefix-$host" 2>/dev/null || true; done
}

# on HOST COMMAND…: runs a command in a host's network.
on() {
  local host=$1
  shift
  nsenter --net="/run/netns/$prefix-$host" "$@"
}

# start_on HOST LOG COMMAND…: the same in the background, with the output in a log.
start_on() {
  local host=$1 log=$2
  shift 2
  nsenter --net="/run/netns/$prefix-$host" "$@" >>"$log" 2>&1 </dev/null &
  # Otherwise bash reports that the process was killed.
  disown $!
}

# cut_network HOST: packets from and to the host are dropped; nobody is told.
cut_network() { ip -n "$prefix-switch" link set "$1" down; }
heal_network() { ip -n "$prefix-switch" link set "$1" up; }

# signal SIGNAL HOST NAME…: signals the host's processes with these names.
signal() {
  local signal=$1 host=$2 process name
  shift 2
  for process in $(ip netns pids "$prefix-$host"); do
    for name in "$@"; do
      if [ "$(cat "/proc/$process/comm" 2>/dev/null)" = "$name" ]; then
        kill -s "$signal" "$process" 2>/dev/null || true
      fi
    done
  done
}
