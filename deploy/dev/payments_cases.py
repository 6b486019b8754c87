"""Writes docs/payments-cases.md: which test shows each numbered failure case of payments."""

import re
from pathlib import Path

from findings import tests

# The cases in the words of this project.
CASES = """
one byte of a signed body changes
no signature, or one that cannot be one
a webhook signed with the key secret, a callback signed with the webhook secret
the same JSON in another form
the old webhook secret while secrets change
the secret of another tenant
a body that is too large, or trickles in
another account's events
ten thousand forged events a minute
one event sixteen times
one event twice at once
the three events of a payment in every order
one event at two addresses
a refund that is known before its payment
a failure after the capture
a capture after the failure
webhook, poll and callback at the same instant
killed around the commit of an event
killed between storing and applying an event
one event id with two bodies
a duplicate after two weeks
all webhooks are dropped
Razorpay's list lags behind
the webhook was disabled at Razorpay
the database is away
a handler that is slow
events that are unknown or not ours
another amount or currency than was asked for
a link that is paid without a captured payment
an unexpected partial payment
two partial payments
two payments for one purchase
the price changes after the link was made
amounts are exact
amounts that Razorpay does not take
notes that name another tenant
a forged callback
a callback that is replayed a thousand times
a callback before the webhook
no callback
callbacks with odd parameters
a callback URL of the caller
a lost answer to the creation of a link
two requests for a link at once
the link that is found cannot be used
too many requests
server errors, HTML, torn answers
the API key is refused
our clock is wrong
a link that would live too long
a link is cancelled in the moment in which it is paid
a link is cancelled twice
a refund whose answer is lost
two operators refund at once
a refund that is pending, fails, or is processed
a refund in Razorpay's dashboard
a refund of an earlier period
disputes
a refund that is asked for while it is being made
a renewal
a grace period
paid after it expired
premium for a lifetime
odd payloads
the ledger
random interleavings against Razorpay's truth
no secret in logs and exports
""".strip().splitlines()
WITHOUT_TEST = {
    6: "there is one webhook secret for the platform and none for a tenant",
    31: "links take no partial payments",
    42: "the callback URL is made from the configuration; no request names one",
    57: "premium has no periods",
    60: "premium has no periods",
    61: "premium has no periods",
}


def main():
    found = {}
    for package, name in tests():
        for number in re.findall(r"(?:^|_|::)case_(\d\d)(?=_)", name):
            found.setdefault(int(number), []).append(f"`{name.rsplit('::', 1)[-1]}` ({package})")
    shown = {number: "<br>".join(sorted(set(found.get(number, [])))) for number in range(1, len(CASES) + 1)}
    open_cases = [number for number, tests in shown.items() if not tests and number not in WITHOUT_TEST]
    lines = [
        "# Failure cases of payments",
        "",
        "Made by `make docs` (`deploy/dev/payments_cases.py`) from the names of the tests. A test may show a part of a case only.",
        "",
        f"Without a test: {', '.join(map(str, open_cases)) or 'none'}.",
        "",
        "| case | what happens | tests |",
        "|---|---|---|",
    ]
    for number, what in enumerate(CASES, 1):
        lines.append(f"| {number} | {what} | {shown[number] or WITHOUT_TEST.get(number, 'no test yet')} |")
    Path("docs/payments-cases.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
