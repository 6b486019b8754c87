"""SongList, the same page from Django, and the bare statements, one after another on one Postgres and Redis."""

import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import measure
from stack import FOLDER, SERVICES, Stack

SECONDS = int(os.environ.get("RACE_SECONDS", "8"))
WITH_GIANT = os.environ.get("RACE_MILLION") == "1"
RESULT = Path(os.environ.get("RACE_JSON", "target/race/result.json"))
PEER = Path("deploy/bench/peer").resolve()
PEER_ADDR = "127.0.0.1:8100"
PAGE = "/tenant/songs/?page_size=20"
SONGS = 2_000
GIANT_LINKS = 1_000_000

FILL_GIANT = f"""
SET search_path = songlist, extensions;
CREATE TEMP TABLE fresh AS SELECT n, gen_random_uuid() AS song FROM generate_series(1, {GIANT_LINKS}) n;
INSERT INTO songs (id, tenant_id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at)
SELECT song, '{{tenant}}', 'Song ' || n, 'Artist ' || n % 5000, 'song' || n, 'artist' || n % 5000, '',
       (SELECT id FROM genres WHERE deleted_at IS NULL LIMIT 1), now() - n * interval '1 second', now() FROM fresh;
INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, release_year,
       created_at, updated_at, title, artist)
SELECT gen_random_uuid(), tenant_id, id, true, title_norm, artist_norm, '', genre_id, 0, created_at, now(), title, artist
FROM songs WHERE tenant_id = '{{tenant}}';
INSERT INTO tenant_song_counts VALUES ('{{tenant}}', {GIANT_LINKS}, {GIANT_LINKS});
"""


