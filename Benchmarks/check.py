#!/usr/bin/env python3
"""Checks what is written down about the works, without running one: that every limit is about commands and
figures that there are, and that there is a Profile of every work that has limits or others beside us; and
that compare.py judges made-up figures as it should, sees who is ahead, who has done less or other work and who
prints something else, and ends what takes too long with all that it has started.

    check.py [--written]        whether scripts/bench-profile has also written every profile, of the sources
                                as they are committed

Run by scripts/check.
"""

import argparse
import contextlib
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import types

import compare
import processes
import profiling
import servers
import works

found = []


def wrong(text):
    found.append(text)


def require(is_right, text):
    if not is_right:
        wrong(text)


# ---- what is written down ------------------------------------------------------------------------


def check_work(work, is_written):
    title = f"{work.key} {work.title}"
    names = [row.name for row in work.rows]
    require(len(set(names)) == len(names), f"{title}: two commands have the same name")
    require(work.reference in names, f"{title}: there is no {work.reference}")
    for row in work.rows:
        unknown = set(row.beside or ()) - {other.name for other in work.rows if other.is_peer}
        require(not unknown, f"{title}: {row.name} is beside {', '.join(unknown)}, who are no peers of it")
    for target in work.targets:
        against = target.against if isinstance(target.against, tuple) else (target.against,)
        for name in (target.ours, *against):
            require(
                name in (None, works.BEST_PEER) or name in names,
                f"{title}: a limit is about {name}, which is not there",
            )
        require(target.figure in work.figures, f"{title}: a limit is about {target.figure}, which is not told")
    peers = any(compare.named_peers(work, row) for row in work.rows if row.is_ours)
    if not work.targets and not peers:
        return
    require(
        any(profiling.work_of(profile) is work for profile in profiling.PROFILES),
        f"{title}: no Profile in profiling.py",
    )
    require(
        not is_written or compare.profile_of(work) != compare.NO_PROFILE,
        f"{title}: not in profiles/{work.key}.txt: scripts/bench-profile {work.key}",
    )


def check_profile(profile):
    title = f"profile of {profile.key} {profile.work}"
    same = [work for work in works.ALL if work.key == profile.key and work.title.startswith(profile.work)]
    require(len(same) == 1, f"{title}: {len(same)} works are called so")
    if len(same) != 1:
        return
    names = [row.name for row in same[0].rows]
    for name in profile.rows:
        require(name in names, f"{title}: there is no {name}")
    if not profile.is_of_memory and not profile.is_of_steps:
        require(profile.reference in profile.rows, f"{title}: {profile.reference} is not among its commands")
    if profile.start:
        for row in same[0].rows:
            command = profiling.measured_command(row)
            number = profile.count(row, 0)
            require(
                row.name not in profile.rows or profiling.with_number(command, number, 0) != command,
                f"{title}: {row.name} has no {number} in its command",
            )


def check_written():
    """That the sources are still those of the profiles that are there."""
    root = pathlib.Path(__file__).resolve().parent.parent

    def git(*words):
        return subprocess.run(["git", "-C", root, *words], capture_output=True, check=False).returncode == 0

    for key in dict.fromkeys(profile.key for profile in profiling.PROFILES):
        path = pathlib.Path("profiles", f"{key}.txt")
        if not root.joinpath("Benchmarks", path).exists():
            continue
        found = re.search(r" at commit ([^\s,]+),", root.joinpath("Benchmarks", path).read_text())
        if not found:
            reason = "it says no commit"
        # Nor does git know one that ends with -dirty.
        elif not git("rev-parse", "-q", "--verify", f"{found[1]}^{{commit}}"):
            reason = f"of {found[1]}, which is no commit that is here"
        elif not git("merge-base", "--is-ancestor", found[1], "HEAD"):
            reason = f"of {found[1]}, which HEAD does not come from"
        elif not git("diff", "--quiet", found[1], "HEAD", "--", "Sources", "Benchmarks/Sources"):
            reason = f"the sources have changed since {found[1]}"
        else:
            continue
        wrong(f"{path} is behind: {reason}: scripts/bench-profile {key}")


# ---- that compare.py would see it ----------------------------------------------------------------


def work_of(*rows, **more):
    return works.Work("W0", "made up", list(rows), ("wall", "cpu"), "theirs", [], **more)


