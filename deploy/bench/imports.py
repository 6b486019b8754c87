"""How fast files are imported into an empty database, how much memory it takes, how long others wait meanwhile, and how fast psql
runs the same statements in a copy of the database from before."""

import http.client
import multiprocessing
import os
import re
import subprocess
import sys
import time
import urllib.parse

from measure import pss_mib
from stack import FOLDER, Stack

SIZES = [int(size) for size in sys.argv[1:]] or [1_000, 20_000, 100_000, 1_000_000]
FILE = 100_000  # the most rows of one file
READERS = int(os.environ.get("READERS", "10"))  # clients of another tenant, each reading some forty times a second
REPLAYED = 20_000  # rows whose statements psql runs


def rows(count, artists, begin=0):
    lines = [f"Imported Song {n},Imported Artist {n % artists},1980" for n in range(begin, begin + count)]
    return ("title,artist,release_year\n" + "\n".join(lines) + "\n").encode()


def quantile(times, percent):
    return sorted(times)[int(len(times) * percent / 100)] if times else float("nan")


def read_on(api, token, stop, found):
    """Reads the list of a tenant some forty times a second until it is told to stop, and sends how long each took, in ms."""
    base, times = urllib.parse.urlsplit(api), []
    connection = http.client.HTTPConnection(base.netloc)
    while not stop.is_set():
        begun = time.perf_counter()
        connection.request("GET", base.path + "/tenant/songs/", headers={"authorization": "Bearer " + token})
        connection.getresponse().read()
        times.append((time.perf_counter() - begun) * 1_000)
        time.sleep(0.02)
    found.send(times)


def files(size, artists):
    """As many files as that many rows take."""
    return [rows(min(FILE, size - begin), artists, begin) for begin in range(0, size, FILE)]


def import_all(stack, admin, bodies):
    """Imports the files; the number of songs that were created."""
    created = 0
    for body in bodies:
        status, answer = stack.call("POST", "/songs/import/?genre=Rock", body, admin, "text/csv", timeout=300)
        if status != 200:
            raise SystemExit(f"import: {status} {answer}")
        created += answer["data"]["created"]
    return created


def reads(stack, token, during):
    """The times of another tenant's reads while `during` runs, and what it returns. Processes of their own read: threads would wait for
    the interpreter's lock while this one sends files."""
    stop, readers = multiprocessing.Event(), []
    for _ in range(READERS):
        times, found = multiprocessing.Pipe(duplex=False)
        multiprocessing.Process(target=read_on, args=(stack.api, token, stop, found), daemon=True).start()
        readers.append(times)
    result = during()
    stop.set()
    return [time for times in readers for time in times.recv()], result


