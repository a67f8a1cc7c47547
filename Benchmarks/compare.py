#!/usr/bin/env python3
"""Compares PGKit with other drivers and with the least that a C program does: every command of a work in
turns (A B C, A B C …), so that a machine that drifts moves all of them. Writes one table of targets and
one for each work.

    compare.py [WORK …] [--rounds N] [--rows N] [--only WORD] [--output FILE]

Run by `make bench`, which builds what it needs (scripts/bench-peers). Python's own library suffices; the
other drivers are optional, and a row says why it did not run. Works: see works.py.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import re
import shlex
import signal
import statistics
import subprocess
import sys

import processes
import servers
import works

# The rows of the table that is copied, with which the limits hold.
ROWS = 5_000_000
# The figures by which somebody is first: times, and the processor's time.
COMPARED = ("wall", "seconds", "each", "p50", "cpu")
NO_PROFILE = "no profile yet"
# The launcher's figures, in the order in which it prints them.
LAUNCHED = ("wall", "cpu", "rss", "bytes", "digest")
UNITS = {
    "wall": ("s", 1e-6),
    "cpu": ("s of CPU", 1e-6),
    "rss": ("MB", 1024 / 1e6),
    "seconds": ("s", 1),
    "each": ("us each", 1),
    "p50": ("us", 1),
    "kib_each": ("KiB each", 1),
}


# What is said of a program, or of a driver in Python, that is not installed. One that is there and does not work
# (an ImportError, a library of its own that is missing) has failed.
NOT_HERE = re.compile(
    r"(?m)^(measure|setpriv): .*: No such file or directory$|: command not found$|No module named|is not here"
)


class DidNotRun(Exception):
    """A command that failed, or that is not installed; its text is the reason."""

    def __init__(self, reason, is_absent=False):
        super().__init__(str(reason).replace("|", "\\|"))
        self.is_absent = is_absent


def number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def expected(work, row, place, known):
    """What a row's figures must be; a question is asked once, and `known` keeps the answer."""
    figures = {}
    for name, wanted in {**work.expects, **row.expects}.items():
        if isinstance(wanted, str):
            if wanted not in known:
                known[wanted] = number(place.ask(wanted))
            wanted = known[wanted]
        figures[name] = wanted
    return figures


def expected_digest(statement, place, launcher, known):
    """The digest of what the server says to a COPY TO STDOUT; it is asked once."""
    if statement not in known:
        done = subprocess.run(
            [launcher, "--digest", place.words["psql"], "-qX", "-v", "ON_ERROR_STOP=1"],
            input=statement.encode(),
            env=place.environment,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"compare: {statement}: {done.stderr.decode(errors='replace').strip()}")
        known[statement] = int(done.stdout.split(maxsplit=5)[4])
    return known[statement]


def require(figures, wanted):
    """Who did less, more or other work than the others takes no part."""
    for name, value in wanted.items():
        if name not in figures:
            raise DidNotRun(f"does not say {name}")
        found = figures[name]
        # A sum of doubles depends on the order in which they come.
        is_close = isinstance(found + value, float) and math.isclose(found, value, rel_tol=1e-9)
        if found != value and not is_close:
            if name == "digest":
                raise DidNotRun("prints something else than the server's own COPY")
            raise DidNotRun(f"{name}: {found:,} instead of {value:,}")


def failure(status, told):
    """Why a command failed, by what it said on standard error."""
    said = [line.strip() for line in told.splitlines() if line.strip()]
    telling = [line for line in said if re.search(r"rror|FATAL|No module|not found", line)]
    reason = (telling or said or [f"exit {status}"])[-1][:120]
    return DidNotRun(reason, is_absent=bool(NOT_HERE.search("\n".join(said))))


