"""What is answered when far more is asked than can be served: pages, searches, and pages beside a flood of sign-ins."""

import csv
import json
import math
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import measure
from stack import SERVICES, Stack

SECONDS = 10
SONGS = 5_000
PAGE = "/tenant/songs/?page_size=20"
# A word that half of the list has and one that none has, so that every song is compared with them.
SEARCH = "/tenant/songs/?page_size=20&q=measurde%20xylophnoe%20sogn"


class Answers:
    """What `hey` saw, by status."""

    def __init__(self, seconds, rows):
        self.seconds, self.by_status = seconds, {}
        for status, latency in rows:
            self.by_status.setdefault(status, []).append(latency * 1_000)

    def useful(self, status=200):
        return len(self.by_status.get(status, [])) / self.seconds

    def p99(self, *statuses):
        found = sorted(latency for status in statuses for latency in self.by_status.get(status, []))
        return found[math.ceil(len(found) * 0.99) - 1] if found else 0.0

    def __str__(self):
        counts = {status: len(latencies) for status, latencies in sorted(self.by_status.items())}
        return f"{counts}; {self.useful():,.0f} useful/s, p99 {self.p99(200):.1f} ms, p99 of refusals {self.p99(429, 503):.1f} ms"


def hey(url, connections, seconds, rate=None, headers=(), body=None, skip=0):
    """`rate`: requests per second over all connections, which send at the same moments; without it as many as get answers.
    What is sent in the first `skip` seconds does not count."""
    command = ["hey", "-o", "csv", "-c", str(connections), "-z", f"{seconds + skip}s", "-t", "30"]
    if rate:
        command += ["-q", str(rate / connections)]
    for header in headers:
        command += ["-H", header]
    if body:
        command += ["-m", "POST", "-T", "application/json", "-d", json.dumps(body)]
    done = subprocess.run([*command, url], check=True, capture_output=True, text=True)
    rows = [row for row in csv.DictReader(done.stdout.splitlines()) if float(row["offset"]) >= skip]
    return Answers(seconds, [(int(row["status-code"]), float(row["response-time"])) for row in rows])


def sign_ins(url, body, rate):
    """A flood of sign-ins that arrive at random moments, from before the pages are measured until after that."""
    connections = 64
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS + 4}s", "--latency", "-s", "deploy/bench/sign_ins.lua", url]
    command += ["--", json.dumps(body), str(connections / rate * 1_000)]
    return measure.parse_wrk(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory(stack, when):
    sizes = {name: round(measure.pss_mib([stack.pid(name)]), 1) for name in SERVICES}
    print(f"PSS in MiB {when}: {sum(sizes.values()):.1f} {sizes}", flush=True)


def main():
    with Stack() as stack:
        admin = stack.sign_in(stack.login("ADMIN"))
        stack.pay(admin)
        stack.import_songs(admin, SONGS)
        login = stack.login("LISTENER")
        signed_in = [f"Authorization: Bearer {stack.sign_in(login)}"]
        stack.sql("VACUUM ANALYZE")
        page, search = stack.api + PAGE, stack.api + SEARCH
        memory(stack, "before")

        print("pages, 32 connections: ", capacity := hey(page, 32, SECONDS, headers=signed_in), flush=True)
        print("pages, 320 connections:", over := hey(page, 320, SECONDS, headers=signed_in), flush=True)
        print(f"  kept: {over.useful() / capacity.useful():.0%} of the throughput")
        memory(stack, "after pages")

        print("searches, 8 connections:", capacity := hey(search, 8, SECONDS, headers=signed_in), flush=True)
        rate = 10 * capacity.useful()
        # What comes in the first second is a burst: it waits until its time is up.
        print(f"searches, {rate:,.0f}/s: ", over := hey(search, 80, SECONDS, rate, signed_in, skip=3), flush=True)
        print(f"  kept: {over.useful() / capacity.useful():.0%} of the throughput")
        memory(stack, "after searches")

        print("pages at 200/s, quiet:        ", quiet := hey(page, 8, SECONDS, 200, signed_in), flush=True)
        url = f"{stack.api}/tenant/{login['tenant_slug']}/auth/login/"
        # Of an account that does not exist: its password is hashed as any other, and no mail is sent.
        body = {"email": "nobody@bench.example", "password": login["password"]}
        print("sign-ins, 4 connections:      ", hashing := hey(url, 4, SECONDS, body=body), flush=True)
        with ThreadPoolExecutor() as pool:
            rate = 10 * hashing.useful(401)
            flood = pool.submit(sign_ins, url, body, rate)
            time.sleep(2)
            print("pages at 200/s beside them:   ", beside := hey(page, 8, SECONDS, 200, signed_in), flush=True)
            seen = flood.result()
            print(f"sign-ins at {rate:,.0f}/s: {seen.requests} requests, p50 {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms")
        print(f"  p99 of the pages is {beside.p99(200) / quiet.p99(200):.2f} times the quiet one")
        memory(stack, "after sign-ins")


main()
