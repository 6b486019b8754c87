"""How long pages, searches and suggestions take with a thousand, a hundred thousand and a million songs, for the tenant that has
all of them and for a small one beside it."""

import base64
import http.client
import json
import math
import random
import subprocess
import sys
import time
import urllib.parse

from stack import FOLDER, Stack

SIZES = [int(size) for size in sys.argv[1:]] or [1_000, 100_000, 1_000_000]
TENANTS = 1_000
LINKS_A_SONG = 12  # songs that are drawn for a list twice are on it once: about ten are left
ASKED = 100


class Session:
    """One connection of one person."""

    def __init__(self, stack, tenant):
        login = {"tenant_slug": tenant, "email": f"admin@{tenant}.example", "password": "correct horse battery"}
        self.token = stack.sign_in(login)
        self.base = urllib.parse.urlsplit(stack.api)
        self.connection = http.client.HTTPConnection(self.base.netloc)
        self.failed = 0

    def get(self, path):
        """The milliseconds that an answer took, and its JSON."""
        begun = time.perf_counter()
        self.connection.request("GET", self.base.path + path, headers={"authorization": "Bearer " + self.token})
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - begun) * 1_000
        self.failed += answer.status != 200
        return took, json.loads(text)

    def post(self, path, body):
        headers = {"authorization": "Bearer " + self.token, "content-type": "application/json"}
        self.connection.request("POST", self.base.path + path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"POST {path}: {answer.status} {text}")
        return json.loads(text)["data"]


def quantile(times, percent):
    ordered = sorted(times)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def mistyped(text):
    """Two neighbouring letters swapped within the longest word."""
    words = text.split()
    place = max(range(len(words)), key=lambda n: len(words[n]))
    word, at = words[place], max(len(words[place]) // 2 - 1, 0)
    words[place] = word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]
    return " ".join(words)


def quoted(**parameters):
    return urllib.parse.urlencode(parameters)


