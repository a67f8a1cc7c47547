#!/usr/bin/env python3
"""Says where a work's time goes: the instructions of our programs and of those beside them, counted, with the
functions that take most; their system calls; and, where the processor's time is the kernel's, its functions.
Of a work that is about memory it says what is resident, and who has asked for the heap at its peak.

    profiling.py [WORK …] [--rows N] --launcher … --peers …

Run by scripts/bench-profile, which builds what it needs. Writes profiles/WORK.txt. Instructions are counted
by callgrind, which is repeatable, and the heap by massif; the rest needs perf and the right to use it, and is
left out without.
"""

import argparse
import collections
import dataclasses
import datetime
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import compare
import servers
import works

HERE = pathlib.Path(__file__).resolve().parent
# How many functions are told, and how much of the name of each.
FUNCTIONS, WIDTH = 20, 96


@dataclasses.dataclass
class Profile:
    """Rows of a work, and what one operation of it is. The commands are those of works.py."""

    key: str
    work: str  # how its title begins
    rows: tuple
    operation: str
    operations: int | dict | None  # by row, where they differ; None: as many as the copied table has rows
    # The same command with this for its number is counted too, and taken off: starting and connecting.
    start: int = 0
    reference: str = "libpq, in C"
    # What it keeps in memory, instead of what it executes.
    is_of_memory: bool = False
    # What its parts take, one after the other, instead of its functions: of what many processes do.
    is_of_steps: bool = False

    def count(self, row, copied):
        """How many operations a row has done, of a copied table of so many rows."""
        found = self.operations.get(row.name) if isinstance(self.operations, dict) else self.operations
        return found or copied


