"""How fast webhooks are acknowledged at 500 a second for a minute, with forged ones beside them, and whether each is applied once.

Ten thousand links are paid at the sandbox while its own webhooks are dropped; then this script sends the three events of each, signed
as Razorpay signs them, to the port of payments-service."""

import base64
import hashlib
import hmac
import http.client
import json
import random
import socket
import sys
import threading
import time
import urllib.parse
import uuid

from measure import pss_mib
from stack import Stack

RATE = int(sys.argv[1]) if len(sys.argv) > 1 else 500
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
FORGED = 10_000 * SECONDS // 60
CONNECTIONS = 16
PATH = "/api/v1/payments/webhook/razorpay/"


class Sandbox:
    """One connection to Razorpay's API and to its control API."""

    def __init__(self, stack):
        self.base = urllib.parse.urlsplit(stack.demo["urls"]["razorpay"])
        keys = stack.demo["razorpay"]
        pair = base64.b64encode(f"{keys['key_id']}:{keys['key_secret']}".encode()).decode()
        self.headers = {"authorization": "Basic " + pair, "content-type": "application/json"}
        self.connection = http.client.HTTPConnection(self.base.netloc)

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), self.headers)
        return json.loads(self.connection.getresponse().read())


def purchase(sandbox, amount=99_900):
    """A link that is paid; the values of its row, and its three events."""
    number = uuid.uuid4()
    link = sandbox.post("/v1/payment_links", {"amount": amount, "currency": "INR", "reference_id": f"sl-{number.hex}"})
    paid = sandbox.post(f"/sandbox/links/{link['id']}/pay", {})["id"]
    row = (f"('{number}', '{uuid.uuid4()}', 'sl-{number.hex}', 'PENDING', {amount}, 'INR', 1, '{link['id']}', '{link['short_url']}', "
           f"now() + interval '16 minutes', now(), now(), now() + interval '1 hour')")
    payment = {"id": paid, "status": "captured", "amount": amount, "description": "#" + link["id"].removeprefix("plink_")}
    payload = {"payment": {"entity": payment}}
    linked = {**payload, "payment_link": {"entity": {"id": link["id"], "status": "paid", "amount_paid": amount}}}
    events = [("payment.captured", payload), ("order.paid", payload), ("payment_link.paid", linked)]
    return row, [json.dumps({"entity": "event", "event": name, "payload": body, "id": str(uuid.uuid4())}).encode() for name, body in events]


def request(body, secret, host):
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nx-razorpay-signature: {signature}\r\n"
            f"x-razorpay-event-id: {uuid.uuid4().hex[:14]}\r\ncontent-length: {len(body)}\r\n\r\n")
    return head.encode() + body


class Sender(threading.Thread):
    """Sends its share at the times that are given, late ones at once; a time counts from when it was due."""

    def __init__(self, address, begin, due):
        super().__init__(daemon=True)
        self.address, self.begin, self.due, self.times, self.statuses = address, begin, due, [], {}

    def run(self):
        connection = socket.create_connection(self.address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = connection.makefile("rb")
        for at, sent in self.due:
            wait = self.begin + at - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            connection.sendall(sent)
            status, length = int(answers.readline().split()[1]), 0
            while (line := answers.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            answers.read(length)
            self.times.append((time.perf_counter() - self.begin - at) * 1_000)
            self.statuses[status] = self.statuses.get(status, 0) + 1


def send(address, requests, rate, connections):
    begin = time.perf_counter() + 0.5
    due = [(place / rate, sent) for place, sent in enumerate(requests)]
    senders = [Sender(address, begin, due[n::connections]) for n in range(connections)]
    for sender in senders:
        sender.start()
    return senders


def result(senders):
    times, statuses = [], {}
    for sender in senders:
        sender.join()
        times += sender.times
        for status, count in sender.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    times.sort()
    at = lambda percent: times[min(int(len(times) * percent / 100), len(times) - 1)]
    return f"{len(times):,} | {statuses} | {at(50):.1f} | {at(99):.1f} | {times[-1]:.1f}"


def main():
    random.seed(1)
    with Stack(log_level="error") as stack:
        sandbox = Sandbox(stack)
        sandbox.post("/sandbox/chaos", {"drop_webhooks": True})
        count = RATE * SECONDS // 3
        begun = time.monotonic()
        made = [purchase(sandbox) for _ in range(count)]
        columns = ("id, tenant_id, reference_id, status, amount_minor, currency, attempt_number, razorpay_payment_link_id, payment_link_url, "
                   "expires_at, created_at, updated_at, check_after")
        for begin in range(0, count, 200):
            rows = ", ".join(row for row, _ in made[begin : begin + 200])
            stack.sql(f"INSERT INTO payments.payments ({columns}) VALUES {rows}")
        stack.sql("VACUUM ANALYZE payments.payments")
        print(f"{count:,} links were paid in {time.monotonic() - begun:.0f} s", file=sys.stderr)
        webhook = urllib.parse.urlsplit(stack.demo["urls"]["webhook"])
        address = (webhook.hostname, webhook.port)
        # The three events of a payment come within about a second of each other.
        order = sorted(((place + random.random() * RATE / 3, body) for place, (_, events) in enumerate(made) for body in events), key=lambda e: e[0])
        secret = stack.demo["razorpay"]["webhook_secret"]
        real = [request(body, secret, webhook.netloc) for _, body in order]
        fakes = [request(random.choice(order)[1], "a guess", webhook.netloc) for _ in range(FORGED)]
        before = pss_mib([stack.pid("payments-service")])
        begun = time.monotonic()
        senders, forgers = send(address, real, RATE, CONNECTIONS), send(address, fakes, FORGED / SECONDS, 4)
        print("| what | sent | answers | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|---|")
        print("| events | " + result(senders) + " |")
        print("| forged | " + result(forgers) + " |")
        more = pss_mib([stack.pid("payments-service")]) - before
        sent_for = time.monotonic() - begun
        while int(stack.sql("SELECT count(*) FROM payments.webhook_events WHERE state = 'pending'")) and time.monotonic() < begun + 600:
            time.sleep(1)
        print(f"\nsent in {sent_for:.0f} s, all applied after {time.monotonic() - begun:.0f} s; payments-service had {more:.0f} MiB more")
        for what, rows in {
            "events stored": "webhook_events",
            "events applied": "webhook_events WHERE state = 'applied'",
            "payments active": "payments WHERE status = 'ACTIVATED'",
            "activations": "payment_changes WHERE status = 'ACTIVATED'",
            "receipts": "receipts",
            "captures in the ledger": "ledger_lines WHERE entry LIKE 'capture:%' AND account = 'revenue'",
        }.items():
            print(f"{what}: {int(stack.sql(f'SELECT count(*) FROM payments.{rows}')):,}")


if __name__ == "__main__":
    main()