def measure(stack, size, artists):
    command = ["target/release/songlist", "gen", "--dev-dir", "target/bench/dev", "--tenants", "2", "--songs", "1000"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    other = stack.sign_in({"tenant_slug": "gen-1", "email": "listener@gen-1.example", "password": "correct horse battery"})
    admin = stack.sign_in(stack.login("ADMIN"))
    stack.pay(admin)
    bodies = files(size, artists)
    reads(stack, other, lambda: time.sleep(1))  # connections and caches are not part of what is compared
    quiet, _ = reads(stack, other, lambda: time.sleep(12))
    before, begun = pss_mib([stack.pid("songlist-service")]), time.monotonic()
    times, created = reads(stack, other, lambda: import_all(stack, admin, bodies))
    took = time.monotonic() - begun
    more = pss_mib([stack.pid("songlist-service")]) - before
    print(f"| {size:,} | {artists} | {took:.1f} | {size / took:,.0f} | {created:,} | {more:.0f} | "
          f"{quantile(times, 50):.1f} / {quantile(times, 99):.1f} | {quantile(quiet, 50):.1f} / {quantile(quiet, 99):.1f} |", flush=True)


def in_copy(url):
    """The URL of the copy instead of that of the database."""
    return re.sub(r"/[^/?@]+(\?|$)", r"/replay\1", url)


def psql(stack, arguments):
    command = ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", *arguments, in_copy(stack.database_url())]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def replay(size):
    """Imports with all statements logged, and has psql run them as the same role in a copy from before."""
    with Stack(log_level="warn") as stack:
        admin = stack.sign_in(stack.login("ADMIN"))
        stack.pay(admin)
        dump, script = FOLDER / "before.sql", FOLDER / "statements.sql"
        with open(dump, "w") as out:
            subprocess.run(["pg_dump", stack.database_url()], check=True, stdout=out)
        stack.sql("CREATE DATABASE replay")
        psql(stack, ["-f", str(dump)])
        for setting in ("log_statement = 'all'", "log_min_duration_statement = -1"):
            stack.sql(f"ALTER ROLE songlist_rw SET {setting}")
        log = FOLDER / "dev/postgres/postgres.log"
        stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'songlist_rw'")
        time.sleep(2)
        begun = log.stat().st_size
        import_all(stack, admin, files(size, 50))
        time.sleep(1)
        with open(log, errors="replace") as written:
            written.seek(begun)
            count = statements(written.read(), script)
        settings = "-c search_path=songlist,extensions -c plan_cache_mode=force_generic_plan"
        began = time.monotonic()
        result = subprocess.run(
            ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-f", str(script), in_copy(stack.database_url("songlist_rw"))],
            env={**os.environ, "PGOPTIONS": settings}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        took = time.monotonic() - began
        if result.returncode:
            raise SystemExit(result.stderr[:2000])
        made = psql(stack, ["-c", "SELECT count(*) FROM songlist.songs"]).strip()
        print(f"\npsql: {count} statements of {size:,} rows in {took:.1f} s, {size / took:,.0f} rows/s; {made} songs then")


def is_array(value):
    return value.startswith("'{") and not re.match(r"'\{\"[^\"]*\":", value)  # that would be JSON


def array_type(value):
    """The type of an array's elements, as they look: the log does not tell types."""
    items = [item for item in re.split(r"[{},]", value.strip("'")) if item and item != "NULL"]
    forms = {
        "bigint[]": r"-?\d+",
        "boolean[]": "[tf]",
        "uuid[]": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "timestamptz[]": r'"\d{4}-\d\d-\d\d .*"',
    }
    return next((name for name, form in forms.items() if all(re.fullmatch(form, item) for item in items)), "text[]")


def statements(log, script):
    """Writes the transactions that import as a script, each statement prepared once; returns how many statements there are."""
    entries = re.split(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (LOG|DETAIL):  ", log, flags=re.M)[1:]
    running, prepared, count = {}, {}, 0
    with open(script, "w") as out:
        for pid, kind, text in zip(entries[::3], entries[1::3], entries[2::3]):
            text = text.rstrip("\n").replace("\n\t", "\n")
            transaction = running.setdefault(pid, [])
            if kind == "DETAIL" and transaction:
                transaction[-1][1] = re.findall(r"\$\d+ = (NULL|'(?:[^']|'')*')", text)
                continue
            found = re.match(r"(?:execute [^:]+|statement): (.*)", text, flags=re.S)
            if not found:
                continue
            transaction.append([found[1], []])
            if not re.match(r"(COMMIT|ROLLBACK)", found[1]):
                continue
            if any("INSERT INTO songs" in sql for sql, _ in transaction):
                for sql, values in transaction:
                    count += 1
                    if not values:
                        out.write(sql + ";\n")
                        continue
                    types = tuple(array_type(value) if is_array(value) else "unknown" for value in values)
                    if (sql, types) not in prepared:
                        prepared[sql, types] = f"s{len(prepared)}"
                        out.write(f"PREPARE {prepared[sql, types]} ({', '.join(types)}) AS {sql};\n")
                    out.write(f"EXECUTE {prepared[sql, types]} ({', '.join(values)});\n")
            running[pid] = []
    return count


def main():
    print("| rows | artists | seconds | rows/s | of which created | MiB more | p50 / p99 of another tenant, ms | the same when quiet |")
    print("|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        for artists in (50, 1) if size <= FILE else (50,):
            with Stack(log_level="warn") as stack:
                measure(stack, size, artists)
    replay(REPLAYED)


if __name__ == "__main__":
    main()
