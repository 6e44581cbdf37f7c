# The cluster of scripts/failover: etcd, Patroni with PostgreSQL, and mockupd.
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of the script and of its other parts

binaries=/usr/lib/postgresql/15/bin

# The beginning of a command that runs as the user postgres.
as_postgres=(setpriv --reuid postgres --regid postgres --init-groups
  env -i PATH="$PATH" LANG=C.UTF-8)

# start_etcd HOST: starts the host's member of etcd.
start_etcd() {
  local host=$1 member members=
  for member in "${stores[@]}"; do members+=,$member=http://${address[$member]}:2380; done
  # The processors are shared by all hosts, so a leader of etcd may be silent for 2 seconds.
  start_on "$host" "$logs/$host-etcd.log" "${as_postgres[@]}" etcd --name "$host" \
    --data-dir "$run/$host/etcd" \
    --listen-client-urls "http://${address[$host]}:2379" \
    --advertise-client-urls "http://${address[$host]}:2379" \
    --listen-peer-urls "http://${address[$host]}:2380" \
    --initial-advertise-peer-urls "http://${address[$host]}:2380" \
    --initial-cluster "${members#,}" --heartbeat-interval 200 --election-timeout 2000
}

# write_patroni_configuration HOST
write_patroni_configuration() {
  local host=$1 member members=
  for member in "${stores[@]}"; do members+=", ${address[$member]}:2379"; done
  cat >"$run/$host/patroni.yml" <<YAML
scope: mockupd
name: $host
restapi:
  listen: ${address[$host]}:8008
  connect_address: ${address[$host]}:8008
etcd3:
  hosts: "${members#, }"
bootstrap:
  dcs:
    # The leader's key expires this long after its last renewal. 20 is Patroni's minimum.
    ttl: 20
    # Seconds between two renewals, and between a failure and the loop that sees it. 1 is the
    # minimum, too.
    loop_wait: 1
    # etcd and PostgreSQL may fail to answer for so long before a primary demotes itself, which
    # must be done before its key expires: loop_wait + 2 * retry_timeout <= ttl.
    retry_timeout: 9
    # A primary that has crashed is not restarted if a standby can take its place.
    primary_start_timeout: 0
    # A commit is acknowledged when any one of the two standbys has it, and never without one.
    synchronous_mode: quorum
    synchronous_mode_strict: true
    synchronous_node_count: 1
    postgresql:
      use_pg_rewind: true
      parameters:
        synchronous_commit: "on"
        # A standby connects to the new primary as soon as it can: no commit is acknowledged before.
        wal_retrieve_retry_interval: 200ms
        max_connections: 100
        shared_buffers: 64MB
      pg_hba:
        - local all all trust
        - host all all 10.77.0.0/24 trust
        - host replication all 10.77.0.0/24 trust
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
    - data-checksums
postgresql:
  listen: ${address[$host]}:5432
  connect_address: ${address[$host]}:5432
  bin_dir: $binaries
  data_dir: $run/$host/data
  pgpass: $run/$host/pgpass
  authentication:
    superuser: { username: postgres }
    replication: { username: replicator }
  parameters:
    unix_socket_directories: $run/$host
  # An old primary whose timeline cannot be rewound is copied again.
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
YAML
}

# start_patroni HOST: starts Patroni, which starts PostgreSQL. Patroni's processes are `python3`.
start_patroni() {
  start_on "$1" "$logs/$1-patroni.log" "${as_postgres[@]}" PYTHONPATH="$run/patroni" \
    /usr/bin/python3 "$run/patroni/bin/patroni" "$run/$1/patroni.yml"
}

# database_url USER: prints the URL that names all hosts of the database.
database_url() {
  local list
  list=$(printf ',%s' "${address[db-1]}" "${address[db-2]}" "${address[db-3]}")
  echo "postgresql://$1@${list#,}/mockupd"
}

# start_mockupd HOST: starts a server, and waits until it serves.
start_mockupd() {
  start_on "$1" "$logs/$1-mockupd.log" env MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS=2 \
    MOCKUPD_DATABASE_MAX_RECONNECT_PAUSE_MILLISECONDS=250 \
    "$programs/mockupd" serve --socket "$run/$1.sock" --database-url "$(database_url mockupd)"
  wait_for 60 "mockupd on $1 serves" serves "$1"
}

serves() { "$programs/mockupctl" health --socket "$run/$1.sock" >/dev/null 2>&1; }

# start_cluster: starts everything, and creates the schema and four users. Sets $users.
start_cluster() {
  local host
  for host in "${stores[@]}" "${databases[@]}"; do
    mkdir -p "$run/$host"
    chown postgres:postgres "$run/$host"
  done
  for host in "${stores[@]}"; do start_etcd "$host"; done
  for host in "${databases[@]}"; do write_patroni_configuration "$host"; done
  # The first one makes the database, and the others copy it.
  start_patroni db-1
  wait_for 120 "db-1 is the primary" is_primary db-1
  start_patroni db-2
  start_patroni db-3
  wait_for 180 "both standbys confirm commits" is_healthy
  on db-1 createdb -h "${address[db-1]}" -U postgres mockupd
  on web-1 "$programs/mockupd" migrate --database-url "$(database_url postgres)" \
    >>"$logs/migrate.log"
  mapfile -t users < <(sql db-1 <<'SQL'
CREATE ROLE mockupd LOGIN;
GRANT mockupd_service TO mockupd;
WITH made AS (
  INSERT INTO auth.users (id) SELECT gen_random_uuid() FROM generate_series(1, 4) RETURNING id
), rich AS (
  -- The first user's calls are soon refused, which is an answer, too.
  INSERT INTO public.user_settings (user_id, guardrails)
  SELECT id, jsonb_build_object('annual_mockup_budget',
    CASE row_number() OVER () WHEN 1 THEN 100 ELSE 1000000000 END)
  FROM made
)
SELECT id FROM made
SQL
  )
  [ ${#users[@]} = 4 ] || fail "the users were not created"
  for host in "${servers[@]}"; do start_mockupd "$host"; done
}

# sql HOST: runs statements as the superuser on one host of the database.
sql() {
  on "$1" psql -X -q -At -v ON_ERROR_STOP=1 -h "${address[$1]}" -U postgres -d mockupd
}

# is_primary HOST: true if PostgreSQL on the host is the primary and Patroni has the leader's key.
is_primary() {
  on web-1 curl -s -f -m 2 -o /dev/null "http://${address[$1]}:8008/primary"
}

# find_primary: sets $primary to the primary's host, and $standbys to the others.
find_primary() {
  local host
  primary=
  standbys=()
  for host in "${databases[@]}"; do
    if [ -z "$primary" ] && is_primary "$host"; then primary=$host; else standbys+=("$host"); fi
  done
  [ -n "$primary" ]
}

# is_healthy: true if there is a primary, and its commits can be confirmed by either standby.
is_healthy() {
  find_primary &&
    on web-1 curl -s -f -m 2 "http://${address[$primary]}:8008/cluster" |
    jq -e '[.members[] | select(.role == "quorum_standby" and .state == "streaming")]
      | length == 2' >/dev/null
}

# wait_for SECONDS TEXT COMMAND…: waits until a command succeeds, or fails after a time.
wait_for() {
  local end=$((SECONDS + $1)) text=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "it did not come true that $text; see $logs"
    sleep 0.2
  done
}