def check_ahead():
    mine, theirs = works.ours("mine", "true"), works.peer("theirs", "true")
    floor = works.Row("floor: least", "true")
    samples = {
        "mine": [{"wall": 2.0, "cpu": 1.0}, {"wall": 3.0, "cpu": 2.0}],
        "theirs": [{"wall": 1.0, "cpu": 3.0}, {"wall": 1.5, "cpu": 4.0}],
        "floor: least": [{"wall": 0.1, "cpu": 0.1}],
    }
    lines = compare.ahead_lines(work_of(mine, theirs, floor), samples)
    require(len(lines) == 1 and "theirs" in lines[0], "who is ahead in time, and only that, is not told")
    require("apart" in "".join(lines), "that the ranges are apart is not told")
    samples["mine"][0]["wall"], samples["mine"][1]["wall"] = 1.2, 1.6
    require("overlap" in "".join(compare.ahead_lines(work_of(mine, theirs), samples)), "ranges that overlap")
    samples["mine"] = [{"wall": 0.5, "cpu": 0.5}]
    require(not compare.ahead_lines(work_of(mine, theirs, floor), samples), "a floor counts as a peer")
    samples["mine"] = [{"wall": 5.0, "cpu": 5.0}]
    alone = works.ours("mine", "true", beside=())
    require(not compare.ahead_lines(work_of(alone, theirs), samples), "who does something else is ahead")
    samples["theirs"] = []
    require(not compare.ahead_lines(work_of(mine, theirs), samples), "who did not run is ahead")
    require("Nowhere." in compare.told_ahead([]), "nobody ahead is not told")


def check_verdict():
    """Whether a limit is kept, of made-up figures: one that always says yes, or always no, is found out."""
    rows = [works.ours("mine", "true"), works.peer("slow", "true"), works.peer("fast", "true")]
    work = work_of(*rows)
    figures = {"mine": 2.0, "slow": 4.0, "fast": 1.0}
    gone, failed = compare.DidNotRun("is not here", is_absent=True), compare.DidNotRun("took long")

    def judged(against, limit, reasons=None, **more):
        reasons = reasons or {}
        samples = {
            name: [] if name in reasons else [{"wall": value * 1e6, "cpu": value * 1e6}]
            for name, value in figures.items()
        }
        target = works.Target("mine", "wall", against, limit, **more)
        line, is_kept = compare.verdict(target, work, samples, reasons)
        return line.rsplit(" | ", 1)[1].rstrip(" |"), is_kept

    many = servers.processors() + 1
    for title, (word, is_kept), words, wanted in (
        ("a limit that is kept", judged("slow", 0.5), r"kept", True),
        ("a limit that is missed", judged("slow", 0.49), r"\*\*missed\*\*: .*", False),
        ("one that is missed against the best", judged(works.BEST_PEER, 1.9), r"\*\*missed.*", False),
        ("one that is kept against the best", judged(works.BEST_PEER, 2), r"kept", True),
        ("units that are kept", judged(None, 2), r"kept", True),
        ("units that are missed", judged(None, 1.9), r"\*\*missed\*\*: .*", False),
        ("units more, kept", judged("fast", 1, more=1), r"kept", True),
        ("units more, missed", judged("fast", 1, more=0.9), r"\*\*missed\*\*: .*", False),
        ("processors that there are", judged("slow", 0.5, processors=many - 1), r"kept", True),
        ("too few processors", judged("slow", 0.1, processors=many), rf"not judged: .* {many}", True),
        ("ours that failed", judged("slow", 9, {"mine": failed}), r"\*\*missed\*\*", False),
        ("nobody beside us", judged("fast", 9, {"fast": gone}), r"\*\*missed\*\*", False),
        ("a peer that failed alone", judged("fast", 9, {"fast": failed}), r"not judged: fast .*", False),
        (
            "a peer that is not installed",
            judged(works.BEST_PEER, 1, {"fast": gone}),
            r"kept, without fast \(is not here\)",
            True,
        ),
        (
            "one that is missed without a peer",
            judged(works.BEST_PEER, 0.4, {"fast": gone}),
            r"\*\*missed\*\*: .*, without fast \(is not here\)",
            False,
        ),
        (
            "a peer that failed",
            judged(works.BEST_PEER, 1, {"fast": failed}),
            r"not judged: fast failed \(took long\)",
            False,
        ),
        (
            "one that is missed, and a peer that failed",
            judged(works.BEST_PEER, 0.4, {"fast": failed}),
            r"\*\*missed\*\*: .*, without fast \(took long\)",
            False,
        ),
        (
            "too few processors, and a peer that failed",
            judged(works.BEST_PEER, 1, {"fast": failed}, processors=many),
            r"not judged: fast failed .*",
            False,
        ),
    ):
        require(re.fullmatch(words, word), f"{title}: the line says {word!r}")
        require(is_kept is wanted, f"{title}: it counts as {'kept' if is_kept else 'missed'}")
    left_out = compare.verdict(works.Target("mine", "wall", "slow", 1), work, dict.fromkeys(figures, []), {})
    require(left_out is None, "who was left out by --only is judged")


