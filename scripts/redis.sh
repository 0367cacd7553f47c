# Sourced by scripts/test and scripts/bench: one private Redis, never the system's. The caller has sourced mariadb.sh,
# which puts sbin into PATH.
#
#   redis_missing           true when there is no server program here
#   redis_start DIR         starts it with its data in DIR; sets REDIS_TEST_URL (no password, loopback only)
#   redis_stop              ends it with all of its process group

REDIS_GROUP=
REDIS_TEST_URL=

redis_missing() { ! command -v redis-server redis-cli | awk 'END { exit NR < 2 }'; }

redis_stop() {
    [ -n "$REDIS_GROUP" ] || return 0
    kill -KILL -- "-$REDIS_GROUP" 2>/dev/null || true
    wait "$REDIS_GROUP" 2>/dev/null || true
    REDIS_GROUP=
}

redis_start() {
    local dir=$1 try port _
    mkdir -p "$dir"
    for try in 1 2 3 4 5; do
        # Below the ephemeral ports, so that no outgoing connection sits on it.
        port=$((20000 + RANDOM % 12000))
        # setsid: a process group of its own, so that nothing of it survives redis_stop.
        setsid redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --save "" --appendonly no \
            >"$dir/redis.log.$try" 2>&1 </dev/null &
        REDIS_GROUP=$!
        for _ in $(seq 200); do
            if grep -q 'Ready to accept connections' "$dir/redis.log.$try"; then
                REDIS_TEST_URL=redis://127.0.0.1:$port
                return 0
            fi
            kill -0 "$REDIS_GROUP" 2>/dev/null || break
            sleep 0.05
        done
        redis_stop
    done
    cat "$dir/redis.log.$try" >&2
    return 1
}