class Peer:
    """The Django project under gunicorn while it is entered."""

    def __init__(self, stack):
        redis = stack.demo["redis_url"].rstrip("/") + "/9"
        urls = {"PEER_DATABASE_URL": stack.database_url(), "PEER_REDIS_URL": redis, "PEER_ADDR": PEER_ADDR}
        self.env = {**os.environ, **urls, "DJANGO_SETTINGS_MODULE": "project.settings"}
        self.bin = (FOLDER / "venv/bin").resolve()
        if not (self.bin / "gunicorn").exists():
            subprocess.run(["python3", "-m", "venv", str(FOLDER / "venv")], check=True)
            pip = [self.bin / "pip", "install", "-q", "-r", PEER / "requirements.txt"]
            subprocess.run(pip, check=True)

    def token(self, tenant):
        command = [self.bin / "python", "manage.py", "prepare_peer", tenant]
        done = subprocess.run(command, cwd=PEER, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def __enter__(self):
        command = [self.bin / "gunicorn", "-c", "gunicorn.conf.py"]
        self.process = subprocess.Popen(command, cwd=PEER, env=self.env)
        time.sleep(2)
        return self.process.pid

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


class Race:
    def __init__(self, stack):
        self.stack = stack
        self.servers = {"postgres": [stack.pid("postgres")], "redis": [stack.pid("redis")]}
        self.rows = []

    def run(self, what, connections, load, groups):
        """`load(seconds)` returns what the load generator saw."""
        generator = (lambda: load(measure.WARM_UP)), (lambda: load(SECONDS))
        seen, cpu = measure.under_load(generator, {**groups, **self.servers})
        if seen.non_2xx or seen.socket_errors:
            raise SystemExit(f"{what}: not every answer was a page: {seen}")
        row = {"what": what, "connections": connections, **asdict(seen), "cpu_us": {k: round(v) for k, v in cpu.items()}}
        row["cpu_us_in_all"] = round(sum(cpu.values()))
        self.rows.append(row)
        print_row(row)

    def songlist(self, what, connections, token, path=PAGE, paths=None):
        groups = {"gateway": [self.stack.pid("gateway")], "songlist": [self.stack.pid("songlist-service")]}
        groups["others"] = [self.stack.pid(name) for name in SERVICES if name not in ("gateway", "songlist-service")]
        url = self.stack.api + path
        self.run(what, connections, lambda seconds: measure.wrk(url, token, connections, seconds, paths), groups)

    def pgbench(self, what, connections, tenant):
        script = Path("deploy/bench/page.sql").read_text().replace("TENANT", tenant)
        url = self.stack.database_url("songlist_rw")
        load = lambda seconds: measure.pgbench(url, script, {"tenant": tenant}, connections, seconds)
        self.run(what, connections, load, {})

    def peer(self, tenant):
        peer = Peer(self.stack)
        token = peer.token(tenant)
        with peer as pid:
            url = f"http://{PEER_ADDR}/api/v1{PAGE}"
            for connections in (1, 32):
                load = lambda seconds: measure.wrk(url, token, connections, seconds)
                self.run("Django", connections, load, {"gunicorn": [pid]})
            return measure.pss_mib([pid])


def print_row(row):
    cpu = ", ".join(f"{name} {value}" for name, value in row["cpu_us"].items())
    print(
        f"| {row['what']} | {row['connections']} | {row['rps']:,.0f} | {row['p50_ms']:.2f} | {row['p99_ms']:.2f} "
        f"| {row['cpu_us_in_all']:,} | {cpu} |",
        flush=True,
    )


def cursor_paths(stack, token):
    """Pages by cursor near the beginning and near the end of a list."""
    paths = []
    for ordering in ("-created_at", "created_at"):
        cursor = ""
        for _ in range(100):
            path = f"/tenant/songs/?page_size=100&ordering={ordering}&cursor={cursor}"
            cursor = stack.must("GET", path, None, token)["next_cursor"]
            paths.append(f"/api/v1/tenant/songs/?page_size=20&ordering={ordering}&cursor={cursor}")
    return paths


def with_giant(race, tenant, listener):
    stack = race.stack
    root = stack.sign_in(stack.login("SUPER_ADMIN"))
    giant = stack.must("POST", "/tenants/", {"name": "Giant", "slug": "giant"}, root)["data"]
    own = stack.sign_in(stack.register("giant", "giant.listener"))
    print(f"filling a tenant with {GIANT_LINKS:,} links ...", flush=True)
    stack.sql(FILL_GIANT.format(tenant=giant["id"]))
    stack.sql("VACUUM ANALYZE")
    stack.sql("CHECKPOINT")
    race.songlist("SongList beside the giant", 1, listener)
    race.songlist("SongList beside the giant", 32, listener)
    race.pgbench("pgbench beside the giant", 32, tenant)
    race.songlist("the giant's page 1", 32, own)
    last = GIANT_LINKS // 20
    race.songlist("the giant's last page", 1, own, f"{PAGE}&page={last}")
    race.songlist("the giant's last page", 32, own, f"{PAGE}&page={last}")
    race.songlist("the giant's pages by cursor", 32, own, paths=cursor_paths(stack, own))
    race.songlist("the giant's middle page", 1, own, f"{PAGE}&page={last // 2}")


def memory(stack):
    return {name: round(measure.pss_mib([stack.pid(name)]), 1) for name in SERVICES}


def main():
    with Stack() as stack:
        race, tenant = Race(stack), stack.login("LISTENER")["tenant_id"]
        admin = stack.sign_in(stack.login("ADMIN"))
        stack.pay(admin)
        stack.import_songs(admin, SONGS)
        listener = stack.sign_in(stack.login("LISTENER"))
        stack.sql("VACUUM ANALYZE")
        idle = memory(stack)
        print("| what | connections | requests/s | p50 ms | p99 ms | CPU µs in all | CPU µs of each |")
        print("|---|---|---|---|---|---|---|")
        peer_memory = race.peer(tenant)
        for connections in (1, 32):
            race.songlist("SongList", connections, listener)
            race.pgbench("pgbench, one pipeline", connections, tenant)
        if WITH_GIANT:
            with_giant(race, tenant, listener)
        loaded = memory(stack)
    result = {"seconds": SECONDS, "songs": SONGS, "rows": race.rows}
    result["pss_mib"] = {"Django": round(peer_memory, 1), "idle": idle, "after the load": loaded}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    report(result)


def report(result):
    def row(what):
        return next(row for row in result["rows"] if row["what"] == what and row["connections"] == 32)

    django, own, bare = row("Django"), row("SongList"), row("pgbench, one pipeline")
    print(f"\nDjango needs {django['cpu_us_in_all'] / own['cpu_us_in_all']:.1f} times the CPU; SongList answers")
    print(f"{own['rps'] / django['rps']:.1f} times the requests, with {own['cpu_us']['postgres'] / bare['cpu_us']['postgres']:.2f}")
    print("times the CPU of Postgres in pgbench.")
    memory = result["pss_mib"]
    print(f"PSS in MiB: Django {memory['Django']}; SongList idle {sum(memory['idle'].values()):.1f},")
    print(f"after the load {sum(memory['after the load'].values()):.1f}: {memory['after the load']}")


main()
