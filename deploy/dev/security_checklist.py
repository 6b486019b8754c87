"""Writes docs/security-checklist.md: which test shows that a line of the security checklist holds."""

import re
from pathlib import Path

from findings import tests

# What must hold, in the words of this project.
LINES = {
    "PW-01": "passwords have 8 to 128 characters",
    "PW-02": "any characters count, but not digits alone",
    "PW-03": "a long password is not cut",
    "PW-04": "a longer one is refused before it is hashed",
    "PW-05": "common passwords are refused",
    "PW-07": "passwords like the user's names, the organisation or the product are refused",
    "PW-08": "hashes are Argon2id, each with its own salt",
    "PW-10": "hashes made by Django verify",
    "PW-11": "another hash is replaced at the next sign-in",
    "PW-12": "a failed replacement fails no sign-in and never overwrites a newer password",
    "PW-13": "unusable and absurd hashes never verify",
    "PW-14": "changing a password needs the old one, ends every session and is told by mail",
    "PW-15": "hashing has a bounded queue of its own",
    "PW-16": "secrets are wiped from memory and never printed",
    "OT-01": "codes are uniform",
    "OT-02": "codes expire, counted from their dispatch",
    "OT-03": "a code is used once, also under parallel submits",
    "OT-04": "five guesses a challenge, also under parallel submits",
    "OT-05": "a guess is counted before it is compared",
    "OT-06": "a resend neither resets the count nor extends the life",
    "OT-07": "a code serves no other tenant, user or purpose",
    "OT-08": "a sign-in code needs its challenge",
    "OT-09": "only MACs of codes are stored",
    "OT-10": "every stored code is compared, in constant time",
    "OT-11": "every reason for a refusal has the same answer",
    "OT-12": "wrong codes are limited per account and purpose",
    "OT-13": "the owner is told when somebody uses up the codes of a sign-in",
    "OT-14": "a finished flow voids the others of the user",
    "OT-15": "a code is made when its mail is sent",
    "OT-16": "a reset signs nobody in, goes around no authenticator and ends every session",
    "TK-01": "tokens have one algorithm, and keys of ours only",
    "TK-02": "each kind of token serves for its purpose only",
    "TK-03": "every claim is required and has its type",
    "TK-04": "each consumer has an audience of its own",
    "TK-05": "clocks may differ by thirty seconds",
    "TK-06": "lifetimes are bounded whatever is refreshed",
    "TK-07": "tokens have a largest size",
    "TK-08": "no name and no e-mail is in a token",
    "TK-09": "a refresh token has one successor",
    "TK-10": "a lost answer is given again while nothing of it was used",
    "TK-11": "a replay ends the session",
    "TK-12": "a refresh checks the user and the tenant",
    "TK-13": "a logout ends the own session only",
    "TK-14": "a logout may be repeated and counts within two seconds",
    "TK-15": "what takes a right away takes the tokens too",
    "TK-16": "signing keys rotate",
    "TK-17": "answers with tokens are not stored, and no log has one",
    "TK-18": "no usable token is in the database",
    "SE-01": "users and administrators see and end sessions",
    "SE-02": "each sign-in has a session of its own",
    "SE-04": "what is sensitive needs a fresh sign-in",
    "SE-06": "a restored user has no session, token or kept answer",
    "SE-07": "registering again restores nothing before the code, and no old password",
    "EN-01": "known and unknown accounts get the same answers",
    "EN-02": "what reveals an account is told after the code only",
    "EN-03": "registering a known address mails its owner",
    "EN-04": "limits are the same for unknown accounts",
    "EN-05": "times are the same",
    "EN-06": "no mail is sent inside a request",
    "EN-07": "unknown and foreign ids have the same answer",
    "EN-08": "usernames disclose nobody of another tenant",
    "EN-09": "variants of an address are one address",
    "RL-01": "networks, accounts and tenants have limits",
    "RL-02": "limits hold across gateways",
    "RL-03": "a refusal says how long to wait",
    "RL-04": "strangers lock nobody out",
    "RL-05": "forged headers change no limit",
    "RL-06": "a burst at the edge of a window is no more than the limit",
    "RL-07": "failures and successes are counted apart",
    "RL-08": "codes are limited like passwords",
    "RL-10": "the limiter's memory is bounded, and its keys hold no address",
    "TN-01": "the tenant comes from the token",
    "TN-02": "the path of one tenant and the token of another do not go together",
    "TN-03": "an unknown tenant gets the same answer, no mail and no user",
    "TN-04": "every route refuses every actor and object out of scope",
    "TN-05": "no body changes a role, a tenant or a state",
    "TN-06": "no ADMIN deletes an ADMIN",
    "TN-07": "the last ADMIN",
    "TN-08": "lists and counts hold no foreign row",
    "TN-09": "foreign ids in bodies are unknown",
    "TN-10": "keys of caches, limits and records hold the tenant",
    "TN-11": "kept answers belong to a user and a route",
    "TN-12": "answers have the fields of the document only",
    "DB-01": "a service sees its own schema",
    "DB-02": "a running service owns nothing",
    "DB-03": "every tenant table is under forced row-level security",
    "DB-04": "without a scope there is no row",
    "DB-05": "every role has its limits of time and connections",
    "DB-06": "connections are encrypted and verified",
    "LG-01": "events have names that are known",
    "LG-02": "no secret is in a log",
    "LG-03": "no input forges a log line",
    "LG-04": "a change and its audit row are one transaction, and the log is append-only",
    "LG-05": "addresses in logs are shortened",
    "LG-06": "a panic ends one request",
}
ELSEWHERE = {
    "RL-10": "keys are of ids, networks and hashes; `LocalLimiter` drops idle keys from 10,000 on (`crates/kit-redis/src/local.rs`), and keys in Redis expire.",
    "PW-12": "`users::rehash` compares the hash that it replaces; a failure is counted by the metric `password_rehash_failed`.",
    "PW-16": "`kit::Secret` wipes its text and prints dots; the compiler keeps passwords in it.",
    "OT-10": "`CodeKeys::matches` folds over every code with `ring::hmac::verify`.",
    "EN-05": "measured by `make measure-auth`: a test that times would fail at random.",
    "EN-06": "the mailer is called by the outbox's relay only (`services/auth-service/src/delivery.rs`).",
    "TN-07": "there is no such rule: a SUPER_ADMIN makes the next ADMIN.",
}


def main():
    found = {}
    for package, name in tests():
        short = name.rsplit("::", 1)[-1]
        for kind, number in re.findall(r"(?:^|_)(pw|ot|tk|se|en|rl|tn|db|lg)_(\d\d)(?=_)", short):
            found.setdefault(f"{kind.upper()}-{number}", set()).add(f"`{short}` ({package})")
    rows, open_lines, reasons = [], 0, 0
    for line, what in LINES.items():
        shown = "<br>".join(sorted(found.get(line, set())))
        if not shown and line in ELSEWHERE:
            reasons += 1
            shown = f"no test: {ELSEWHERE[line]}"
        if not shown:
            open_lines += 1
            shown = "**no test bears its name yet**"
        rows.append(f"| {line} | {what} | {shown} |")
    head = [
        "# Security checklist",
        "",
        "Made by `make docs` (`deploy/dev/security_checklist.py`) from the names of the tests. What must hold, and the tests that",
        f"show it. Of {len(LINES)} lines {reasons} have a reason instead of a test, and {open_lines} have neither.",
        "",
        "| line | what must hold | tests |",
        "|---|---|---|",
    ]
    Path("docs/security-checklist.md").write_text("\n".join(head + rows) + "\n")


main()
