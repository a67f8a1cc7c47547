"""Commands in sessions of their own, which leave nothing behind where they fail or are given up."""

import contextlib
import itertools
import os
import pathlib
import signal
import subprocess
import time

# Every command has it in its environment, and so has what it starts: a server that leaves its session, too.
MARK = "WORK_RUN"
# How long those that are asked to end may take, in seconds, before they are made to.
PATIENCE = 5
_numbers = itertools.count(1)


@contextlib.contextmanager
def started(argv, environment, **more):
    """A command, whose output is in pipes. Whatever the block raises ends it and all that it has started.

    Of one that succeeded nobody is ended: pg_tmp, for one, makes the next cluster beside what comes after it.
    """
    mark = f"{os.getpid()}.{next(_numbers)}"
    process = subprocess.Popen(
        argv,
        env={**environment, MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        **more,
    )
    try:
        yield process
    except BaseException:
        _end(process, f"{MARK}={mark}".encode())
        raise
    finally:
        process.stdout.close()
        process.stderr.close()


def _end(process, mark):
    """Ends a command and what it has started. They are asked first: pg-cluster then takes its server and its
    files away."""
    known = {}
    for number in (signal.SIGTERM, signal.SIGKILL):
        asked, until = set(), time.monotonic() + PATIENCE
        while time.monotonic() < until:
            process.poll()
            known, own = _begun_by(process.pid, mark, known)
            # A server's own processes are its business until it is made to end.
            chosen = known if number == signal.SIGKILL else own
            for one in set(chosen.items()) - asked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one[0], number)
                asked.add(one)
            if not known:
                return
            time.sleep(0.02)


def _begun_by(session, mark, known):
    """What a command has started and is not over, each number with when it began; and those of them that are
    of its session or have its mark. `known` were found before, and may have lost their parents since."""
    living = _living()
    own = {
        number: began
        for number, (_, of, began) in living.items()
        if of == session or mark in _environment(number)
    }
    found = {number: began for number, (*_, began) in living.items() if known.get(number) == began} | own
    while new := {
        number: began
        for number, (parent, _, began) in living.items()
        if parent in found and number not in found
    }:
        found |= new
    return found, own


def _living():
    """Every process that is not over, by number: its parent, its session, and when it began."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in (b"Z", b"X"):
            found[int(path.name)] = int(fields[1]), int(fields[3]), int(fields[19])
    return found


def _environment(number):
    try:
        return pathlib.Path("/proc", str(number), "environ").read_bytes().split(b"\0")
    except OSError:
        return []
