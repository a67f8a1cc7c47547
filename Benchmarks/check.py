#!/usr/bin/env python3
"""Checks what is written down about the works, without running one: that every limit is about commands and
figures that there are, and that there is a Profile of every work that has limits or others beside us; and that
compare.py sees who is ahead, who says too little and who prints something else.

    check.py [--written]        whether scripts/bench-profile has also written every profile

Run by scripts/check.
"""

import pathlib
import sys
import tempfile

import compare
import profiling
import works

found = []


def wrong(text):
    found.append(text)


def require(is_right, text):
    if not is_right:
        wrong(text)


# ---- what is written down ------------------------------------------------------------------------


def check_work(work):
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
        "--written" not in sys.argv or compare.profile_of(work) != compare.NO_PROFILE,
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


class Place:
    """No server: the commands need none."""

    environment = {"PATH": "/usr/bin:/bin"}
    words = {}


LAUNCHER = """#!/usr/bin/env python3
import subprocess, sys
digest = sys.argv[1] == "--digest"
said = subprocess.run(sys.argv[1 + digest:], stdout=subprocess.PIPE, check=True).stdout
print(1, 1, 1, len(said), *([sum(said)] if digest else []))
sys.stdout.flush()
sys.stdout.buffer.write(said)
"""


def check_launch():
    with tempfile.TemporaryDirectory() as directory:
        launcher = pathlib.Path(directory, "launcher")
        launcher.write_text(LAUNCHER)
        launcher.chmod(0o755)

        def why(command, figures=("wall",), wanted=None):
            """Why a command takes no part, or nothing."""
            row = works.Row("mine", command)
            work = works.Work("W0", "made up", [row], figures, "mine", [])
            try:
                compare.launch(row, Place, launcher, work, wanted or {})
            except compare.DidNotRun as reason:
                return str(reason)
            return ""

        require(not why("true"), "a command that says nothing, of which only the time is told, takes no part")
        require("seconds" in why("true", ("seconds",)), "the whole time stands in for seconds that are not said")
        require("seconds" in why("true", ("each",)), "the whole time stands in for the time of each")
        says = "echo WORK seconds=0.5 ops=2 >&2"
        require(not why(says, ("seconds", "each")), "a command that says its seconds takes no part")
        require(not why("printf a", wanted={"digest": 97}), "the right content takes no part")
        require("COPY" in why("printf b", wanted={"digest": 97}), "another content takes part")


def main():
    for work in works.ALL:
        check_work(work)
    for profile in profiling.PROFILES:
        check_profile(profile)
    check_ahead()
    check_launch()
    for text in found:
        print(f"  {text}")
    if found:
        sys.exit(1)
    print(f"  the limits and profiles of {len(works.ALL)} works are about what there is")


if __name__ == "__main__":
    main()