def launch(row, place, launcher, work, wanted):
    """Runs a row's command once and returns its figures by name: all that the work tells, and what is wanted."""
    if row.before:
        row.before(place)
    command = row.command.format(**place.words)
    environment = {**place.environment, **row.environment}
    argv = shlex.split(command)
    if re.search(r"[|&;<>$]", re.sub(r"'[^']*'", "", command)):
        argv = ["bash", "-euo", "pipefail", "-c", command]
    argv = [launcher, *(["--digest"] if "digest" in wanted else []), *argv]
    with processes.started(argv, environment) as process:
        try:
            printed, told = process.communicate(timeout=work.time_limit)
        except subprocess.TimeoutExpired:
            raise DidNotRun(f"took more than {work.time_limit} s") from None
        if process.returncode != 0:
            raise failure(process.returncode, told)
    launched, _, printed = printed.partition("\n")
    figures = dict(zip(LAUNCHED, map(number, launched.split())))
    says = row.says or work.says
    if says and not re.search(says, printed):
        raise DidNotRun(f"prints {printed[:60]!r}" if printed else "prints nothing")
    if row.check:
        try:
            row.check(place)
        except ValueError as reason:
            raise DidNotRun(str(reason)) from None
    # What a program says of itself counts, in whichever order the lines have come, but not instead of what the
    # launcher has counted: only who drives another says what that took of the processor, and only who prints
    # nothing how many bytes there were.
    for line in told.splitlines():
        if line.startswith("MEASURED "):
            figures.update(zip(LAUNCHED, map(number, line.split()[1:])))
    counted = {name for name in LAUNCHED if name != "cpu"}
    if not figures["bytes"] and not row.content and not work.content:
        counted.discard("bytes")
    for line in told.splitlines():
        if line.startswith("WORK "):
            said = re.findall(r"(\w+)=(-?\d[\d.e+-]*)", line)
            figures.update((name, number(value)) for name, value in said if name not in counted)
    require(figures, wanted)
    if figures.get("ops") and "seconds" in figures:
        figures["each"] = figures["seconds"] / figures["ops"] * 1e6
    # Nor is what it does not say made up of something else.
    for name in work.figures:
        if name not in figures:
            raise DidNotRun(f"does not say {'seconds' if name == 'each' else name}")
    return figures


def measure(work, place, arguments):
    """Runs every row of a work in turns; returns the samples by row, the reasons of those that have none, and
    those of what failed in one round only.

    Ours has no samples if it fails once, the others if they fail twice, or are not installed. Who has neither
    samples nor a reason was left out by --only.
    """
    samples, reasons, stumbles = {row.name: [] for row in work.rows}, {}, {}
    known, warm = {}, set()
    rounds = arguments.rounds or work.rounds
    with place.pinned(work.processors):
        for _ in range(rounds + 1):
            for row in work.rows:
                if row.name in reasons or (arguments.only and not arguments.only.search(row.name)):
                    continue
                try:
                    wanted = expected(work, row, place, known)
                    content = row.content or work.content
                    if content and row.name not in warm:
                        wanted["digest"] = expected_digest(content, place, arguments.launcher, known)
                    figures = launch(row, place, arguments.launcher, work, wanted)
                except DidNotRun as reason:
                    print(f"  {row.name}: {reason}", file=sys.stderr, flush=True)
                    # Whoever has run is installed.
                    reason.is_absent = reason.is_absent and row.name not in warm
                    if row.is_ours or reason.is_absent or row.name in stumbles:
                        reasons[row.name] = reason
                        samples[row.name] = []
                    else:
                        stumbles[row.name] = reason
                    continue
                # The first round that succeeds warms up.
                if row.name in warm:
                    samples[row.name].append(figures)
                warm.add(row.name)
    for name, reason in stumbles.items():
        if not samples[name]:
            reasons.setdefault(name, reason)
    return samples, reasons, {name: reason for name, reason in stumbles.items() if name not in reasons}


def median(samples, figure):
    values = [sample[figure] for sample in samples if figure in sample]
    return statistics.median(values) if values else None


def ratio(ours, theirs, figure):
    """The ratio of the medians."""
    first, second = median(ours, figure), median(theirs, figure)
    return first / second if first and second else None


def shown(value, figure):
    if value is None:
        return "–"
    unit, factor = UNITS[figure]
    value *= factor
    if unit.startswith("s") and value < 1:
        unit, value = unit.replace("s", "ms", 1), value * 1000
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def spread(samples, figure):
    values = sorted(sample[figure] for sample in samples if figure in sample)
    return f"{shown(values[0], figure)}–{shown(values[-1], figure)}" if values else "–"


