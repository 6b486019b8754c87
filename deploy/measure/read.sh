#!/bin/sh
# Measures the authenticated tenant-songs page of 20 with its count, at 1 and 32 connections: requests per second, p50,
# p99 and CPU of each process. For comparison it runs pgbench with the same SQL as one pipeline under the same policy.
# It needs a release build and an otherwise idle machine.
set -eu
seconds=${MEASURE_SECONDS:-8}
command -v wrk >/dev/null 2>&1 || { [ "$(id -u)" = 0 ] && apt-get install -y wrk >/dev/null 2>&1; } || {
    echo "wrk is missing; install the package wrk" >&2
    exit 1
}
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"

log=$(mktemp)
LOG_LEVEL=warn RATE_LIMIT_FACTOR=1000000 target/release/songlist dev >"$log" 2>&1 &
dev=$!
trap 'kill -INT $dev 2>/dev/null; wait $dev 2>/dev/null; rm -f "$log" "$log.wrk"' EXIT
tries=0
until grep -q "SongList runs" "$log"; do
    tries=$((tries + 1))
    [ $tries -gt 300 ] && { cat "$log" >&2; exit 1; }
    sleep 0.2
done
json() { python3 -c "import json,sys; d=json.load(open('.dev/demo.json')); print($1)"; }

services="gateway auth-service songlist-service payments-service scheduler-service"
memory() {
    echo "== memory (MiB), $1"
    for name in $services; do
        pid=$(json "d['pids']['$name']")
        awk -v n="$name" '/^VmRSS/ {printf "%-20s %6.1f\n", n, $2/1024}' "/proc/$pid/status"
    done
}
sleep 5
memory "idle after the start"

echo "== preparing: sign in, premium, the demonstration's songs on the list"
python3 deploy/measure/prepare.py >"$log.token"
token=$(cat "$log.token"); rm -f "$log.token"
url="$(json "d['urls']['gateway']")/api/v1/tenant/songs/?page_size=20"
curl -sf -H "authorization: Bearer $token" "$url" | python3 -c "import json,sys; d=json.load(sys.stdin); print('rows', len(d['data']), 'count', d['count'])"

ticks() { awk '{print $14+$15}' "/proc/$1/stat"; }
postgres_ticks() { cat /proc/[0-9]*/stat 2>/dev/null | awk '/\(postgres\)/ {t+=$14+$15} END {print t+0}'; }
measure() {
    connections=$1
    threads=$([ "$connections" = 1 ] && echo 1 || echo 2)
    for name in $services redis; do eval "before_$(echo $name | tr - _)=$(ticks "$(json "d['pids']['$name']")")"; done
    pg=$(postgres_ticks)
    echo "== gateway, $connections connections, ${seconds} s"
    wrk -t"$threads" -c"$connections" -d"${seconds}s" --latency -H "Authorization: Bearer $token" "$url" >"$log.wrk"
    grep -E "50%|99%|Requests/sec" "$log.wrk"
    if grep "Non-2xx" "$log.wrk"; then echo "not every answer was a page: these numbers count for nothing" >&2; exit 1; fi
    for name in $services redis; do
        now=$(ticks "$(json "d['pids']['$name']")")
        eval "was=\$before_$(echo $name | tr - _)"
        echo "cores: $name $(echo "scale=2; ($now - $was) / 100 / $seconds" | bc)"
    done
    echo "cores: postgres $(echo "scale=2; ($(postgres_ticks) - $pg) / 100 / $seconds" | bc)"
}
measure 1
measure 32

echo "== 60 sign-ins, eight at once"
python3 deploy/measure/sign_ins.py
# The allocator of auth-service returns memory in steps, within ten seconds of being idle.
sleep 30
memory "idle again after load and sign-ins"

echo "== pgbench of the same SQL as songlist_rw under the same policy"
admin=$(json "d['database_admin_url']")
tenant=$(json "[l['tenant_id'] for l in d['logins'] if l['role']=='LISTENER'][0]")
sql=$(mktemp)
sed "s/:tenant/'$tenant'/g" deploy/measure/read.sql >"$sql"
rw=$(echo "$admin" | sed -E 's#//[^@]+@#//songlist_rw:songlist_rw_dev@#')
for clients in 1 32; do
    echo "-- $clients clients"
    pgbench -n -M prepared -f "$sql" -c "$clients" -j "$([ $clients = 1 ] && echo 1 || echo 2)" -T "$seconds" "$rw" 2>/dev/null | grep -E "tps|latency average"
done
rm -f "$sql"
