"""A SongList stack of its own from the release build, and a client that signs people in and fills lists."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

FOLDER = Path("target/bench")
SERVICES = ["gateway", "auth-service", "songlist-service", "payments-service", "scheduler-service"]


class Stack:
    """Runs `songlist dev` with an empty database while it is entered."""

    def __init__(self, rate_limit_factor="1000000", log_level="warn", trusted_hops="0", replicas="", build="release"):
        self.replicas, self.build = replicas, build
        self.rate_limit_factor, self.log_level, self.trusted_hops = rate_limit_factor, log_level, trusted_hops

    def __enter__(self):
        shutil.rmtree(FOLDER / "dev", ignore_errors=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.log = open(FOLDER / "dev.log", "w")
        env = {**os.environ, "LOG_LEVEL": self.log_level, "RATE_LIMIT_FACTOR": self.rate_limit_factor, "TRUSTED_PROXY_HOPS": self.trusted_hops}
        command = [f"target/{self.build}/songlist", "dev", "--dev-dir", str(FOLDER / "dev")]
        command += ["--replicas", self.replicas] if self.replicas else []
        self.process = subprocess.Popen(command, env=env, stdout=self.log, stderr=subprocess.STDOUT)
        self.demo = self._started()
        self.api = self.demo["urls"]["gateway"] + "/api/v1"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.log.close()

    def _started(self):
        file, deadline = FOLDER / "dev/demo.json", time.monotonic() + 60
        while not file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the stack did not start:\n" + (FOLDER / "dev.log").read_text())
            time.sleep(0.1)
        return json.loads(file.read_text())

    def read_again(self):
        """What has changed since the start: processes that were started again have other ids."""
        self.demo = json.loads((FOLDER / "dev/demo.json").read_text())
        return self.demo

    def pid(self, name):
        return self.demo["pids"][name]

    def database_url(self, role=None):
        """The database's URL for a role of the stack, or the superuser's."""
        url = self.demo["database_admin_url"]
        return re.sub(r"//[^@]+@", f"//{role}:{role}_dev@", url) if role else url

    def sql(self, text):
        command = ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", text, self.database_url()]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def call(self, method, url, body=None, token=None, content_type="application/json", timeout=30):
        """The status and the JSON of an answer; `url` is whole or below the API."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        whole = url if url.startswith("http") else self.api + url
        request = urllib.request.Request(whole, data=data, method=method, headers={"content-type": content_type})
        if token:
            request.add_header("authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text or b"{}")
        except ValueError:
            return status, {}  # a page of HTML

    def must(self, method, url, body=None, token=None, content_type="application/json"):
        status, answer = self.call(method, url, body, token, content_type)
        if status >= 300:
            raise SystemExit(f"{method} {url}: {status} {answer}")
        return answer

    def login(self, role):
        return next(login for login in self.demo["logins"] if login["role"] == role)

    def sign_in(self, login):
        """The access token after password and mailed code."""
        slug = login["tenant_slug"]
        root = f"/tenant/{slug}/auth/login/" if slug else "/auth/super-admin/login/"
        seen = self._mails(login["email"])["messages_count"]
        started = self.must("POST", root, {"email": login["email"], "password": login["password"]})
        code = {"challenge_id": started["data"]["challenge_id"], "otp": self.next_code(login["email"], seen)}
        return self.must("POST", root + "verify-otp/", code)["data"]["access"]

    def register(self, slug, name):
        """A verified LISTENER of a tenant; its login."""
        password = "correct horse battery"
        login = {"tenant_slug": slug, "email": f"{name}@bench.example", "password": password}
        new = {"username": name, "email": login["email"], "password": password, "confirm_password": password}
        root = f"/tenant/{slug}/auth/"
        answer = self.must("POST", root + "register/", new)
        proof = {"email": login["email"], "otp": self.next_code(login["email"], 0)}
        proof["challenge_id"] = answer["data"].get("challenge_id")
        self.must("POST", root + "verify-email/", {k: v for k, v in proof.items() if v})
        return login

    def _mails(self, email):
        return self.must("GET", f"{self.demo['urls']['mailbox']}/api/v1/search?query=to:{urllib.parse.quote(email)}")

    def next_code(self, email, seen):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self._mails(email)
            for new in found["messages"][: found["messages_count"] - seen]:
                mail = self.must("GET", f"{self.demo['urls']['mailbox']}/api/v1/message/{new['ID']}")
                if code := re.search(r"\b\d{6}\b", mail["Text"]):
                    return code.group()
            time.sleep(0.05)
        raise SystemExit(f"no code came for {email}")

    def pay(self, admin):
        """Premium for the tenant of this ADMIN."""
        link = self.must("POST", "/payments/create-payment-link/", {}, admin)["data"]["payment_link_url"]
        self.call("POST", link + "/pay", b"outcome=success", None, "application/x-www-form-urlencoded")
        for _ in range(200):
            if self.must("GET", "/payments/subscription/", None, admin)["data"]["is_premium"]:
                return
            time.sleep(0.1)
        raise SystemExit("the payment did not give premium")

    def import_songs(self, admin, count):
        rows = b"".join(b"Measured Song %d,Measured Artist %d,1980\n" % (i, i % 50) for i in range(count))
        csv = b"title,artist,release_year\n" + rows
        report = self.must("POST", "/songs/import/?genre=Rock", csv, admin, "text/csv")["data"]
        if report["created"] != count:
            raise SystemExit(f"import: {report}")
