"""Load generators with what they report, and CPU time and memory of processes."""

import glob
import math
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

WARM_UP = 2


@dataclass
class Load:
    """What a load generator saw."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    non_2xx: int = 0
    socket_errors: int = 0


def parse_wrk(text):
    milliseconds = {"us": 0.001, "ms": 1, "s": 1_000, "m": 60_000}

    def latency(percent):
        value, unit = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)$", text, re.M).groups()
        return float(value) * milliseconds[unit]

    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return Load(
        requests=int(re.search(r"(\d+) requests in ", text)[1]),
        rps=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        p50_ms=latency(50),
        p99_ms=latency(99),
        non_2xx=int(refused[1]) if refused else 0,
        socket_errors=sum(map(int, errors.groups())) if errors else 0,
    )


def parse_pgbench(text, microseconds):
    """Of its report, and of the latencies in its log."""
    ordered = sorted(microseconds)

    def latency(percent):
        return ordered[math.ceil(len(ordered) * percent / 100) - 1] / 1_000

    return Load(
        requests=int(re.search(r"transactions actually processed: (\d+)", text)[1]),
        rps=float(re.search(r"^tps = ([\d.]+)", text, re.M)[1]),
        p50_ms=latency(50),
        p99_ms=latency(99),
        non_2xx=int(re.search(r"number of failed transactions: (\d+)", text)[1]),
    )


def wrk(url, token, connections, seconds, paths=None):
    """`paths`: request these in random order instead of the URL's own path."""
    command = ["wrk", f"-t{min(connections, 2)}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    command += ["-H", f"Authorization: Bearer {token}"]
    if paths is None:
        return parse_wrk(_output([*command, url]))
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("".join(path + "\n" for path in paths))
        file.flush()
        return parse_wrk(_output([*command, "-s", "deploy/bench/paths.lua", url, "--", file.name]))


def pgbench(url, script, variables, connections, seconds):
    """The script as prepared statements, planned once as the service's are."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "script.sql")
        file.write_text(script)
        command = ["pgbench", "-n", "-M", "prepared", "-f", file, "-c", connections, "-j", min(connections, 2)]
        command += ["-T", seconds, "--log", f"--log-prefix={folder}/log", "--sampling-rate=0.25"]
        for name, value in variables.items():
            command += ["-D", f"{name}={value}"]
        report = _output([*map(str, command), url], PGOPTIONS="-c plan_cache_mode=force_generic_plan")
        lines = [line for log in glob.glob(f"{folder}/log*") for line in Path(log).read_text().splitlines()]
    # client, transaction, microseconds, script, time
    return parse_pgbench(report, [int(line.split()[2]) for line in lines])


def _output(command, **env):
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def under_load(generator, groups):
    """Runs `generator(seconds)`-like loads: a warm-up, then the measurement with the CPU time of each group of processes."""
    warm_up, measured = generator
    warm_up()
    before = cpu_microseconds(groups)
    load = measured()
    after = cpu_microseconds(groups)
    return load, {name: (after[name] - before[name]) / max(load.requests, 1) for name in groups}


# The fields of /proc/<pid>/stat after the name in parentheses, which may contain spaces.
PARENT, USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 1, 11, 12, 13, 14


def parse_stat(text):
    """The parent's id and the clock ticks of a process, those of its ended children included."""
    fields = text.rpartition(")")[2].split()
    return int(fields[PARENT]), sum(int(fields[i]) for i in (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM))


def _processes():
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            found[int(path.split("/")[2])] = parse_stat(Path(path).read_text())
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended meanwhile
    return found


def _tree(root, processes):
    children = [pid for pid, (parent, _) in processes.items() if parent == root]
    return [root] + [pid for child in children for pid in _tree(child, processes)]


def cpu_microseconds(groups):
    """CPU time since their start of groups of processes (name: ids), with all that descend from them."""
    processes, tick = _processes(), 1_000_000 / os.sysconf("SC_CLK_TCK")
    return {
        name: sum(processes[pid][1] for root in roots for pid in _tree(root, processes)) * tick
        for name, roots in groups.items()
    }


def pss_mib(roots):
    """Proportional set size of processes with all that descend from them."""
    processes = _processes()
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for root in roots for pid in _tree(root, processes)]
    return sum(int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1]) for rollup in rollups) / 1024