PROFILES = [
    *(
        Profile(
            "W1",
            f"the whole life of a process that asks SELECT 1, over {way}",
            ("pg-open", "psql", "libpq, in C"),
            "process",
            1,
            reference="psql",
        )
        for way in ("a Unix socket", "TCP with TLS")
    ),
    Profile(
        "W2",
        "20,000 prepared round trips",
        ("PGKit", "PGKit, by row", "PGKit, asynchronous, by row", "libpq, in C", "floor: no parsing"),
        "trip",
        20_000,
        start=1,
    ),
    Profile(
        "W2",
        "20,000 round trips, a hundred before each answer",
        ("PGKit, answers dropped", "libpq, in C, answers read", "floor: answers dropped"),
        "trip",
        20_000,
        start=100,
        reference="libpq, in C, answers read",
    ),
    Profile(
        "W3",
        "a million rows",
        (
            "PGKit",
            "PGKit, no Strings",
            "PGKit, asynchronous",
            "libpq, in C, row by row",
            "floor: decoded in place",
        ),
        "row",
        1_000_000,
        reference="libpq, in C, row by row",
    ),
    Profile(
        "W4",
        "a million rows as CSV",
        ("pg-open", "psql --csv", "psql, COPY", "floor: nothing quoted"),
        "row",
        1_000_000,
        reference="psql --csv",
    ),
    Profile(
        "W4",
        "a million rows of one column",
        ("pg-open", "psql --csv"),
        "row",
        1_000_000,
        reference="psql --csv",
    ),
    Profile(
        "W4",
        "a million rows as JSON lines",
        ("pg-open", "psql, row_to_json", "floor: nothing escaped"),
        "row",
        1_000_000,
        reference="psql, row_to_json",
    ),
    *(
        Profile(
            "W5",
            f"COPY TO STDOUT, {form}",
            (
                "pg-copy",
                "psql",
                "libpq, in C",
                "floor: receive and forget",
                "floor: payload to standard output, with pauses",
            ),
            "row",
            None,
        )
        for form in ("text", "binary")
    ),
    Profile(
        "W6",
        "from one session to 1 other, text",
        ("pg-copy", "libpq, in C", "psql to psql", "floor: messages relayed"),
        "row",
        None,
    ),
    Profile(
        "W6",
        "from one session to 1 other, binary",
        ("pg-copy", "libpq, in C", "psql to psql", "floor: messages relayed"),
        "row",
        None,
    ),
    Profile(
        "W6",
        "from one session to 3 others",
        ("pg-copy", "pg-copy, to one of them alone", "libpq, in C", "floor: messages relayed"),
        "row",
        None,
    ),
    Profile(
        "W6",
        "a table from one server to another",
        ("pg-copy", "pg-copy, text", "pg-copy, binary", "psql to psql, text", "psql to psql, binary"),
        "row",
        None,
        reference="psql to psql, text",
    ),
    Profile(
        "W7",
        "100,000 rows of three columns stored",
        ("PGKit, inserts", "libpq, in C, inserts"),
        "row",
        100_000,
        start=1,
        reference="libpq, in C, inserts",
    ),
    Profile(
        "W7",
        "100,000 rows of three columns copied",
        ("PGKit, rows", "libpq, in C, binary"),
        "row",
        100_000,
        start=1,
        reference="libpq, in C, binary",
    ),
    Profile(
        "W8",
        "200,000 notifications",
        ("pg-listen", "libpq, in C", "floor: counted"),
        "notification",
        200_000,
    ),
    *(
        Profile(
            "W8",
            f"from a NOTIFY to its line, {where}",
            ("pg-listen", "libpq, in C"),
            "notification",
            2_000,
            start=1,
        )
        for where in ("client and server on one processor", "on all processors")
    ),
    *(
        Profile("W9", title, rows, "cluster", 1, is_of_steps=True)
        for title, rows in (
            (
                "the whole life of a throwaway cluster",
                ("pg-cluster, memory", "pg-cluster, disk", "initdb and pg_ctl"),
            ),
            ("from the start to the first login", ("pg-cluster, memory", "pg-cluster, disk")),
            ("the first cluster of a user ever", ("pg-cluster", "initdb")),
        )
    ),
    Profile(
        "W10",
        "an error code looked up",
        ("pg-errcode", "true", "psql, SELECT 1"),
        "process",
        1,
        reference="true",
    ),
    Profile(
        "W10",
        "a server's log",
        tuple(row.name for row in works.FILTERS),
        "MiB",
        256,
        reference="pg-errcode filter",
    ),
    *(
        Profile(
            "growth",
            "ten times as many rows",
            ("10 million rows", "1 million rows"),
            "row",
            {"10 million rows": 10_000_000, "1 million rows": 1_000_000},
            reference="1 million rows",
            is_of_memory=is_of_memory,
        )
        for is_of_memory in (False, True)
    ),
    Profile(
        "growth",
        "2,000 rows of ever more columns",
        ("1600 columns", "160 columns", "16 columns", "1 columns"),
        "row",
        2_000,
        reference="160 columns",
    ),
    Profile(
        "growth",
        "ten times as many notifications",
        ("200,000 notifications", "20,000 notifications"),
        "notification",
        None,
        is_of_memory=True,
    ),
    Profile(
        "growth",
        "a thousand idle connections",
        ("1,000 connections", "10 connections"),
        "connection",
        None,
        is_of_memory=True,
    ),
]


# ---- running -------------------------------------------------------------------------------------


class Failed(Exception):
    """A command, or what should have counted it, did not work; its text says why."""


def measured_command(row):
    """What is counted of a row, without what stands around it."""
    return row.driven or row.alone or row.command


def stages(command, place, environment, before):
    """The commands between the pipes of one, each with what counts it before it (`before` is told how many are
    in front of it), and the file that the first one reads. There is no shell between us and what is counted."""
    words = shlex.split(command.format(before="\0", **place.words))
    words = [re.sub(r"\$(\w+)", lambda found: environment[found[1]], word) for word in words]
    source = os.devnull
    if "<" in words:
        at = words.index("<")
        source = words[at + 1]
        del words[at : at + 2]
    parts = [[]]
    for word in words:
        if word == "|":
            parts.append([])
        else:
            parts[-1].append(word)
    argvs = []
    for number, part in enumerate(parts):
        counting = list(before(number)) if before else []
        if "\0" in part:
            at = part.index("\0")
            argvs.append([*part[:at], *counting, *part[at + 1 :]])
        else:
            argvs.append([*counting, *part])
    return argvs, source


