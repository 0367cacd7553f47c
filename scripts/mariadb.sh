# Sourced by scripts/test, scripts/kill9 and scripts/bench: one private MariaDB, never the system's.
#
#   mariadb_missing           true when there is no server program here
#   mariadb_start DIR         starts it with its data in DIR; sets MARIADB_URL (root, no password, loopback only)
#   mariadb_stop              ends it with all of its process group
#   mariadb_again DIR         starts it once more, on the data and at the address that it had

# The programs live in sbin, which a user's PATH need not hold.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

MARIADB_GROUP=
MARIADB_URL=

mariadb_missing() { ! command -v mariadbd mariadb-install-db my_print_defaults | awk 'END { exit NR < 3 }'; }

mariadb_stop() {
    [ -n "$MARIADB_GROUP" ] || return 0
    kill -KILL -- "-$MARIADB_GROUP" 2>/dev/null || true
    wait "$MARIADB_GROUP" 2>/dev/null || true
    MARIADB_GROUP=
}

mariadb_start() {
    local dir=$1 log=$1/mariadbd.log user=() try port
    mariadb_user
    mkdir -p "$dir/data" "$dir/tmp"
    # A temporary folder of its own: a server that starts removes the temporary tables of others.
    TMPDIR=$dir/tmp mariadb-install-db --no-defaults "${user[@]}" --datadir="$dir/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$log" 2>&1 || { cat "$log" >&2; return 1; }

    for try in 1 2 3 4 5; do
        # Below the ephemeral ports, so that no outgoing connection sits on it.
        port=$((20000 + RANDOM % 12000))
        if mariadb_launch "$dir" "$port" "$log.$try"; then
            MARIADB_URL=mysql://root@127.0.0.1:$port
            return 0
        fi
        mariadb_stop
    done
    cat "$log.$try" >&2
    return 1
}

mariadb_again() { mariadb_launch "$1" "${MARIADB_URL##*:}" "$1/mariadbd.log.again"; }

mariadb_launch() {
    local dir=$1 port=$2 log=$3 user=()
    mariadb_user
    # setsid: a process group of its own, so that nothing of it survives mariadb_stop.
    setsid mariadbd --no-defaults "${user[@]}" --datadir="$dir/data" --tmpdir="$dir/tmp" \
        --socket="$dir/mariadbd.sock" --pid-file="$dir/mariadbd.pid" \
        --bind-address=127.0.0.1 --port="$port" --skip-name-resolve \
        --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=256M --max-connections=500 \
        --character-set-server=utf8mb4 --loose-skip-log-bin >"$log" 2>&1 </dev/null &
    MARIADB_GROUP=$!
    mariadb_ready "$log"
}

# mariadbd refuses to run as root unless told; its files are ours alone either way.
mariadb_user() { [ "$(id -u)" != 0 ] || user=(--user=root); }

# Waits up to 30 s for the server's own word; false as soon as it has ended (its port was taken).
mariadb_ready() {
    local _
    for _ in $(seq 600); do
        ! grep -q 'ready for connections' "$1" || return 0
        kill -0 "$MARIADB_GROUP" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