class Place:
    """No server: the commands need none."""

    environment = {"PATH": "/usr/bin:/bin"}
    words = {}
    pinned = staticmethod(contextlib.nullcontext)

    @staticmethod
    def ask(_):
        return "7"


LAUNCHER = """#!/usr/bin/env python3
import subprocess, sys
digest = sys.argv[1] == "--digest"
said = subprocess.run(sys.argv[1 + digest:], stdout=subprocess.PIPE)
if said.returncode:
    sys.exit(said.returncode)
print(1, 1, 1, len(said.stdout), *([sum(said.stdout)] if digest else []))
sys.stdout.flush()
sys.stdout.buffer.write(said.stdout)
"""


def check_launch(launcher):
    def why(command, figures=("wall",), wanted=None, says=None, check=None):
        """Why a command takes no part, or nothing."""
        row = works.Row("mine", command, says=says, check=check, expects=wanted or {})
        work = works.Work("W0", "made up", [row], figures, "mine", [])
        try:
            compare.launch(row, Place, launcher, work, compare.expected(work, row, Place, {}))
        except compare.DidNotRun as reason:
            return str(reason)
        return ""

    def other_rows(_):
        raise ValueError("other rows")

    require(not why("true"), "a command that says nothing, of which only the time is told, takes no part")
    require("seconds" in why("true", ("seconds",)), "the whole time stands in for seconds that are not said")
    require("seconds" in why("true", ("each",)), "the whole time stands in for the time of each")
    says = "echo WORK seconds=0.5 ops=2 >&2"
    require(not why(says, ("seconds", "each")), "a command that says its seconds takes no part")
    require(not why("printf a", wanted={"digest": 97}), "the right content takes no part")
    require("COPY" in why("printf b", wanted={"digest": 97}), "another content takes part")
    # What each must have done.
    require(not why(says, wanted={"ops": 2}), "who has done all takes no part")
    require("ops" in why(says, wanted={"ops": 3}), "who has done less takes part")
    require("ops" in why("true", wanted={"ops": 2}), "who does not say how much takes part")
    require(not why("echo WORK ops=7 >&2", wanted={"ops": "SELECT 7"}), "what the server says takes no part")
    require("ops" in why(says, wanted={"ops": "SELECT 7"}), "another number than the server's takes part")
    sums = "echo WORK integers=12 doubles=0.30000000000000004 >&2"
    require(not why(sums, wanted={"integers": 12, "doubles": 0.3}), "the right sums take no part")
    require("integers" in why(sums, wanted={"integers": 13}), "another sum of integers takes part")
    require("doubles" in why(sums, wanted={"doubles": 0.3001}), "another sum of doubles takes part")
    require(not why("echo 1", says=works.ONE), "who prints what is asked takes no part")
    require("prints" in why("echo 2", says=works.ONE), "who prints something else takes part")
    require("prints" in why("true", says=works.ONE), "who prints nothing takes part")
    require("other rows" in why("true", check=other_rows), "who stores something else takes part")
    require("wrong" in why("echo wrong >&2; false"), "who fails takes part, or does not say why")
    # Bytes are counted where there are any.
    require(not why("printf abc", wanted={"bytes": 3}), "the right number of bytes takes no part")
    require("bytes" in why("printf ab", wanted={"bytes": 3}), "fewer bytes take part")
    mine = "echo WORK bytes=3 >&2"
    require(not why(mine, wanted={"bytes": 3}), "who prints nothing cannot say how many bytes there were")
    require("bytes" in why(f"printf ab; {mine}", wanted={"bytes": 3}), "bytes that are said stand in")
    require("COPY" in why("echo WORK digest=97 >&2", wanted={"digest": 97}), "a digest can be said")


