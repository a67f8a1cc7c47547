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
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys

import servers
import works

# The launcher's figures, in the order in which it prints them.
LAUNCHED = ("wall", "cpu", "rss", "bytes")
UNITS = {
    "wall": ("s", 1e-6),
    "cpu": ("s of CPU", 1e-6),
    "rss": ("MB", 1024 / 1e6),
    "seconds": ("s", 1),
    "each": ("us each", 1),
    "p50": ("us", 1),
    "kib_each": ("KiB each", 1),
}


class DidNotRun(Exception):
    """A command that failed; its text is the reason."""


def launch(row, place, launcher, time_limit):
    """Runs a row's command once and returns its figures by name."""
    if row.before:
        row.before(place)
    command = row.command.format(**place.words)
    environment = {**place.environment, **row.environment}
    argv = shlex.split(command)
    if re.search(r"[|&;<>$]", re.sub(r"'[^']*'", "", command)):
        argv = ["bash", "-euo", "pipefail", "-c", command]
    try:
        done = subprocess.run(
            [launcher, *argv],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DidNotRun(f"took more than {time_limit} s") from None
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in said if re.search(r"rror|FATAL|No module|not found", line)]
        raise DidNotRun((telling or said or [f"exit {done.returncode}"])[-1][:120])
    figures = dict(zip(LAUNCHED, map(float, done.stdout.split()[-len(LAUNCHED) :])))
    if row.check:
        try:
            row.check(place)
        except ValueError as reason:
            raise DidNotRun(str(reason)) from None
    for line in done.stderr.splitlines():
        if line.startswith("MEASURED "):
            figures.update(zip(LAUNCHED, map(float, line.split()[1:])))
        if line.startswith("WORK "):
            figures.update((name, float(value)) for name, value in re.findall(r"(\w+)=([\d.e+-]+)", line))
    if figures.get("ops") and "seconds" in figures:
        figures["each"] = figures["seconds"] / figures["ops"] * 1e6
    figures.setdefault("seconds", figures["wall"] / 1e6)
    return figures


def measure(work, place, arguments):
    """Runs every row of a work in turns; returns the samples by row, and the reasons of those that failed."""
    samples, reasons = {row.name: [] for row in work.rows}, {}
    rounds = arguments.rounds or work.rounds
    with place.pinned(work.processors):
        for round_number in range(rounds + 1):  # the first one warms up
            for row in work.rows:
                if row.name in reasons or (arguments.only and not re.search(arguments.only, row.name)):
                    continue
                try:
                    figures = launch(row, place, arguments.launcher, work.time_limit)
                except DidNotRun as reason:
                    reasons[row.name] = str(reason)
                    continue
                if round_number > 0:
                    samples[row.name].append(figures)
    return samples, reasons


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


def work_table(work, samples, reasons):
    """One work: every command, its medians, and the ratio of its first figure to the reference."""
    first = work.figures[0]
    lines = [f"### {work.key} {work.title}", ""]
    lines.append(
        "| | "
        + " | ".join(works.HEADINGS[name] for name in work.figures)
        + f" | lowest–highest | / {work.reference} |"
    )
    lines.append("|---" * (len(work.figures) + 3) + "|")
    for row in work.rows:
        taken = samples[row.name]
        if not taken:
            if row.name in reasons:
                lines.append(f"| {row.name} | did not run: {reasons[row.name]} |" + " |" * (len(work.figures) + 1))
            continue
        against = ratio(taken, samples[work.reference], first)
        lines.append(
            f"| {row.name} | "
            + " | ".join(shown(median(taken, name), name) for name in work.figures)
            + f" | {spread(taken, first)} | "
            + ("–" if against is None else f"{against:.2f}")
            + " |"
        )
    return lines + [""]


def verdict(target, work, samples):
    """One target as a line of the table, and whether it is kept. What did not run keeps nothing."""
    ours = samples.get(target.ours) or []
    value = median(ours, target.figure)
    if value is None:
        return (
            f"| {work.key} {work.title} | {target.ours} did not run | | | at most {target.limit:g} | **missed** |",
            False,
        )
    if target.against is None:
        unit, factor = UNITS[target.figure]
        kept, limit = value * factor <= target.limit, f"at most {target.limit:g} {unit}"
        measured = shown(value, target.figure)
        other = "–"
    else:
        names = [target.against]
        if target.against == works.BEST_PEER:
            names = [row.name for row in work.rows if row.is_peer and samples[row.name]]
        ratios = {name: ratio(ours, samples.get(name) or [], target.figure) for name in names}
        ratios = {name: found for name, found in ratios.items() if found is not None}
        if not ratios:
            who = f"{target.ours}: {shown(value, target.figure)}"
            return (
                f"| {work.key} {work.title} | {who} | {target.against} did not run | | at most {target.limit:g} | **missed** |",
                False,
            )
        name = max(ratios, key=ratios.get)
        kept, limit = ratios[name] <= target.limit, f"at most {target.limit:g}"
        measured, other = (
            f"{ratios[name]:.2f}",
            f"{name}: {shown(median(samples[name], target.figure), target.figure)}",
        )
    line = (
        f"| {work.key} {work.title} | {target.ours}: {shown(value, target.figure)} | {other} "
        f"| {measured} | {limit} | {'kept' if kept else '**missed**'} |"
    )
    return line, kept


