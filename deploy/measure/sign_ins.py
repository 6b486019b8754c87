"""Starts 60 sign-ins, eight at once: every one checks a password with Argon2id (19 MiB)."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

demo = json.load(open(".dev/demo.json"))
login = next(l for l in demo["logins"] if l["role"] == "LISTENER")
url = f"{demo['urls']['gateway']}/api/v1/tenant/{login['tenant_slug']}/auth/login/"
body = json.dumps({"email": login["email"], "password": login["password"]}).encode()


def start(_):
    request = urllib.request.Request(url, data=body, method="POST", headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


with ThreadPoolExecutor(8) as pool:
    statuses = list(pool.map(start, range(60)))
print({status: statuses.count(status) for status in sorted(set(statuses))})