def check_measure(launcher, directory):
    """Who fails in one round, in several, or is not there."""
    count = f"n=$(cat {directory}/$NAME 2>/dev/null || echo 0); echo $((n + 1)) > {directory}/$NAME; "

    def measured(name, command, make=works.peer):
        row = make(name, count + command, environment={"NAME": name})
        arguments = types.SimpleNamespace(rounds=3, only=None, launcher=launcher)
        with contextlib.redirect_stderr(io.StringIO()):
            samples, reasons, stumbles = compare.measure(work_of(row), Place, arguments)
        return len(samples[name]), reasons.get(name), stumbles.get(name)

    taken, reason, stumbled = measured("good", "true")
    require((taken, reason, stumbled) == (3, None, None), "three rounds are not three")
    taken, reason, stumbled = measured("once", "(( n != 1 ))")
    require(taken == 2 and not reason and stumbled, "a peer that failed once is dropped, or that is not told")
    taken, reason, _ = measured("twice", "(( n != 1 && n != 3 ))")
    require(taken == 0 and reason and not reason.is_absent, "a peer that failed twice is not dropped")
    taken, reason, _ = measured("ours", "(( n != 1 ))", works.ours)
    require(taken == 0 and reason, "ours failed, and that is forgiven")
    taken, reason, _ = measured("absent", "no-such-program-is-here")
    require(taken == 0 and reason and reason.is_absent, "a program that is not here has failed")
    told = "python: No module named 'asyncpg'"
    require(compare.failure(1, told).is_absent, "a driver that is not installed has failed")
    told = "libpq: error while loading shared libraries: libpq.so.5: No such file or directory"
    require(not compare.failure(127, told).is_absent, "a program without its library is not here")


def check_end(launcher, directory):
    """What takes too long ends with all that it has started, wherever that has gone."""

    def sleeping(name):
        return f"sh -c 'echo $$ > \"{directory}/{name}\"; exec sleep 60'"

    bare = "env -i PATH=/usr/bin:/bin"
    command = (
        f"{sleeping('child')} & (setsid {sleeping('session of its own')} &);"
        f" ({bare} {sleeping('environment of its own')} &); {bare} setsid {sleeping('child with both')} &"
        f" sh -c 'trap \"touch {directory}/asked; exit\" TERM; while :; do sleep 0.05; done' & sleep 60"
    )
    row = works.Row("mine", command)
    work = works.Work("W0", "made up", [row], ("wall",), "mine", [], time_limit=1)
    patience, processes.PATIENCE = processes.PATIENCE, 0.5
    began = time.monotonic()
    try:
        compare.launch(row, Place, launcher, work, {})
        wrong("a command may take longer than its limit")
    except compare.DidNotRun as reason:
        require("1 s" in str(reason), f"a command that takes too long: {reason}")
    finally:
        processes.PATIENCE = patience
    require(time.monotonic() - began < 20, "what takes too long is waited for")
    for name in ("child", "session of its own", "environment of its own", "child with both"):
        number = pathlib.Path(directory, name).read_text().strip()
        stat = pathlib.Path("/proc", number, "stat")
        require(
            not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX",
            f"what a command has started that took too long goes on ({name})",
        )
    require(pathlib.Path(directory, "asked").exists(), "what takes too long is not asked to end")


# ---- that profiling.py would, too ----------------------------------------------------------------


def check_counts(directory):
    path = pathlib.Path(directory, "counts")
    path.write_text(
        "# started on Sun Nov 22\n\n"
        "12;;raw_syscalls:sys_enter;1;100.00;;\n34;;page-faults:u;1;100.00;;\n"
        "0;;context-switches:u;1;100.00;;\n0;;sched:sched_process_fork;1;100.00;;\n"
        "<not supported>;;sched:sched_process_exec;0;0.00;;\n"
    )
    counts = dict(profiling.perf_counts(path))
    wanted = {"raw_syscalls:sys_enter": 12, "page-faults": 34, "sched:sched_process_fork": 0}
    require(counts == wanted, f"what perf has counted is read as {counts}")
    told = [profiling.told_counts([counts], event, 3) for event in ("page-faults", "context-switches")]
    require(told == [" 34", "  –"], f"what perf has counted, and has not, is told as {told}")


def main():
    parser = argparse.ArgumentParser(prog="check.py", description=" ".join(__doc__.split("\n\n")[0].split()))
    parser.add_argument(
        "--written", action="store_true", help="also whether every profile is of the committed sources"
    )
    arguments = parser.parse_args()
    for work in works.ALL:
        check_work(work, arguments.written)
    for profile in profiling.PROFILES:
        check_profile(profile)
    if arguments.written:
        check_written()
    check_ahead()
    check_verdict()
    with tempfile.TemporaryDirectory() as directory:
        launcher = pathlib.Path(directory, "launcher")
        launcher.write_text(LAUNCHER)
        launcher.chmod(0o755)
        check_launch(launcher)
        check_measure(launcher, directory)
        check_end(launcher, directory)
        check_counts(directory)
    for text in found:
        print(f"  {text}")
    if found:
        sys.exit(1)
    print(f"  the limits and profiles of {len(works.ALL)} works are about what there is")


if __name__ == "__main__":
    main()
