"""How fast a file is imported into an empty database, how much memory it takes, and how long others wait meanwhile."""

import http.client
import subprocess
import sys
import threading
import time
import urllib.parse

from measure import pss_mib
from stack import Stack

SIZES = [int(size) for size in sys.argv[1:]] or [1_000, 20_000, 100_000]


def rows(count, artists, begin=0):
    lines = [f"Imported Song {n},Imported Artist {n % artists},1980" for n in range(begin, begin + count)]
    return ("title,artist,release_year\n" + "\n".join(lines) + "\n").encode()


def quantile(times, percent):
    return sorted(times)[int(len(times) * percent / 100)] if times else float("nan")


class Reader(threading.Thread):
    """Reads the list of another tenant ten times a second until it is told to stop."""

    def __init__(self, stack, token):
        super().__init__(daemon=True)
        self.base, self.token, self.times, self.going = urllib.parse.urlsplit(stack.api), token, [], True

    def run(self):
        connection = http.client.HTTPConnection(self.base.netloc)
        while self.going:
            begun = time.perf_counter()
            connection.request("GET", self.base.path + "/tenant/songs/", headers={"authorization": "Bearer " + self.token})
            connection.getresponse().read()
            self.times.append((time.perf_counter() - begun) * 1_000)
            time.sleep(0.02)


def main():
    print("| rows | artists | seconds | rows/s | of which created | MiB more | p50 / p99 of another tenant, ms | the same when quiet |")
    print("|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        for artists in (50, 1):
            with Stack(log_level="warn") as stack:
                command = ["target/release/songlist", "gen", "--dev-dir", "target/bench/dev", "--tenants", "2", "--songs", "1000"]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                other = stack.sign_in({"tenant_slug": "gen-1", "email": "listener@gen-1.example", "password": "correct horse battery"})
                admin = stack.sign_in(stack.login("ADMIN"))
                stack.pay(admin)
                quiet = Reader(stack, other)
                quiet.start()
                time.sleep(4)
                quiet.going = False
                quiet.join()
                reader = Reader(stack, other)
                reader.start()
                before, begun = pss_mib([stack.pid("songlist-service")]), time.monotonic()
                status, answer = stack.call("POST", "/songs/import/?genre=Rock", rows(size, artists), admin, "text/csv", timeout=120)
                took = time.monotonic() - begun
                after = pss_mib([stack.pid("songlist-service")])
                reader.going = False
                reader.join()
                created = answer.get("data", {}).get("created", f"{status} {answer.get('code')}")
                print(f"| {size:,} | {artists} | {took:.1f} | {size / took:,.0f} | {created} | {after - before:.0f} | "
                      f"{quantile(reader.times, 50):.1f} / {quantile(reader.times, 99):.1f} | "
                      f"{quantile(quiet.times, 50):.1f} / {quantile(quiet.times, 99):.1f} |", flush=True)


if __name__ == "__main__":
    main()
