"""Writes docs/findings.md: which test shows that a finding of the attack on the system is mended."""

import json
import re
import subprocess
from pathlib import Path

# What was found, in the words of this project; and why a finding has no test.
FINDINGS = {
    "SF-01": "a query of thousands of values overflowed the stack of songlist-service",
    "SF-02": "made-up methods stayed in the gateway's memory as labels of metrics",
    "SF-03": "guesses at password resets kept an owner from signing in",
    "SF-04": "searches of one user held every database connection",
    "SF-05": "the mail library wrote codes into the log",
    "SF-06": "on a port of IPv6, all clients of IPv4 were one client",
    "SF-07": "an administrator's text was mailed in our name to anybody",
    "SF-08": "strangers used up the verification codes of an address",
    "SF-09": "one user stored a megabyte per request",
    "SF-10": "a thief in step with the owner of a refresh token was not noticed",
    "SF-11": "an operator's password reset left a sign-in alive",
    "SF-12": "production started with the public keys of development",
    "SF-13": "who has an account showed in the time and state of answers",
    "SF-14": "one cell of an import filled the memory",
    "SF-21": "services could call methods that they have no use for",
    "SF-22": "an assertion of a caller served for any message of the same method within 30 s",
    "SF-23": "an account had several limits, one for each of its names",
    "SF-24": "bodies that trickle in were never cut",
    "SF-25": "names of users were cached without their tenant",
    "SF-26": "in a tenant's scope the database let rows of others be changed",
    "SF-27": "requests with two tokens or signatures were taken",
    "SF-28": "an array passed as an object, and a cursor of year -262143 was a bug",
    "SF-29": "a signed webhook with a NUL character was refused for ever",
    "SF-30": "invisible characters passed in names",
    "SF-31": "the audit did not tell who was attacked",
    "SF-32": "connections to servers were not encrypted",
    "SF-33": "hashes of absurd cost were computed, and one long row ended an import",
    "SF-34": "unknown paths were not limited, and limits did not tell their size",
    "SF-35": "one guest closed sign-in for a whole venue",
    "MF-01": "as SF-29",
    "MF-02": "requests for a payment link at the same moment were refused",
    "MF-03": "the sandbox answered refunds without JSON, and had no disputes",
    "MF-04": "settling asked, decided and wrote in one function",
    "MF-05": "a slow job was started beside itself",
    "MF-06": "the pages of a payment named no organisation",
    "RF-01": "of two replicas one got every call, also while it was frozen",
    "RF-02": "silent clients held up the end of a service",
    "RF-03": "a gateway that stopped cut an import off",
    "RF-04": "a burst on a starved machine was refused",
    "RF-05": "the restart of a service showed errors to its clients",
    "RF-06": "a service with a wrong clock refused every call and was ready",
    "RF-07": "a mail waited out its pause after the mail server was back",
    "RF-09": "the health service said SERVING while the database was away",
    "RF-10": "the id of a request ended at the first message of the outbox",
    "CF-01": "clients generated from the OpenAPI document had no types",
    "CF-02": "OPTIONS was refused",
    "CF-03": "faults of types spoke Rust",
    "CF-05": "mails named no organisation",
    "CF-07": "parallel refreshes, requests and links were refused",
    "CF-08": "malformed queries were taken, and one fault at a time was named",
    "CF-09": "conditional requests and content negotiation did not follow their standards",
    "CF-10": "the same payload in another form was another one, and line breaks were refused",
    "CF-11": "files of spreadsheets were not read",
    "CF-12": "fields of answers were not required in the document",
}
WITHOUT_TEST = {
    "SF-25": "the key of the cache is (tenant, user): the compiler keeps it so (`services/songlist-service/src/peers.rs`).",
}


def tests():
    done = subprocess.run(
        ["cargo", "nextest", "list", "--workspace", "--locked", "--message-format", "json"],
        check=True, capture_output=True, text=True,
    )
    for suite in json.loads(done.stdout)["rust-suites"].values():
        for name in suite["testcases"]:
            yield suite["package-name"], name


def main():
    found = {}
    for package, name in tests():
        for kind, number in re.findall(r"(?:^|_|::)(sf|mf|rf|cf)_(\d\d)(?=_)", name):
            found.setdefault(f"{kind.upper()}-{number}", []).append(f"`{name.rsplit('::', 1)[-1]}` ({package})")
    lines = [
        "# Findings",
        "",
        "Made by `make docs` (`deploy/dev/findings.py`) from the names of the tests. What attacking the running system showed, and",
        "the tests that fail when it comes back.",
        "",
        "| finding | what it was | tests |",
        "|---|---|---|",
    ]
    for finding, what in FINDINGS.items():
        shown = "<br>".join(sorted(set(found.get(finding, [])))) or WITHOUT_TEST.get(finding)
        if shown is None:
            raise SystemExit(f"{finding} has neither a test nor a reason")
        lines.append(f"| {finding} | {what} | {shown} |")
    Path("docs/findings.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
