"""What clients notice while replicas are restarted, frozen, killed and added, at 500 requests a second; then what a read costs with
one, two and three replicas of songlist-service."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from load import Load
from measure import pss_mib
from stack import Stack

BUILD = sys.argv[1] if len(sys.argv) > 1 else "release"
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 500
PATHS = ["/api/v1/tenant/songs/", "/api/v1/playlists/", "/api/v1/users/me/", "/api/v1/genres/", "/api/v1/payments/subscription/"]
TWO = "auth=2,songlist=2,payments=2,scheduler=2,gateway=2"


def ops(stack):
    """Where each process tells its metrics, by its name: its environment says so."""
    found = {}
    for name in stack.demo["pids"]:
        environ = f"/proc/{stack.pid(name)}/environ"
        if name in ("postgres", "redis", "sandbox"):
            continue
        variables = dict(v.split("=", 1) for v in open(environ).read().split("\0") if "=" in v)
        prefix = name.split("-")[0].upper()
        found[name] = variables[f"{prefix}_OPS_ADDR"]
    return found


def fetch(address, path):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
        return answer.read().decode()


def all_ready(stack):
    """Waits until every process says that it is ready, which is all that a rollout waits for."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            for address in ops(stack).values():
                fetch(address, "/readyz")
            return
        except OSError:
            time.sleep(0.1)
            stack.read_again()
    raise SystemExit("not all replicas are ready after 30 s")


def stop_and_wait(stack, name, how):
    """Stops a process, which `songlist dev` starts again; returns the seconds that it took to end."""
    old, began = stack.pid(name), time.monotonic()
    os.kill(old, how)
    while os.path.exists(f"/proc/{old}") and open(f"/proc/{old}/stat").read().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    took = time.monotonic() - began
    while stack.read_again()["pids"][name] == old:
        time.sleep(0.05)
    all_ready(stack)
    return took


class Session(threading.Thread):
    """One person who refreshes the session all the time, and sends a refresh again that was not answered."""

    def __init__(self, stack, login):
        super().__init__()
        self.stack, self.stopping, self.renewed, self.failed = stack, False, 0, []
        root = f"/tenant/{login['tenant_slug']}/auth/login/"
        seen = stack._mails(login["email"])["messages_count"]
        started = stack.must("POST", root, {"email": login["email"], "password": login["password"]})
        code = {"challenge_id": started["data"]["challenge_id"], "otp": stack.next_code(login["email"], seen)}
        self.tokens = stack.must("POST", root + "verify-otp/", code)["data"]

    def run(self):
        while not self.stopping:
            try:
                status, answer = self.stack.call("POST", "/token/refresh/", {"refresh": self.tokens["refresh"]})
                if status == 200:
                    self.tokens, self.renewed = answer, self.renewed + 1
                else:
                    self.failed.append(status)
            except OSError as error:
                self.failed.append(repr(error))
            time.sleep(0.1)


def load_of(stack, token):
    gateway = urllib.parse.urlsplit(stack.demo["urls"]["gateway"])
    return Load(gateway.hostname, gateway.port, PATHS, token, RATE)


def rolling_restart(stack, token, login):
    print(f"\nrolling restart of all ten processes at {RATE} requests a second")
    session = Session(stack, login)
    session.start()
    with load_of(stack, token) as load:
        for name in ops(stack):
            time.sleep(1)
            took = stop_and_wait(stack, name, signal.SIGTERM)
            print(f"  {name:<22} ended after {took:.2f} s")
        time.sleep(1)
    session.stopping = True
    session.join()
    last, _ = stack.call("POST", "/token/refresh/", {"refresh": session.tokens["refresh"]})
    print(f"  requests {load.sent}, failed {len(load.failures)}, kept connections that were replaced {load.reconnected}")
    print(f"  refreshes {session.renewed}, other answers {session.failed}; the last one: {last}")
    for failure in load.failures[:10]:
        print("   ", failure)


def outage(stack, token, name, how):
    with load_of(stack, token) as load:
        time.sleep(2)
        began, sent = time.monotonic(), load.sent
        os.kill(stack.pid(name), how)
        time.sleep(20)
        window = load.sent - sent
    if how == signal.SIGSTOP:
        os.kill(stack.pid(name), signal.SIGCONT)
    failed, late = load.failed_between(began, began + 20), load.failed_between(began + 2, began + 20)
    slow = sorted(took for at, took in load.times if began <= at < began + 2)
    print(f"  {how.name:<8} {name:<20} {len(failed)} of {window} failed ({100 * len(failed) / window:.2f} %), {len(late)} after 2 s; "
          f"slowest in the first 2 s {slow[-1]:.2f} s")
    for failure in late[:5]:
        print("   ", failure)
    time.sleep(1)
    all_ready(stack)