def summary_lines(work, samples):
    """What PGKit takes, and the ratios to libpq in C, the best peer and the floor, by the work's first figure."""
    figure = work.figures[0]
    lines = []
    for row in work.rows:
        taken = samples[row.name]
        if row.is_peer or row.name.startswith("floor") or not taken or row.name in ("true", "bash -c :"):
            continue
        peers = {other.name: median(samples[other.name], figure) for other in work.rows if other.is_peer}
        peers = {name: value for name, value in peers.items() if value}
        best = min(peers, key=peers.get) if peers else None
        libpq = next((name for name in peers if name.startswith("libpq")), None)
        floor = next((other.name for other in work.rows if other.name.startswith("floor")), None)

        def beside(name):
            found = ratio(taken, samples.get(name) or [], figure)
            return "–" if found is None else f"{found:.2f}"

        lines.append(
            f"| {work.key} {work.title} | {row.name} | {shown(median(taken, figure), figure)} "
            f"({spread(taken, figure)}) | {beside(libpq)} | {beside(best)} {best or ''} | {beside(floor)} |"
        )
    return lines


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return f"{os.cpu_count()} processors ({model.group(1) if model else platform.machine()}), {platform.system()} {platform.release()}"


def commit():
    here = pathlib.Path(__file__).resolve().parent
    found = subprocess.run(
        ["git", "-C", here, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", metavar="WORK", help="W1 … W10, growth; all unless named")
    parser.add_argument("--rounds", type=int, help="how often; each work has its own number")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the table that is copied")
    parser.add_argument("--only", help="only commands whose name matches")
    parser.add_argument("--output", type=pathlib.Path, help="where the tables go, too")
    parser.add_argument("--launcher", required=True, help="the built measure.c")
    parser.add_argument("--peers", type=pathlib.Path, required=True, help="where the other programs were built")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the other drivers")
    arguments = parser.parse_args()
    chosen = [work for work in works.ALL if not arguments.works or work.key.split(".")[0] in arguments.works]
    if not chosen:
        parser.error(f"no such work; there are {', '.join(dict.fromkeys(w.key.split('.')[0] for w in works.ALL))}")

    tables, lines, summary, missed = [], [], [], 0
    with servers.Servers(arguments) as running:
        for work in chosen:
            print(f"{work.key} {work.title}", file=sys.stderr)
            samples, reasons = measure(work, running.place(work.server), arguments)
            tables += work_table(work, samples, reasons)
            print("\n".join(tables[-len(work.rows) - 5 :]), file=sys.stderr, flush=True)
            summary += summary_lines(work, samples)
            for target in work.targets:
                line, is_kept = verdict(target, work, samples)
                lines.append(line)
                missed += not is_kept
        version = running.version
    text = "\n".join(
        [
            "# PGKit beside other clients",
            "",
            f"{datetime.date.today()}, commit {commit()}, {machine()}, PostgreSQL {version}. Medians of runs in"
            " turns; a ratio is one of medians, below 1 is better than the other."
            " CPU is the client's alone. `make bench` writes this file.",
            "",
            "| work | ours | the other | ours / other | limit | |",
            "|---|---|---|---|---|---|",
            *lines,
            "",
            "## Beside libpq, the best of the others, and the least that can be done",
            "",
            "| work | ours | median (lowest–highest) | / libpq in C | / best peer | / floor |",
            "|---|---|---|---|---|---|",
            *summary,
            "",
            "postgres-nio takes no part: it cannot be had from Debian's packages or PyPI; nor does what a row says did not run.",
            "",
            "## Every command",
            "",
            *tables,
        ]
    )
    if arguments.output:
        arguments.output.write_text(text + "\n")
    print(text)
    if missed:
        sys.exit(f"compare: {missed} limits are missed")


if __name__ == "__main__":
    main()