def work_table(work, samples, reasons, stumbles):
    """One work: every command, its medians, and the ratio of its first figure to the reference."""
    first = work.figures[0]
    lines = [f"### {work.key} {work.title}", ""]
    lines.append(
        "| | "
        + " | ".join(work.headings.get(name, works.HEADINGS[name]) for name in work.figures)
        + f" | lowest–highest | / {work.reference} |"
    )
    lines.append("|---" * (len(work.figures) + 3) + "|")
    for row in work.rows:
        taken = samples[row.name]
        if not taken:
            if row.name in reasons:
                rest = " |" * (len(work.figures) + 1)
                lines.append(f"| {row.name} | did not run: {reasons[row.name]} |{rest}")
            continue
        against = ratio(taken, samples[work.reference], first)
        stumbled = f" (failed once: {stumbles[row.name]})" if row.name in stumbles else ""
        lines.append(
            f"| {row.name}{stumbled} | "
            + " | ".join(shown(median(taken, name), name) for name in work.figures)
            + f" | {spread(taken, first)} | "
            + ("–" if against is None else f"{against:.2f}")
            + " |"
        )
    return lines + [""]


def told_ratio(found, limit):
    """A ratio with as many digits as it takes to see on which side of the limit it is."""
    for digits in range(2, 6):
        text = f"{found:.{digits}f}"
        if (float(text) <= limit) == (found <= limit):
            break
    return text


def profile_of(work):
    """Where it is said why a work takes what it takes."""
    path = pathlib.Path("profiles", f"{work.key}.txt")
    file = pathlib.Path(__file__).with_name("profiles") / path.name
    if file.exists() and f"{work.key} {work.title}:" in file.read_text():
        return f"[profile]({path})"
    return NO_PROFILE


def verdict(target, work, samples, reasons):
    """One target as a line of the table, and whether it is kept; None if --only has left somebody out.

    What did not run keeps nothing. Who of several others is not installed is left out, and the line says so; of
    one that is there and failed nobody knows whether it would have been the best, so that nothing is kept.
    """
    against = target.against
    if against == works.BEST_PEER:
        against = tuple(row.name for row in work.rows if row.is_peer)
    names = against if isinstance(against, tuple) else (against,) if against else ()
    if any(not samples[name] and name not in reasons for name in (target.ours, *names)):
        return None
    start, limit = f"| {work.key} {work.title} | {target.ours}", f"at most {target.limit:g}"
    ours, missed = samples[target.ours], "**missed**"
    if not ours:
        return f"{start} did not run: {reasons[target.ours]} | | | {limit} | {missed} |", False
    value, absent, failed = median(ours, target.figure), "", ""
    if not names:
        unit, factor = UNITS[target.figure]
        kept, limit = value * factor <= target.limit, f"{limit} {unit}"
        measured, other = shown(value, target.figure), "–"
    else:
        ratios = {name: ratio(ours, samples[name], target.figure) for name in names if samples[name]}
        missing = [name for name in names if name not in ratios]
        absent = "; ".join(f"{name} ({reasons[name]})" for name in missing)
        failed = "; ".join(
            f"{name} failed ({reasons[name]})" for name in missing if not reasons[name].is_absent
        )
        if not ratios:
            word = f"not judged: {failed}" if failed else missed
            return (
                f"{start}: {shown(value, target.figure)} | did not run: {absent} | | {limit} | {word} |",
                False,
            )
        name = max(ratios, key=ratios.get)
        kept = ratios[name] <= target.limit
        if target.more:
            unit, factor = UNITS[target.figure]
            most = median(samples[name], target.figure) * target.limit + target.more / factor
            kept = value <= most
            limit += f" and {target.more:g} {unit}"
        measured = told_ratio(ratios[name], target.limit)
        other = f"{name}: {shown(median(samples[name], target.figure), target.figure)}"
    if failed and (kept or servers.processors() < target.processors):
        word, kept = f"not judged: {failed}", False
    elif servers.processors() < target.processors:
        word, kept = f"not judged: {servers.processors()} processors, and it is for {target.processors}", True
    else:
        word = ("kept" if kept else f"{missed}: {profile_of(work)}") + (f", without {absent}" if absent else "")
    return f"{start}: {shown(value, target.figure)} | {other} | {measured} | {limit} | {word} |", kept