def cases(session, sample):
    """Names, and a function that makes a path, for the lists of one person."""
    count = session.get("/tenant/songs/")[1]["count"]
    last = max(count // 10, 1)

    def song():
        return random.choice(sample)

    def letters():
        return song()["title"].replace(" ", "")[:2]

    def of_several_songs(**others):
        return quoted(title=song()["title"][:3], **others)

    def cursor():
        return quoted(cursor=cursor_of(random.choice(rows), "Time", "created_at"))

    def cursor_by_year():
        return quoted(ordering="-release_year", cursor=cursor_of(random.choice(rows), "Number", "release_year"))

    def cursor_in_catalogue():
        return quoted(cursor=cursor_of(random.choice(songs), "Time", "created_at"))

    entries = [row["id"] for row in sample if row["is_active"]]
    playlist = session.post("/playlists/", {"name": f"Measured {time.time()}"})["id"]
    for begin in range(0, len(entries), 500):
        session.post(f"/playlists/{playlist}/songs/", {"tenant_song_ids": entries[begin : begin + 500]})
    rows = sample + session.get("/tenant/songs/?ordering=created_at&page_size=100")[1]["data"][20:]
    of_catalogue = session.get("/songs/")[1]["count"]
    last_of_catalogue = max(of_catalogue // 10, 1)
    songs = [row for part in range(8) for row in session.get(f"/songs/?page={1 + part * last_of_catalogue // 8}")[1]["data"]]
    return {
        "list, first page": lambda: "/tenant/songs/",
        "list, page by cursor": lambda: f"/tenant/songs/?{cursor()}",
        "list, page by number, anywhere": lambda: f"/tenant/songs/?page={random.randint(1, last)}",
        "list by title, page anywhere": lambda: f"/tenant/songs/?ordering=title&page={random.randint(1, last)}",
        "list by artist, page anywhere": lambda: f"/tenant/songs/?ordering=artist&page={random.randint(1, last)}",
        "list by year, page by cursor": lambda: f"/tenant/songs/?{cursor_by_year()}",
        "filter by artist": lambda: f"/tenant/songs/?{quoted(artist=song()['artist'])}",
        "filter by title and year": lambda: f"/tenant/songs/?{quoted(title=song()['title'][:4], ordering='release_year')}",
        "filter by two letters of a title": lambda: f"/tenant/songs/?{quoted(title=letters())}",
        "filter by one letter of a title": lambda: f"/tenant/songs/?{quoted(title=song()['title'][:1])}",
        "filter by two letters of an artist": lambda: f"/tenant/songs/?{quoted(artist=song()['artist'][:2])}",
        "filter by two letters of a title and of an artist": lambda: f"/tenant/songs/?{quoted(title=letters(), artist=song()['artist'][:2])}",
        "filter by three letters of a title and of an artist": lambda: f"/tenant/songs/?{of_several_songs(artist=song()['artist'][:3])}",
        "filter by three letters of a title and a genre": lambda: f"/tenant/songs/?{of_several_songs(genre=song()['genre'])}",
        "filter by letters of title and artist and a genre": lambda: f"/tenant/songs/?{of_several_songs(artist=letters(), genre=song()['genre'])}",
        "filter by visibility, own songs": lambda: "/tenant/songs/?visibility=tenant",
        "filter by genre": lambda: f"/tenant/songs/?{quoted(genre=song()['genre'])}",
        "search, title": lambda: f"/tenant/songs/?{quoted(q=song()['title'][:100])}",
        "search, artist and title": lambda: f"/tenant/songs/?{quoted(q=(song_text(song()))[:100])}",
        "search, mistyped": lambda: f"/tenant/songs/?{quoted(q=mistyped(song_text(song()))[:100])}",
        "suggest": lambda: f"/tenant/songs/suggest/?{quoted(q=song()['title'][: random.randint(1, 6)].strip() or 'a')}",
        "playlist, page anywhere": lambda: f"/playlists/{playlist}/songs/?page={random.randint(1, max(len(entries) // 10, 1))}",
        "playlists": lambda: "/playlists/",
        "genres": lambda: "/genres/",
        "catalogue, first page": lambda: "/songs/",
        "catalogue by year, first page": lambda: "/songs/?ordering=-release_year",
        "catalogue, page by cursor": lambda: f"/songs/?{cursor_in_catalogue()}",
        "catalogue, page anywhere": lambda: f"/songs/?page={random.randint(1, last_of_catalogue)}",
        "catalogue by title, page anywhere": lambda: f"/songs/?ordering=title&page={random.randint(1, last_of_catalogue)}",
        "catalogue, filter by two letters of a title": lambda: f"/songs/?{quoted(title=letters())}",
        "catalogue, filter by letters of title and artist and a genre": lambda: f"/songs/?{of_several_songs(artist=letters(), genre=song()['genre'])}",
        "catalogue, search": lambda: f"/songs/?{quoted(q=song()['title'][:100])}",
    }


def cursor_of(row, kind, column):
    """The cursor behind a row, as the page that ends with it would name it: walking to the middle of a million takes too long."""
    key = json.dumps({kind: [row[column], row["id"]]}).encode()
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def song_text(song):
    return random.choice([f"{song['artist']} {song['title']}", f"{song['title']} {song['artist']}"])


def measure(session, sample):
    rows = {}
    for name, path in cases(session, sample).items():
        for _ in range(5):
            session.get(path())
        session.failed = 0
        times = [session.get(path())[0] for _ in range(ASKED)]
        rows[name] = (quantile(times, 50), quantile(times, 99), f", {session.failed} % failed" if session.failed else "")
        print(name, rows[name], file=sys.stderr, flush=True)
    return rows


def plans(stack, session, sample, file):
    """The plans of each case as the service runs it, under the policies and as its role: written by auto_explain."""
    settings = {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
                "auto_explain.log_timing": "off", "auto_explain.log_nested_statements": "on"}
    for name, value in settings.items():
        stack.sql(f"ALTER ROLE songlist_rw SET {name} = '{value}'")
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'songlist_rw'")
    time.sleep(2)
    log = FOLDER / "dev/postgres/postgres.log"
    with open(file, "w") as out:
        for name, path in cases(session, sample).items():
            begun, asked = log.stat().st_size, path()
            session.get(asked)
            with open(log, errors="replace") as written:
                written.seek(begun)
                out.write(f"## {name}: {urllib.parse.unquote(asked)}\n\n{written.read()}\n")


def wait_for_landmarks(stack):
    """The job that makes them, and histograms, runs every minute."""
    lists = "SELECT count(*) FROM songlist.tenant_song_counts c WHERE total >= 20000"
    without = (" AND (NOT EXISTS (SELECT FROM songlist.tenant_song_landmarks l WHERE l.tenant_id = c.tenant_id)"
               " OR (SELECT count(DISTINCT sorted_by) FROM songlist.tenant_song_histograms h"
               " WHERE h.tenant_id = c.tenant_id AND h.is_base) < 3)")
    deadline = time.monotonic() + 900
    while stack.sql(lists + without) != "0":
        if time.monotonic() > deadline:
            raise SystemExit("no landmarks were made")
        time.sleep(1)


def main():
    random.seed(1)
    table = {}
    for size in SIZES:
        with Stack(log_level="error") as stack:
            begun = time.monotonic()
            command = ["target/release/songlist", "gen", "--dev-dir", "target/bench/dev", "--tenants", str(TENANTS), "--songs", str(size),
                       "--links", str(size * LINKS_A_SONG)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            links = stack.sql("SELECT sum(total) FROM songlist.tenant_song_counts")
            print(f"{size} songs on {links} places of lists in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
            wait_for_landmarks(stack)
            for tenant in ("gen-1", "gen-2"):
                session = Session(stack, tenant)
                sample = []
                pages = min(-(-session.get("/tenant/songs/")[1]["count"] // 100), 10)
                for page in range(1, pages + 1):
                    sample += session.get(f"/tenant/songs/?page_size=100&page={page}")[1]["data"]
                table[size, tenant] = measure(session, sample)
                if size == SIZES[-1]:
                    plans(stack, session, sample, FOLDER / f"plans-{tenant}.txt")
    columns = [(size, tenant) for tenant in ("gen-1", "gen-2") for size in SIZES]
    title = {"gen-1": "all", "gen-2": "a thousand of"}
    print("| p50 / p99, ms | " + " | ".join(f"{title[tenant]} {size:,}" for size, tenant in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in table[columns[0]]:
        cells = [f"{table[column][name][0]:.1f} / {table[column][name][1]:.1f}{table[column][name][2]}" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
