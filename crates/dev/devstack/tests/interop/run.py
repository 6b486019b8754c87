"""Lets Razorpay's own clients, from PyPI and npm, work with the sandbox: they make, read and cancel links, refund, and verify what the
sandbox signs. It needs the sandbox's binary, and gets the clients from the registries into target/interop."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(__file__).parent
TARGET = Path("target/interop")
PYTHON, NODE = "razorpay==2.0.1", "razorpay@2.9.8"


def install():
    if not (TARGET / "venv/bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", TARGET / "venv"], check=True)
    # Its client imports pkg_resources, which newer versions of setuptools no longer have.
    pip = [TARGET / "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", PYTHON, "setuptools==80.9.0"]
    subprocess.run(pip, check=True)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", TARGET / "node", NODE], check=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks, as a merchant's server does."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.received.append({"body": body, "signature": self.headers["x-razorpay-signature"]})
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    install()
    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("SANDBOX_WEB_ADDR", "SANDBOX_SMTP_ADDR", "SANDBOX_RAZORPAY_ADDR")}
    env = {**os.environ, **addresses, "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_port}/", "LOG_LEVEL": "warn"}
    sandbox = subprocess.Popen([sys.argv[1]], env=env)
    url = "http://" + addresses["SANDBOX_RAZORPAY_ADDR"]
    try:
        wait_for(url + "/sandbox/truth")
        clients = {
            PYTHON: [TARGET / "venv/bin/python", HERE / "client.py", url],
            NODE: ["node", HERE / "client.js", url, str((TARGET / "node/node_modules/razorpay").resolve())],
        }
        for name, command in clients.items():
            Receiver.received.clear()
            for step in ("make", "verify"):
                subprocess.run([*command, step, json.dumps(Receiver.received[:1])], check=True)
                deadline = time.monotonic() + 10
                while not Receiver.received and time.monotonic() < deadline:
                    time.sleep(0.05)
            print(f"{name}: makes, reads, changes, cancels and refunds; verifies the callback and the webhook")
    finally:
        sandbox.terminate()


def wait_for(url):
    for _ in range(100):
        try:
            urllib.request.urlopen(url)
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the sandbox did not start")


if __name__ == "__main__":
    main()
