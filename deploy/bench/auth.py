"""Whether the time of an answer tells if an account exists: sign-ins, registrations, resends and resets for known and unknown
addresses, interleaved, and sign-ins to accounts with a hash of this service and of Django."""

import random
import statistics
import sys
import time
import uuid

from stack import Stack

PAIRS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
PASSWORD = "correct horse battery"
DJANGO = "pbkdf2_sha256$1000000$kq3mZ8yXw1bTn5Rd$HiSg1tQhki4cEM/iqU1KWw/Jwvn9oqyAjyA6YpmiOBs="


def timed(stack, path, body):
    begun = time.monotonic()
    status, _ = stack.call("POST", path, body)
    return (time.monotonic() - begun) * 1_000, status


def compare(stack, what, pairs, one, other):
    """Each of `one` and `other` makes a path and a body; their order within a pair is random."""
    times, statuses = ([], []), (set(), set())
    for _ in range(pairs):
        order = [(0, one), (1, other)]
        random.shuffle(order)
        for which, make in order:
            took, status = timed(stack, *make())
            times[which].append(took)
            statuses[which].add(status)
    medians = [statistics.median(rows) for rows in times]
    # How often a random one of the first kind took longer than a random one of the second: 0.5 tells nothing.
    wins = sum(random.choice(times[0]) > random.choice(times[1]) for _ in range(100_000)) / 100_000
    apart = abs(medians[0] - medians[1])
    good = statuses[0] == statuses[1] and (apart <= 5 or apart <= 0.05 * max(medians))
    print(f"| {what} | {medians[0]:.1f} | {medians[1]:.1f} | {apart:.1f} | {wins:.2f} | {'yes' if good else 'NO'} |", flush=True)
    return good


def main():
    random.seed(1)
    good = []
    with Stack(rate_limit_factor="1000000") as stack:
        slug = stack.login("LISTENER")["tenant_slug"]
        users = [stack.register(slug, f"timed{n}")["email"] for n in range(100)]
        django = [stack.register(slug, f"django{n}")["email"] for n in range(10)]

        def auth(path, make):
            return lambda: (f"/tenant/{slug}/auth/{path}", make())

        def unknown():
            return f"{uuid.uuid4().hex}@bench.example"

        def registration(email):
            return {"username": uuid.uuid4().hex[:20], "email": email, "password": PASSWORD, "confirm_password": PASSWORD}

        print("| what | first, ms | second, ms | apart, ms | first slower | within 5 % or 5 ms |")
        print("|---|---|---|---|---|---|")
        wrong = {"password": "wrong horse battery"}
        good.append(compare(stack, "sign-in with a wrong password: known, unknown", PAIRS,
                            auth("login/", lambda: {"email": random.choice(users), **wrong}),
                            auth("login/", lambda: {"email": unknown(), **wrong})))
        good.append(compare(stack, "registration: known, unknown", PAIRS,
                            auth("register/", lambda: registration(random.choice(users))),
                            auth("register/", lambda: registration(unknown()))))
        good.append(compare(stack, "resend: known, unknown", PAIRS,
                            auth("resend-verification/", lambda: {"email": random.choice(users)}),
                            auth("resend-verification/", lambda: {"email": unknown()})))
        good.append(compare(stack, "reset: known, unknown", PAIRS,
                            auth("password-reset/", lambda: {"email": random.choice(users)}),
                            auth("password-reset/", lambda: {"email": unknown()})))
        quoted = ", ".join(f"'{email}'" for email in django)
        stack.sql(f"UPDATE auth.users SET password_hash = '{DJANGO}' WHERE email IN ({quoted})")
        time.sleep(61)  # auth-service looks once a minute whether there are such hashes
        good.append(compare(stack, "sign-in with a wrong password: hash of Django, of this service", max(PAIRS // 10, 1),
                            auth("login/", lambda: {"email": random.choice(django), **wrong}),
                            auth("login/", lambda: {"email": random.choice(users), **wrong})))
        good.append(compare(stack, "sign-in with a wrong password: hash of Django, unknown", max(PAIRS // 10, 1),
                            auth("login/", lambda: {"email": random.choice(django), **wrong}),
                            auth("login/", lambda: {"email": unknown(), **wrong})))
    sys.exit(0 if all(good) else 1)


main()