def run(row, place, before=None, command=None, watch=None):
    """Runs a row's command with what `before` says in front of it, and `watch` beside it, which is told its
    number; returns its user and system seconds."""
    if row.before:
        row.before(place)
    environment = {**place.environment, **row.environment}
    argvs, source = stages(command or measured_command(row), place, environment, before)
    processes, user, system = [], 0, 0
    with tempfile.TemporaryFile() as said, open(source, "rb") as first:
        reading = first
        for argv in argvs:
            process = subprocess.Popen(
                argv, env=environment, stdin=reading, stdout=subprocess.PIPE, stderr=said
            )
            if processes:
                reading.close()
            reading = process.stdout
            processes.append(process)
        beside = [threading.Thread(target=drain, args=(reading,))]
        if watch:
            beside.append(threading.Thread(target=watch, args=(process.pid,)))
        for thread in beside:
            thread.start()
        if row.alone:
            notify(process, said, place)
        for thread in beside:
            thread.join()
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            user += usage.ru_utime
            system += usage.ru_stime
        said.seek(0)
        text = said.read().decode(errors="replace")
        if any(process.returncode != 0 for process in processes):
            raise Failed(f"{row.name}: {text.strip()[-300:]}")
    # Whoever has driven another says what that took.
    if row.driven and (found := re.search(r"^WORK .*\buser=(\d+) system=(\d+)", text, re.M)):
        user, system = int(found[1]) / 1e6, int(found[2]) / 1e6
    return user, system


def drain(pipe):
    while os.read(pipe.fileno(), 1 << 16):
        pass


def notify(process, said, place):
    """Sends the notifications once somebody listens."""
    while b"listening" not in os.pread(said.fileno(), 1 << 16, 0).lower():
        # Not reaped here: whoever has started it asks what it has cost.
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.05)
    works.notify(place)


