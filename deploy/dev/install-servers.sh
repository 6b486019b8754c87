#!/bin/sh
# Makes sure that the programs of PostgreSQL and Redis are installed. As root it installs them from the distribution,
# without leaving a system server running; otherwise it prints the command to type.
set -eu

have_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
have_redis() { command -v redis-server >/dev/null 2>&1; }

missing=""
have_postgres || missing="$missing postgresql postgresql-contrib"
have_redis || missing="$missing redis-server"
[ -n "${DATABASE_ADMIN_URL:-}" ] && missing=$(echo "$missing" | sed 's/ postgresql postgresql-contrib//')
[ -n "${REDIS_URL:-}" ] && missing=$(echo "$missing" | sed 's/ redis-server//')
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$missing. Please install them with your distribution's package tool and try again." >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "Missing:$missing. Please type:  sudo sh deploy/dev/install-servers.sh" >&2
    exit 1
fi

echo "Installing$missing ..."
# The packages would start servers on ports 5432 and 6379: no cluster is made, and policy-rc.d forbids the start.
trap 'exit 130' INT TERM HUP
mkdir -p /etc/postgresql-common
conf=/etc/postgresql-common/createcluster.conf
made_conf=0
[ -e "$conf" ] || { echo "create_main_cluster = false" >"$conf"; made_conf=1; }
policy=/usr/sbin/policy-rc.d
saved=""
if [ -e "$policy" ]; then saved=$(mktemp); cp -p "$policy" "$saved"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
restore() {
    if [ -n "$saved" ]; then mv "$saved" "$policy"; else rm -f "$policy"; fi
    [ "$made_conf" = 1 ] && rm -f "$conf"
    return 0
}
trap restore EXIT
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