def ahead_lines(work, samples):
    """Where a peer takes less than ours, by the work's time or by the processor's, whatever the limits say.

    Of each of ours it is the best of those that do the same. Floors are no peers.
    """
    lines = []
    for row in work.rows:
        peers = [name for name in named_peers(work, row) if samples[name]]
        if not row.is_ours or not samples[row.name]:
            continue
        for figure in (name for name in work.figures if name in COMPARED):
            best = min(peers, key=lambda name: median(samples[name], figure), default=None)
            if best is None or median(samples[row.name], figure) <= median(samples[best], figure):
                continue
            ours, others = ([sample[figure] for sample in samples[name]] for name in (row.name, best))
            lines.append(
                f"| {work.key} {work.title} | {row.name}: {shown(median(samples[row.name], figure), figure)}"
                f" ({spread(samples[row.name], figure)}) | {best}:"
                f" {shown(median(samples[best], figure), figure)} ({spread(samples[best], figure)})"
                f" | {told_ratio(ratio(samples[row.name], samples[best], figure), 1)}"
                f" | {'apart' if min(ours) > max(others) else 'overlap'} | {profile_of(work)} |"
            )
    return lines


def named_peers(work, row):
    """The peers that do the same as one of our rows."""
    peers = [other.name for other in work.rows if other.is_peer]
    return peers if row.beside is None else [name for name in peers if name in row.beside]


def told_ahead(lines):
    """The part of the file that is about others who are first."""
    return [
        "## Where another is ahead",
        "",
        "Whatever the limits say: by the median, in time or in the processor's time, one of the others who do the"
        " same. Where the runs' ranges overlap, another run may have it the other way round.",
        "",
        *(
            ["| work | ours | the other | ours / other | ranges | |", "|---|---|---|---|---|---|", *lines]
            if lines
            else ["Nowhere."]
        ),
    ]


def summary_lines(work, samples):
    """What PGKit takes by the first figure, and its ratio to libpq, the best peer and the least floor."""
    figure = work.figures[0]
    medians = {row.name: median(samples[row.name], figure) for row in work.rows}
    floors = [name for name in medians if name.startswith("floor") and medians[name]]
    lines = []
    for row in work.rows:
        taken = samples[row.name]
        if not row.is_ours or not taken:
            continue
        peers = [name for name in named_peers(work, row) if medians[name]]
        best = min(peers, key=medians.get, default=None)
        libpq = min((name for name in peers if name.startswith("libpq")), key=medians.get, default=None)
        floor = None if row.beside == () else min(floors, key=medians.get, default=None)

        def beside(name, taken=taken):
            found = ratio(taken, samples.get(name) or [], figure)
            return "–" if found is None else f"{found:.2f}"

        lines.append(
            f"| {work.key} {work.title} | {row.name} | {shown(median(taken, figure), figure)} "
            f"({spread(taken, figure)}) | {beside(libpq)} | {beside(best)} {best or ''} | {beside(floor)} |"
        )
    return lines


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def pattern(text):
    try:
        return re.compile(text)
    except re.error as reason:
        raise argparse.ArgumentTypeError(f"{text} is no pattern: {reason}")


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    name = model.group(1) if model else platform.machine()
    kernel = ".".join(platform.release().split(".")[:2])
    library = " ".join(platform.libc_ver()).strip()
    return f"{servers.processors()} processors ({name}), {platform.system()} {kernel}" + (library and f", {library}")


def told_storages(storages):
    """Where the clusters were, by what says so: the works of each."""
    if len(storages) == 1:
        return f"The clusters are {next(iter(storages))}"
    parts = (f"{where} for {', '.join(dict.fromkeys(keys))}" for where, keys in storages.items())
    return f"The clusters are {'; '.join(parts)}"