def can(*command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


# ---- instructions --------------------------------------------------------------------------------


def demangled(names):
    """Swift's names, and C++'s, as they are written; in the order given."""
    text = "\n".join(names)
    for command in (["swift", "demangle", "--simplified"], ["c++filt"]):
        if can(command[0], "--version") or can(*command[:2], "--help"):
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                text = done.stdout.rstrip("\n")
    return text.split("\n")


def shortened(name):
    name = re.sub(r"^(?:generic |function signature )*special(?:ized|ization) (?:<.*?> of )?", "", name)
    name = re.sub(r" \[clone [^]]*\]", "", name)
    return name if len(name) <= WIDTH else name[: WIDTH - 1] + "…"


class Counted:
    """What callgrind has counted of a run: all instructions, and those of each function."""

    def __init__(self, paths):
        self.total, self.own, self.inclusive = 0, collections.Counter(), collections.Counter()
        for path in paths:
            total, own = self._annotated(path)
            self.total += total
            self.own.update(own)
            self.inclusive.update(self._annotated(path, "--inclusive=yes")[1])

    def without(self, other):
        """What is left when another run's instructions are taken off."""
        self.total -= other.total
        self.own.subtract(other.own)
        self.inclusive.subtract(other.inclusive)

    def _annotated(self, path, *options):
        said = subprocess.run(
            ["callgrind_annotate", "--threshold=100", "--auto=no", *options, path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        total, functions = 0, collections.Counter()
        for line in said.splitlines():
            found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)$", line)
            if not found:
                continue
            count, name = int(found[1].replace(",", "")), found[2]
            if name.startswith("PROGRAM TOTALS"):
                total = count
                continue
            library = re.search(r" \[(.*)\]$", name)
            name = re.sub(r" \[.*\]$", "", name).rsplit(":", 1)[-1]
            # A function that calls itself has a line for each depth.
            name = re.sub(r"'\d+$", "", name)
            if name.startswith("0x"):
                # A library without its names: their addresses change from run to run.
                name = f"in {pathlib.Path(library[1]).name if library else 'a library'}, without names"
            functions[name] = max(functions[name], count) if options else functions[name] + count
        return total, functions

    def lines(self, operations, operation):
        """The functions that take most by themselves, each with what it takes with all that it calls."""
        most = self.own.most_common(FUNCTIONS)
        names = [shortened(name) for name in demangled([name for name, _ in most])]
        yield f"    {'%':>5}  {'itself':>12}  {'and callees':>12}  {'for each ' + operation:>20}  function"
        for (name, count), shown in zip(most, names):
            yield (
                f"    {100 * count / self.total:5.1f}  {count:12,}  {max(self.inclusive[name], count):12,}"
                f"  {count / operations:20,.1f}  {shown}"
            )


def counted(row, place, command=None):
    with tempfile.TemporaryDirectory() as directory:
        options = ["valgrind", "--tool=callgrind", "-q", "--demangle=no"]
        run(
            row,
            place,
            lambda number: [*options, f"--callgrind-out-file={directory}/counted.{number}"],
            command,
        )
        return Counted(sorted(pathlib.Path(directory).glob("counted.*")))


# ---- system calls and the kernel -----------------------------------------------------------------

CALLS = (
    "sendto sendmsg recvfrom recvmsg read write writev splice poll ppoll epoll_wait clock_nanosleep nanosleep"
    " futex"
).split()


def system_calls(row, place):
    """The calls by name, and how often it was put to sleep; None without perf's tracepoints. What was not counted
    is not in it."""
    events = ["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{name}" for name in CALLS), "context-switches"]
    if not can("perf", "stat", "-e", ",".join(events), "true"):
        return None
    with tempfile.TemporaryDirectory() as directory:
        run(row, place, lambda number: perf_stat(events, f"{directory}/{number}"))
        counts = collections.Counter()
        for path in pathlib.Path(directory).iterdir():
            for name, count in perf_counts(path):
                counts[name.rsplit("sys_enter_", 1)[-1].removeprefix("raw_syscalls:")] += count
    return counts


def perf_stat(events, path):
    return ["perf", "stat", "-x", ";", "-o", path, "-e", ",".join(events), "--"]


def perf_counts(path):
    """What perf has counted, event by event, by the names that were asked for: perf writes behind a name what it
    was restricted to (`page-faults:u`: what the kernel does it may not see)."""
    for line in pathlib.Path(path).read_text().splitlines():
        fields = line.split(";")
        if len(fields) < 3 or not fields[0].isdigit():
            continue
        name, is_restricted = re.subn(r":[ukhGHpPSDWe]+$", "", fields[2])
        # Nothing of what only the kernel does is not that it did nothing.
        if not is_restricted or int(fields[0]):
            yield name, int(fields[0])


def told_counts(runs, event, width):
    """The median of what runs have counted of an event, and nothing where it was not counted."""
    counts = [run[event] for run in runs if event in run]
    return f"{statistics.median(counts):{width},.0f}" if counts else f"{'–':>{width}}"


def sampled(row, place):
    """Where the processor was, by the clock, as percentages of functions; None without perf, and of several
    processes."""
    if "|" in shlex.split(measured_command(row)):
        return None
    if not can("perf", "record", "-q", "-e", "cpu-clock", "-o", "/dev/null", "true"):
        return None
    with tempfile.NamedTemporaryFile() as file:
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "4999", "-o", file.name, "--"]
        run(row, place, lambda _: record)
        said = subprocess.run(
            ["perf", "report", "-i", file.name, "--stdio", "--no-children", "--no-demangle"]
            + ["-F", "overhead,sym"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    found = re.findall(r"^\s*([\d.]+)%\s+\[([k.])\]\s+(\S+)", said, re.M)
    names = demangled([name for _, _, name in found])
    return [
        (float(share), "kernel" if ring == "k" else "itself", shortened(name))
        for (share, ring, _), name in zip(found, names)
    ]


# ---- memory --------------------------------------------------------------------------------------


class Resident:
    """What a process has in memory when it has most, in KiB, looked at every few milliseconds."""

    def __init__(self):
        self.mapped = self.data = 0

    def watch(self, process):
        # Of one that is over there are no mappings any more.
        while found := self._kinds(process):
            if sum(found) > self.mapped + self.data:
                self.mapped, self.data = found
            time.sleep(0.005)

    def _kinds(self, process):
        """What is of files, the program's and its libraries', and what is not."""
        try:
            text = pathlib.Path("/proc", str(process), "smaps").read_text()
        except OSError:
            return None
        mapped = data = 0
        is_file = False
        for line in text.splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                is_file = len(line.split(None, 5)) > 5 and line.split(None, 5)[5].startswith("/")
            elif line.startswith("Rss:"):
                mapped += int(line.split()[1]) if is_file else 0
                data += 0 if is_file else int(line.split()[1])
        return (mapped, data) if text else None


# Whoever asks for memory for somebody else.
ASKING = re.compile(
    r"\(heap allocation functions\)|swift_(slow)?[aA]lloc|_ContiguousArrayBuffer|^(specialized )?Array\.|"
    r"ContiguousArray\.|^operator new|ManagedBuffer"
)
CALLERS = 3


class Heap:
    """What massif has seen of a run: the heap at its peak, in bytes, and by whom it was asked for."""

    def __init__(self, path):
        snapshots = pathlib.Path(path).read_text().split("#-----------\nsnapshot=")
        peak = next(text for text in snapshots if "heap_tree=peak" in text)
        self.total = int(re.search(r"^mem_heap_B=(\d+)", peak, re.M)[1])
        # Each line a node, as deep as it is indented; who called it is below it.
        nodes = re.findall(r"^( *)n\d+: (\d+) (?:0x[0-9A-F]+: )?(.*?)(?: \([^()]*\))?$", peak, re.M)
        names = [shortened(name) for name in demangled([name for *_, name in nodes])]
        self.parts = collections.Counter()
        depths = [len(indent) for indent, *_ in nodes]
        reached = -1
        for place, (depth, name) in enumerate(zip(depths, names)):
            if reached >= 0 and depth > reached:
                continue
            reached = -1
            small = re.search(r"in (\d+) places?, ", name)
            if not ASKING.search(name) or small:
                reached = depth
                callers = self._callers(place, depths, names)
                self.parts["in many places, a little each" if small else callers] += int(nodes[place][1])

    @staticmethod
    def _callers(place, depths, names):
        """A function, and those that called it, while it was always the same."""
        chain = [names[place]]
        while len(chain) <= CALLERS and place + 1 < len(depths) and depths[place + 1] > depths[place]:
            beneath = depths[place + 1]
            after = depths[place + 2 :]
            ends = next((i for i, depth in enumerate(after) if depth < beneath), len(after))
            if beneath in after[:ends] or "all below massif" in names[place + 1]:
                break
            place += 1
            chain.append(names[place])
        return " < ".join(re.sub(r"(?<=.)\(.*", "", name) for name in chain)

    def lines(self):
        yield f"    {'%':>5}  {'bytes':>12}  function < its callers"
        for name, count in self.parts.most_common(FUNCTIONS):
            if count * 200 > self.total:
                yield f"    {100 * count / self.total:5.1f}  {count:12,}  {name}"


def heap(row, place):
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/heap"
        options = ["--tool=massif", "-q", "--peak-inaccuracy=0", "--threshold=0.2", "--demangle=no"]
        run(row, place, lambda _: ["valgrind", *options, f"--massif-out-file={path}"])
        return Heap(path)


def told_memory(profile, work, rows, place):
    """The part of a profile's file that is about memory, line by line."""
    width = max(len(row.name) for row in rows)
    yield f"{profile.key} {work.title}: memory"
    yield ""
    yield "  Resident when it is most, in KiB, in five runs; what is of files is the program and its libraries."
    yield f"  {'':{width}}  {'of files':>15}  {'heap, stacks':>15}"
    heaps = {}
    with place.pinned(work.processors):
        for row in rows:
            print(f"  {row.name}", file=sys.stderr, flush=True)
            seen = []
            for _ in range(5):
                seen.append(Resident())
                run(row, place, watch=seen[-1].watch)
            spans = (
                f"{min(values):,}–{max(values):,}"
                for values in ([each.mapped for each in seen], [each.data for each in seen])
            )
            yield f"  {row.name:{width}}  " + "  ".join(f"{span:>15}" for span in spans)
            heaps[row.name] = heap(row, place)
    yield ""
    yield "  The heap at its peak, by massif (valgrind), under which the program is slower."
    for row in rows:
        yield ""
        yield f"  {row.name}: {without_places(measured_command(row))}: {heaps[row.name].total:,} bytes"
        yield ""
        yield from heaps[row.name].lines()
    yield ""


# ---- steps ---------------------------------------------------------------------------------------

SPENT = {
    "raw_syscalls:sys_enter": "system calls",
    "sched:sched_process_fork": "new processes and threads",
    "sched:sched_process_exec": "programs begun",
    "page-faults": "page faults",
    "context-switches": "times to sleep",
}


def run_shell(row, place, command, before=()):
    """Runs a command as it is measured, with a shell; returns the seconds and what it said on standard error."""
    environment = {**place.environment, **row.environment}
    started = time.monotonic()
    done = subprocess.run(
        [*before, "bash", "-euo", "pipefail", "-c", command.format(**place.words)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"{row.name}: {done.stderr.strip()[-300:]}")
    return time.monotonic() - started, done.stderr


def timed_steps(row, place):
    """What each step of a row takes in one run, in seconds, by name: pg-cluster says it itself."""
    if row.before:
        row.before(place)
    if row.steps:
        return {
            name: run_shell(row, place, f"cd {{scratch}}; {{as_user}} sh -euc '{step}'")[0]
            for name, step in row.steps.items()
        }
    _, said = run_shell(row, place, row.command.replace("pg-cluster run ", "pg-cluster run --times "))
    found = re.findall(r"^pg-cluster: (\d+) us: (.*)$", said, re.M)
    return {name: int(spent) / 1e6 for spent, name in found}


def told_steps(profile, work, rows, place):
    """The part of a profile's file that is about steps, line by line."""
    yield f"{profile.key} {work.title}: its steps"
    yield ""
    can_count = can("perf", "stat", "-e", ",".join(SPENT), "true")
    if can_count:
        yield "  What all its processes do, the server's too: medians of five runs."
        yield f"  {'':{max(len(row.name) for row in rows)}}  " + "  ".join(
            f"{name:>{max(len(name), 9)}}" for name in SPENT.values()
        )
        for row in rows:
            print(f"  {row.name}", file=sys.stderr, flush=True)
            runs = []
            for _ in range(5):
                if row.before:
                    row.before(place)
                with tempfile.NamedTemporaryFile() as said:
                    run_shell(row, place, row.command, perf_stat(SPENT, said.name))
                    runs.append(dict(perf_counts(said.name)))
            yield f"  {row.name:{max(len(row.name) for row in rows)}}  " + "  ".join(
                told_counts(runs, event, max(len(name), 9)) for event, name in SPENT.items()
            )
        yield ""
    yield "  Its steps, in ms: medians of nine runs, and the lowest and the highest. pg-cluster does what it does"
    yield "  meanwhile beside the steps around it."
    for row in rows:
        print(f"  {row.name}", file=sys.stderr, flush=True)
        runs = [timed_steps(row, place) for _ in range(9)]
        yield ""
        yield f"  {row.name}"
        for name in runs[0]:
            taken = [1000 * each[name] for each in runs if name in each]
            yield f"    {statistics.median(taken):8.1f}  {min(taken):8.1f}–{max(taken):<8.1f}  {name}"
    yield ""


# ---- telling -------------------------------------------------------------------------------------


def without_places(command):
    """A command as it is told, without where this machine has things."""
    command = re.sub(r"\{peers\}/|\{here\}/|\{before\} ", "", command.replace("{work}", "pgkit-work"))
    command = re.sub(r"\{socket\}/\S+ \{user\}", "SOCKET USER", command)
    return re.sub(r"\{(\w+)\}", lambda found: found[1].upper() if found[1] == "iri" else found[1], command)


def with_number(command, old, new):
    """A command whose number of operations is another."""
    return re.sub(rf"\b{old}\b", str(new), command, count=1)


def work_row(work, name):
    return next(row for row in work.rows if row.name == name)


def work_of(profile):
    same_key = (work for work in works.ALL if work.key == profile.key)
    return next(work for work in same_key if work.title.startswith(profile.work))


def told(profile, running, arguments):
    """A profile's part of its file, line by line."""
    work = work_of(profile)
    place = running.place(work.server)
    rows = [row for name in profile.rows for row in work.rows if row.name == name]
    if profile.is_of_memory:
        yield from told_memory(profile, work, rows, place)
        return
    if profile.is_of_steps:
        yield from told_steps(profile, work, rows, place)
        return
    per = f"for each {profile.operation}"
    results, operations = {}, {}
    with place.pinned(work.processors):
        for row in rows:
            print(f"  {row.name}", file=sys.stderr, flush=True)
            spent = [run(row, place) for _ in range(5)]
            found = counted(row, place)
            operations[row.name] = profile.count(row, arguments.rows)
            if profile.start:
                command = with_number(measured_command(row), operations[row.name], profile.start)
                found.without(counted(row, place, command))
                operations[row.name] -= profile.start
            results[row.name] = (
                found,
                *(statistics.median(times) for times in zip(*spent)),
                system_calls(row, place),
                sampled(row, place),
            )
    reference = results[profile.reference]
    least = reference[0].total
    all_operations = profile.count(work_row(work, profile.reference), arguments.rows)
    yield f"{profile.key} {work.title}: {all_operations:,} times a {profile.operation}"
    yield ""
    width = max(len(name) for name in results)
    yield (
        f"  {'':{width}}  {'instructions':>14}  {per:>21}  / {profile.reference:24}"
        f"  {'user ms':>7}  {'system ms':>9}"
    )
    for name, (found, user, system, _, _) in results.items():
        yield (
            f"  {name:{width}}  {found.total:14,}  {found.total / operations[name]:21,.0f}"
            f"  {found.total / least:<26.2f}"
            f"  {user * 1000:7.0f}  {system * 1000:9.0f}"
        )
    if profile.start:
        yield (
            f"  Those of the same command with {profile.start} for its number are taken off: starting and"
            " connecting."
        )
    yield ""
    if reference[3] is not None:
        yield "  System calls, and how often the process was put to sleep:"
        for name, (_, _, _, calls, _) in results.items():
            every = told_counts([calls], "sys_enter", 9)
            sleeps = told_counts([calls], "context-switches", 7)
            least = calls.pop("sys_enter", 0) / 200
            calls.pop("context-switches", None)
            by_name = ", ".join(f"{call} {count:,}" for call, count in calls.items() if count > least)
            yield f"  {name:{width}}  {every} calls, {sleeps} times to sleep: {by_name}"
        yield ""
    for row in rows:
        found, _, _, _, samples = results[row.name]
        yield f"  {row.name}: {without_places(measured_command(row))}"
        yield ""
        yield from found.lines(operations[row.name], profile.operation)
        yield ""
        if samples:
            kernel = sum(share for share, where, _ in samples if where == "kernel")
            yield f"    By the clock, {kernel:.0f} % of it in the kernel:"
            yield from (f"    {share:5.1f}  {where}  {name}" for share, where, name in samples[:12])
            yield ""


def version(*command):
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d[\d.]*\d", said)
    return found.group() if found else ""


def main():
    parser = argparse.ArgumentParser(prog="bench-profile", description=" ".join(__doc__.split("\n\n")[0].split()))
    known = list(dict.fromkeys(profile.key for profile in PROFILES))
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"{', '.join(known)}; all unless named")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table that is copied")
    parser.add_argument("--launcher", help="is not used here")
    parser.add_argument("--peers", type=pathlib.Path, help="where the other programs were built")
    parser.add_argument("--python", default=sys.executable, help="is not used here")
    parser.add_argument("--look-only", action="store_true", help="only look whether this could be profiled")
    arguments = parser.parse_args()
    if unknown := set(arguments.works) - set(known):
        parser.error(f"no profile of {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if not can("valgrind", "--version"):
        sys.exit("profiling: valgrind is not here, which counts the instructions")
    if arguments.look_only:
        return
    if not arguments.peers:
        parser.error("without what scripts/bench-profile builds, nothing can be profiled")
    (HERE / "profiles").mkdir(exist_ok=True)
    # What we write makes the tree another one.
    commit = compare.commit()
    with servers.Servers(arguments) as running:
        for key in known:
            if arguments.works and key not in arguments.works:
                continue
            print(key, file=sys.stderr, flush=True)
            parts = []
            for profile in PROFILES:
                if profile.key == key:
                    parts += told(profile, running, arguments)
            head = [
                f"Where the time of {key} goes: written by scripts/bench-profile {key},"
                f" on {datetime.date.today()} at commit {commit},",
                f"PostgreSQL {running.version}, {compare.machine()}.",
                f"Instructions are the process's own, without the kernel's, counted by callgrind (valgrind"
                f" {version('valgrind', '--version')}), under which",
                "it is slower, so that more comes before it looks. User and system time are medians of five"
                " runs without it.",
                "What a function calls is counted with whoever calls it, recursion once; / is the ratio of"
                " instructions.",
                "By the clock, samples of the kernel pile up where it lets interrupts in again"
                " (finish_task_switch,",
                "_raw_spin_unlock_irqrestore): they are of what it did before, waking and going to sleep"
                " most often.",
                "",
            ]
            text = "\n".join(line.rstrip() for line in [*head, *parts])
            (HERE / "profiles" / f"{key}.txt").write_text(text.rstrip("\n") + "\n")


if __name__ == "__main__":
    try:
        main()
    except Failed as reason:
        sys.exit(f"profiling: {reason}")
