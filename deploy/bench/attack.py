"""A stranger, a LISTENER and an ADMIN do their worst in turn while other tenants read, sign in and pay: what the others notice, and what stays behind. Fails when a process died, an answer was a fault, or the others waited too long."""

import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
import urllib.parse

import measure
from stack import FOLDER, SERVICES, Stack

SECONDS = 60
SONGS = 5_000
MEMORY_MIB = 64
LOG_MB = 10


class Victim:
    """Reads a page eight times a second, signs another guest in every 15 seconds, and one tenant pays in each phase."""

    def __init__(self, stack, guests, admin, payers):
        self.stack, self.guests, self.admin, self.payers = stack, itertools.cycle(guests), admin, payers
        self.token = stack.sign_in(next(self.guests))
        self.ended = threading.Event()
        self.latencies, self.refused = [], {}

    def note(self, what, status):
        if status >= 400:
            key = f"{what} {status}"
            self.refused[key] = self.refused.get(key, 0) + 1

    def answer(self, method, path, token):
        try:
            return self.stack.call(method, path, None, token)[0]
        except OSError as error:
            self.note(type(error).__name__, 999)
            return 0

    def read(self):
        tick = time.monotonic()
        while not self.ended.is_set():
            begun = time.monotonic()
            status = self.answer("GET", "/tenant/songs/?page_size=20", self.token)
            self.latencies.append((time.monotonic() - begun) * 1_000)
            self.note("page", status)
            tick = max(tick + 0.12, time.monotonic())
            time.sleep(max(0, tick - time.monotonic()))

    def others(self):
        while not self.ended.wait(15):
            try:
                self.token = self.stack.sign_in(next(self.guests))
            except (SystemExit, OSError) as refused:
                self.note(f"sign-in: {refused}", 999)
            self.note("subscription", self.answer("GET", "/payments/subscription/", self.admin))

    def pay(self):
        try:
            self.stack.pay(self.payers.pop())
        except (SystemExit, OSError) as refused:
            self.note(f"payment: {refused}", 999)

    def watch(self, seconds=None, beside=None):
        """The p99 of the pages while `beside` runs, or for some seconds."""
        self.latencies, self.refused = [], {}
        self.ended.clear()
        threads = [threading.Thread(target=self.read), threading.Thread(target=self.others), threading.Thread(target=self.pay)]
        for thread in threads:
            thread.start()
        result = beside() if beside else time.sleep(seconds)
        self.ended.set()
        for thread in threads:
            thread.join()
        ordered = sorted(self.latencies)
        return result, ordered[math.ceil(len(ordered) * 0.99) - 1], len(ordered)


def attack(stack, role, target):
    url = urllib.parse.urlsplit(stack.demo["urls"]["webhook"])
    whole = {"gateway": stack.demo["urls"]["gateway"], "webhook_port": url.port, **target}
    # The attacker's machine is not ours: what it computes must not delay the others.
    command = ["nice", "-n", "19", sys.executable, "deploy/bench/attacker.py", role, str(SECONDS)]
    done = subprocess.run(command, input=json.dumps(whole), check=True, capture_output=True, text=True)
    sys.stderr.write(done.stderr[:2_000])
    return json.loads(done.stdout)


def memory(stack):
    return {name: measure.pss_mib([stack.pid(name)]) for name in SERVICES}


def logs():
    return sum(file.stat().st_size for file in FOLDER.rglob("*.log"))


def database(stack):
    return int(stack.sql("SELECT sum(pg_database_size(datname)) FROM pg_database"))


def new_tenant(stack, root, name):
    """Another tenant: its slug and its ADMIN's token."""
    tenant = stack.must("POST", "/tenants/", {"name": name}, root)["data"]
    email, password = f"boss@{name}.example".lower(), "correct horse battery"
    new = {"username": "boss", "email": email, "password": password, "tenant_id": tenant["id"]}
    stack.must("POST", "/users/", new, root)
    proof = {"email": email, "otp": stack.next_code(email, 0)}
    stack.must("POST", f"/tenant/{tenant['slug']}/auth/verify-email/", proof)
    return tenant["slug"], stack.sign_in({"tenant_slug": tenant["slug"], "email": email, "password": password})


