"""One attacker who does his worst for a while: `attacker.py stranger|listener|admin SECONDS` with his target as JSON on standard
input. It prints how often each attack was answered with which status."""

import collections
import gzip
import http.client
import io
import json
import os
import random
import socket
import sys
import threading
import time
import urllib.parse
import uuid
import zipfile

THREADS = 12


class Attacker:
    def __init__(self, target, seconds):
        self.target = target
        url = urllib.parse.urlsplit(target["gateway"])
        self.host, self.port = url.hostname, url.port
        self.until = time.monotonic() + seconds
        self.seen = collections.Counter()
        self.slowest = collections.Counter()

    def call(self, name, method, path, body=None, headers=None, port=None):
        whole = {"X-Forwarded-For": self.target["network"], "Content-Type": "application/json", **(headers or {})}
        if self.target.get("token") and "Authorization" not in whole:
            whole["Authorization"] = "Bearer " + self.target["token"]
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection(self.host, port or self.port, timeout=30)
            connection.request(method, path, data, whole)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            status = answer.status
            if status >= 500 and status != 503:
                print("FAULT", name, status, text[:200], file=sys.stderr)
        except (OSError, http.client.HTTPException) as error:
            status, text = type(error).__name__, b""
        self.seen[name, status] += 1
        self.slowest[name] = max(self.slowest[name], round((time.monotonic() - begun) * 1_000))
        try:
            return json.loads(text)
        except ValueError:
            return {}

    def raw(self, name, pieces, pause):
        """Sends bytes piece by piece and waits until the other side closes."""
        begun = time.monotonic()
        try:
            with socket.create_connection((self.host, self.port), timeout=40) as connection:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
                    if time.monotonic() > self.until:
                        return
                outcome = connection.recv(20)[9:12].decode() or "closed"
        except OSError as error:
            outcome = type(error).__name__
        self.seen[name, outcome] += 1
        self.slowest[name] = max(self.slowest[name], round((time.monotonic() - begun) * 1_000))

    # What anybody may try.

    def long_queries(self):
        pairs = "&".join(f"genre={i}" for i in range(random.choice([30, 500, 4_000])))
        self.call("long query", "GET", "/api/v1/tenant/songs/?" + pairs)

    def made_up_methods(self):
        self.call("made-up method", "".join(random.choices("ABCDEFGHIJ", k=12)), "/api/v1/songs/")

    def unknown_paths(self):
        self.call("unknown path", "GET", f"/api/v1/{uuid.uuid4()}/" + "a/" * random.randint(1, 400))

    def large_bodies(self):
        self.call("large body", "POST", self.auth("login/"), b'{"email":"' + b"x" * 3_000_000 + b'"}')

    def deep_bodies(self):
        self.call("deep body", "POST", self.auth("login/"), b"[" * 30_000)

    def large_headers(self):
        self.call("large headers", "GET", "/api/v1/capabilities/", headers={f"X-{i}": "y" * 4_000 for i in range(20)})

    def slow_headers(self):
        self.raw("slow headers", [b"GET /api/v1/songs/ HTTP/1.1\r\nHost: x\r\n"] + [b"X-Slow: 1\r\n"] * 60, 0.5)

    def slow_body(self):
        head = f"POST {self.auth('login/')} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
        self.raw("slow body", [head.encode()] + [b" "] * 60, 0.5)

    def rubbish(self):
        self.raw("rubbish", [os.urandom(2_000)], 0)

    # A stranger.

    def auth(self, path):
        return f"/api/v1/tenant/{self.target['slug']}/auth/{path}"

    def sign_ins(self):
        email = random.choice([self.target["victim"], f"{uuid.uuid4()}@example.com"])
        self.call("sign-in", "POST", self.auth("login/"), {"email": email, "password": "wrong horse battery"})

    def registrations(self):
        name = uuid.uuid4().hex
        password = "correct horse battery"
        body = {"username": name, "email": f"{name}@example.com", "password": password, "confirm_password": password}
        self.call("mail to a stranger", "POST", self.auth("register/"), body)

    def resets(self):
        self.call("reset of the victim", "POST", self.auth("password-reset/"), {"email": self.target["victim"]})

    def guesses(self):
        code = {"email": self.target["victim"], "otp": f"{random.randrange(1_000_000):06}"}
        self.call("guessed code", "POST", self.auth("verify-email/"), code)
        password = {"new_password": "staple battery horse", "confirm_password": "staple battery horse"}
        self.call("guessed reset", "POST", self.auth("password-reset/confirm/"), {**code, **password})

    def webhooks(self):
        body = {"event": "payment_link.paid", "payload": {"x": uuid.uuid4().hex * 100}}
        headers = {"X-Razorpay-Signature": "0" * 64, "X-Razorpay-Event-Id": uuid.uuid4().hex}
        self.call("forged webhook", "POST", "/api/v1/payments/webhook/razorpay/", body, headers)
        self.call("forged webhook", "POST", "/api/v1/payments/webhook/razorpay/", body, headers, self.target["webhook_port"])

    def tokens(self):
        self.call("made-up token", "GET", "/api/v1/users/me/", headers={"Authorization": "Bearer " + "e30." * 900})

    # A LISTENER.

    def searches(self):
        word = "".join(random.choices("abcdefghijklmnop qrst", k=random.randint(1, 100)))
        self.call("search", "GET", "/api/v1/tenant/songs/?page_size=100&q=" + urllib.parse.quote(word))

    def filters(self):
        query = "&".join(f"title={random.choice('aeiou')}{i}" for i in range(20))
        self.call("filters", "GET", f"/api/v1/tenant/songs/?ordering=-title&{query}")

    def deep_pages(self):
        self.call("deep page", "GET", f"/api/v1/tenant/songs/?page={random.randrange(1, 10**9)}")
        self.call("cursor", "GET", f"/api/v1/tenant/songs/?cursor={uuid.uuid4().hex * 8}")

    def records(self):
        body = {"name": uuid.uuid4().hex, "description": "x" * 60_000}
        self.call("idempotency record", "POST", "/api/v1/playlists/", body, {"Idempotency-Key": uuid.uuid4().hex})

    def playlists(self):
        body = {"name": uuid.uuid4().hex, "description": "x" * 900}
        self.call("playlist", "POST", "/api/v1/playlists/", body, {"Idempotency-Key": uuid.uuid4().hex})

    def requests(self):
        body = {"song_title": uuid.uuid4().hex, "artist_name": "x" * 200, "additional_notes": "x" * 900}
        self.call("song request", "POST", "/api/v1/song-requests/", body)

    def others(self):
        self.call("another's object", "GET", f"/api/v1/playlists/{uuid.uuid4()}/songs/")

    # An ADMIN.

    def odd_files(self):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("songs.csv", b"0" * 20_000_000)
        name, data = random.choice([
            ("one cell", b"title,artist\n\"" + b"x" * 20_000_000),
            ("archive", zipped.getvalue()),
            ("compressed", gzip.compress(b"title,artist\n" + b"a,b\n" * 2_000_000)),
            ("PDF", b"%PDF-1.7\n" + os.urandom(5_000_000)),
            ("quotes", b'title,artist\n' + b'"' * 5_000_000),
            ("columns", b"," * 3_000_000 + b"\n"),
            ("many rows", b"title,artist\n" + b"".join(b"Row %d,%s\n" % (i, uuid.uuid4().hex.encode()) for i in range(30_000))),
            ("unknown genres", b"title,artist,genre\n" + b"".join(b"T%d,A,G%d\n" % (i, i) for i in range(50_000))),
        ])
        path = "/api/v1/songs/import/" + random.choice(["", "?genre=Rock", "?dry_run=true", "?columns=" + "title:a," * 200])
        self.call(f"import: {name}", "POST", path, data, {"Content-Type": "text/csv"})

    def invitations(self):
        name = uuid.uuid4().hex
        self.call("invitation", "POST", "/api/v1/users/", {"username": name, "email": f"{name}@example.com"})

    def links(self):
        self.call("payment link", "POST", "/api/v1/payments/create-payment-link/", {})

    def songs(self):
        body = {"title": uuid.uuid4().hex, "artist": "x" * 255, "album": "y" * 255, "genre": str(uuid.uuid4())}
        self.call("song", "POST", "/api/v1/songs/", body)
        self.call("catalogue", "GET", "/api/v1/songs/?ordering=-title&page_size=100&q=" + uuid.uuid4().hex[:8])

    def run(self, role):
        anybody = [self.long_queries, self.made_up_methods, self.unknown_paths, self.large_bodies, self.deep_bodies]
        anybody += [self.large_headers, self.slow_headers, self.slow_body, self.rubbish]
        own = {
            "stranger": [self.sign_ins, self.registrations, self.resets, self.guesses, self.webhooks, self.tokens],
            "listener": [self.searches, self.filters, self.deep_pages, self.records, self.playlists, self.requests, self.others],
            "admin": [self.odd_files, self.invitations, self.links, self.songs, self.searches, self.filters],
        }[role]

        def work():
            while time.monotonic() < self.until:
                random.choice(own if random.random() < 0.7 else anybody)()

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        attacks = {}
        for (name, status), count in self.seen.items():
            attacks.setdefault(name, {})[str(status)] = count
        print(json.dumps({"attacks": attacks, "slowest_ms": self.slowest}))


random.seed(1)
Attacker(json.load(sys.stdin), float(sys.argv[2])).run(sys.argv[1])