def commit():
    here = pathlib.Path(__file__).resolve().parent
    found = subprocess.run(
        ["git", "-C", here, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


DRIVERS = ("psycopg", "asyncpg", "uvloop", "py-postgresql", "pgserver")
ASK_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try: found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: pass
json.dump(found, sys.stdout)
"""


def peer_versions(words):
    """What took part beside us, by name; who is not here is not in it."""

    def said(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    found = {}
    if psql := re.search(r"\d[\d.]*", said(words["psql"], "--version")):
        found["psql"] = psql.group()
    if libpq := said(words["peers"] / "libpq", "version"):
        found["libpq"] = f"{int(libpq) // 10000}.{int(libpq) % 10000}"
    found.update(json.loads(said(words["interpreter"], "-c", ASK_VERSIONS, *DRIVERS) or "{}"))
    return found


def main():
    parser = argparse.ArgumentParser(prog="bench-peers", description=" ".join(__doc__.split("\n\n")[0].split()))
    parser.add_argument("works", nargs="*", metavar="WORK", help="W1 … W10, growth; all unless named")
    parser.add_argument("--rounds", type=positive, help="how often; each work has its own number")
    parser.add_argument(
        "--rows", type=positive, default=ROWS, help="rows of the table that is copied; limits are for the default"
    )
    parser.add_argument("--only", type=pattern, help="only commands whose name matches")
    parser.add_argument("--output", type=pathlib.Path, help="where the tables go, too")
    parser.add_argument("--launcher", help="the built measure.c")
    parser.add_argument("--peers", type=pathlib.Path, help="where the other programs were built")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the other drivers")
    parser.add_argument("--look-only", action="store_true", help="only look whether this could be measured")
    arguments = parser.parse_args()
    chosen = [work for work in works.ALL if not arguments.works or work.key in arguments.works]
    if set(arguments.works) - {work.key for work in chosen}:
        parser.error(f"no such work; there are {', '.join(dict.fromkeys(work.key for work in works.ALL))}")

    names = [row.name for work in chosen for row in work.rows]
    if arguments.only and not any(map(arguments.only.search, names)):
        parser.error(f"no command is called so; there are {', '.join(dict.fromkeys(names))}")
    if arguments.look_only:
        return
    if not arguments.launcher or not arguments.peers:
        parser.error("without what scripts/bench-peers builds, nothing can be measured")

    # Whoever ends us ends what we have started.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    tables, lines, summary, ahead, missed, failed, storages = [], [], [], [], 0, [], {}
    with servers.Servers(arguments) as running:
        for work in chosen:
            print(f"{work.key} {work.title}", file=sys.stderr)
            place = running.place(work.server)
            storages.setdefault(place.storage, []).append(work.key)
            samples, reasons, stumbles = measure(work, place, arguments)
            table = work_table(work, samples, reasons, stumbles)
            print("\n".join(table), file=sys.stderr, flush=True)
            tables += table
            summary += summary_lines(work, samples)
            ahead += ahead_lines(work, samples)
            for target in work.targets:
                judged = verdict(target, work, samples, reasons)
                if judged:
                    lines.append(judged[0])
                    missed += not judged[1]
            failed += [f"{work.key} {row.name}" for row in work.rows if row.is_ours and row.name in reasons]
        version, versions = running.version, peer_versions(running.words)
    absent = [name for name in DRIVERS if name not in versions]
    text = "\n".join(
        [
            "# PGKit beside other clients",
            "",
            f"{datetime.date.today()}, commit {commit()}, {machine()}, PostgreSQL {version}."
            " Medians of runs in turns; a ratio is one of medians, below 1 is better than the other."
            " CPU is the client's, without the server. MB are 1,000,000 bytes, KiB 1,024. "
            + told_storages(storages)
            + ": pg-cluster chooses that by the memory that is free, except where a row says which."
            " `make bench` writes this file.",
            "",
            "A missed limit leads to the profile that says where the time goes (`scripts/bench-profile`).",
            "",
            "| work | ours | the other | ours / other | limit | |",
            "|---|---|---|---|---|---|",
            *lines,
            "",
            *told_ahead(ahead),
            "",
            "## Beside libpq, the best of the others, and the least that can be done",
            "",
            "| work | ours | median (lowest–highest) | / libpq in C | / best peer | / floor |",
            "|---|---|---|---|---|---|",
            *summary,
            "",
            "Beside us: "
            + ", ".join(f"{name} {versions[name]}" for name in versions)
            + (f"; not here: {', '.join(absent)}" if absent else "")
            + ". postgres-nio takes no part: it is a build of its own, of packages that are not here; nor does"
            " what a row says did not run.",
            "",
            # What was found out about the limits is written by hand.
            *pathlib.Path(__file__).with_name("REASONS.md").read_text().splitlines(),
            "",
            "## Every command",
            "",
            *tables,
        ]
    )
    if arguments.output:
        arguments.output.write_text(text + "\n")
    print(text)
    if arguments.rows != ROWS or arguments.rounds:
        print("The limits are for the usual sizes and rounds: these say little of them.", file=sys.stderr)
    wrong = [f"{missed} limits are missed, or not judged as another failed"] if missed else []
    if unexplained := sum(compared.count(NO_PROFILE) for compared in (*lines, *ahead)):
        wrong.append(f"{unexplained} lines have no profile (scripts/bench-profile)")
    if failed:
        wrong.append(f"of our own did not run: {', '.join(failed)}")
    if wrong:
        sys.exit(f"compare: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