def main():
    faults = []
    with Stack(rate_limit_factor="1", log_level="info", trusted_hops="1") as stack:
        root = stack.sign_in(stack.login("SUPER_ADMIN"))
        slug, admin = new_tenant(stack, root, "Attacked")
        stack.pay(admin)
        stack.import_songs(admin, SONGS)
        guests = [stack.register(slug, f"guest{n}") for n in range(8)]
        payers = [new_tenant(stack, root, f"Payer{n}")[1] for n in range(4)]
        own = stack.sign_in(stack.login("ADMIN"))
        stack.pay(own)
        stack.import_songs(own, SONGS)
        listener = stack.sign_in(stack.login("LISTENER"))
        stack.sql("VACUUM ANALYZE")
        victim = Victim(stack, guests, admin, payers)
        _, quiet, _ = victim.watch(seconds=30)
        pids, idle, log, size = dict(stack.demo["pids"]), memory(stack), logs(), database(stack)
        print(f"quiet: p99 of another tenant's pages {quiet:.1f} ms", flush=True)
        print("| attacker | requests | p99 of the others, ms | times quiet | what the others were refused |")
        print("|---|---|---|---|---|")
        details = {}
        for role, target in [
            ("stranger", {"network": "203.0.113.5", "slug": slug, "victim": guests[0]["email"]}),
            ("listener", {"network": "203.0.113.6", "slug": slug, "victim": guests[0]["email"], "token": listener}),
            ("admin", {"network": "203.0.113.7", "slug": slug, "victim": guests[0]["email"], "token": own}),
        ]:
            details[role], p99, pages = victim.watch(beside=lambda: attack(stack, role, target))
            sent = sum(sum(statuses.values()) for statuses in details[role]["attacks"].values())
            print(f"| {role} | {sent:,} | {p99:.1f} ({pages} pages) | {p99 / quiet:.2f} | {victim.refused or 'nothing'} |", flush=True)
            statuses = {status for attack in details[role]["attacks"].values() for status in attack}
            faults += [f"{role}: an answer of {status}" for status in statuses if status.isdigit() and int(status) > 499 and status != "503"]
            broken = {status for name, attack in details[role]["attacks"].items() for status in attack if "slow" not in name and "rubbish" not in name}
            faults += [f"{role}: {status}" for status in broken if not status.isdigit()]
            if pages < 6 * SECONDS:
                faults.append(f"{role}: the others got {pages} pages only")
            if p99 > 2 * quiet:
                faults.append(f"{role}: the others' p99 is {p99 / quiet:.1f} times the quiet one")
            if victim.refused:
                faults.append(f"{role}: the others were refused: {victim.refused}")
        print("a minute later:", flush=True)
        time.sleep(60)
        after = memory(stack)
        for name in SERVICES:
            print(f"  {name}: {idle[name]:.1f} MiB before, {after[name]:.1f} MiB after", flush=True)
            if after[name] > idle[name] + MEMORY_MIB:
                faults.append(f"{name} keeps {after[name] - idle[name]:.0f} MiB")
            if not os.path.exists(f"/proc/{pids[name]}") or pids[name] != stack.pid(name):
                faults.append(f"{name} died")
        written = (logs() - log) / 1e6
        print(f"  log: {written:.1f} MB, database: {(database(stack) - size) / 1e6:.1f} MB more", flush=True)
        if written > LOG_MB:
            faults.append(f"{written:.0f} MB of log")
    for role, detail in details.items():
        print(f"\n{role}: attack, answers by status, slowest in ms")
        for name, statuses in sorted(detail["attacks"].items()):
            print(f"  {name}: {statuses} {detail['slowest_ms'][name]}")
    print("\n" + ("\n".join("FAULT " + fault for fault in faults) or "no fault"))
    sys.exit(1 if faults else 0)


main()