def answered(stack):
    """Calls that each replica of songlist-service has answered."""
    found = {}
    for name, address in ops(stack).items():
        if name.startswith("songlist"):
            lines = [line for line in fetch(address, "/metrics").splitlines() if line.startswith("request_seconds_count")]
            found[name] = sum(int(line.rsplit(" ", 1)[1]) for line in lines)
    return found


def joining(token_of):
    with Stack(replicas="songlist=3,gateway=2", build=BUILD) as stack:
        token = token_of(stack)
        with load_of(stack, token):
            stop_and_wait(stack, "songlist-service-3", signal.SIGKILL)
            before = answered(stack)
            time.sleep(10)
            after = answered(stack)
        counts = {name: after[name] - before[name] for name in after}
        whole = sum(counts.values())
        print("\na third replica of songlist-service that is started, in the ten seconds from when it is ready")
        for name, count in counts.items():
            print(f"  {name:<22} {count:>6} {100 * count / whole:.1f} %")


READS = [("a page of 20 songs", "?page_size=20"), ("a page of 100 songs", "?page_size=100"), ("a search", "?q=measured%20song%2077")]


def throughput(token_of):
    cores = os.cpu_count()
    print(f"\nreads with 1, 2 and 3 replicas of songlist-service, each pinned to one of {cores} cores, which everything else shares")
    for count in (1, 2, 3):
        with Stack(replicas=f"songlist={count}", build=BUILD) as stack:
            token = token_of(stack)
            for n in range(count):
                name = "songlist-service" if n == 0 else f"songlist-service-{n + 1}"
                subprocess.run(["taskset", "-acp", str(n % cores), str(stack.pid(name))], check=True, capture_output=True)
            for what, query in READS:
                one_read(stack, token, count, what, stack.api + "/tenant/songs/" + query)
            memory = [pss_mib([stack.pid(name)]) for name in stack.demo["pids"] if name.startswith("songlist")]
            print(f"  memory of each replica {', '.join(f'{mib:.0f}' for mib in memory)} MiB; connections {connections(stack)}")


def one_read(stack, token, count, what, url):
    before = {name: cpu(stack.pid(name)) for name in stack.demo["pids"]}
    command = ["wrk", "-t1", "-c32", "-d10s", "--latency", "-H", f"authorization: Bearer {token}", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate, p99 = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), re.search(r"99%\s+(\S+)", text)[1]
    used = {name: (cpu(stack.pid(name)) - before[name]) / 10 for name in before}
    share = lambda kind: sum(cores for name, cores in used.items() if name.startswith(kind))
    failed = re.search(r"Non-2xx.*: (\d+)", text)
    print(f"  {count} replicas, {what:<20} {rate:7.0f} requests/s, p99 {p99:>9}, failed {failed[1] if failed else 0}; cores: "
          f"songlist {share('songlist'):.2f}, gateway {share('gateway'):.2f}")


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connections(stack):
    rows = stack.sql("SELECT application_name, count(*) FROM pg_stat_activity WHERE application_name LIKE '%-service%' GROUP BY 1 ORDER BY 1")
    return ", ".join(row.replace("|", " ") for row in rows.splitlines())


def prepared(stack):
    admin_login = stack.login("ADMIN")
    admin = stack.sign_in(admin_login)
    stack.pay(admin)
    stack.import_songs(admin, 2_000)
    # As autovacuum does after a minute: an index-only scan of new rows looks at each of them.
    stack.sql("VACUUM ANALYZE")
    return admin


def main():
    with Stack(replicas=TWO, build=BUILD) as stack:
        token = prepared(stack)
        all_ready(stack)
        rolling_restart(stack, token, stack.login("ADMIN"))
        print(f"\none of two replicas is frozen or killed, at {RATE} requests a second, for 20 s")
        for name in ("songlist-service-2", "auth-service", "payments-service", "gateway-2"):
            for how in (signal.SIGSTOP, signal.SIGKILL):
                outage(stack, token, name, how)
        print("\nmemory (PSS): " + ", ".join(f"{name} {pss_mib([stack.pid(name)]):.0f} MiB" for name in ops(stack)))
        print("connections: " + connections(stack))
    joining(prepared)
    throughput(prepared)


main()
