"""The servers that the works run on: throwaway clusters, which pg-cluster makes and which end with us."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

SETTINGS = ("shared_buffers=512MB", "max_wal_size=8GB", "autovacuum=off", "max_connections=50")

# A million rows of six types; rows of 100 bytes to copy, and where they go; where rows are inserted.
TABLES = """
CREATE TABLE million AS SELECT i::int4 AS a, i::int8 * 1000003 AS b, substr(md5(i::text), 1, 20)::text AS c,
  timestamptz '2020-01-01 00:00:00+00' + i * interval '61.234567 s' AS d, (i * 0.37 + 1.0 / i)::float8 AS e,
  ((i::int8 * 7919) % 100000000 / 100.0)::numeric(12, 2) AS f FROM generate_series(1, 1000000) AS i;
CREATE UNLOGGED TABLE bulk AS SELECT i::int8 AS id, ((i::int8 * 7919) % 1000000007)::int4 AS k,
  (md5(i::text) || substr(md5((-i)::text), 1, 18))::text AS t,
  timestamptz '2020-01-01 00:00:00+00' + i * interval '61.234567 s' AS ts
  FROM generate_series(1, {rows}) AS i;
CREATE UNLOGGED TABLE sink1 (LIKE bulk);
CREATE UNLOGGED TABLE sink2 (LIKE bulk);
CREATE UNLOGGED TABLE sink3 (LIKE bulk);
CREATE TABLE ins (a int4, b text, c timestamptz);
VACUUM (FREEZE, ANALYZE) million;
VACUUM (FREEZE, ANALYZE) bulk;
"""


# What is copied from one server to another, which keep it in the same table: not UNLOGGED, which pgcopydb
# leaves out.
COPIED = """
CREATE TABLE copied AS SELECT i::int8 AS id, ((i::int8 * 7919) % 1000000007)::int4 AS k,
  (md5(i::text) || substr(md5((-i)::text), 1, 18))::text AS t,
  timestamptz '2020-01-01 00:00:00+00' + i * interval '61.234567 s' AS ts FROM generate_series(1, {rows}) AS i;
VACUUM (FREEZE, ANALYZE) copied;
"""


class Place:
    """A server, as the commands of a work see it."""

    def __init__(self, iri, arguments, common):
        parts = urllib.parse.urlsplit(iri)
        options = dict(urllib.parse.parse_qsl(parts.query))
        user, _, server = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        host, port = server, "5432"
        if ":" in server:
            host, _, port = server.rpartition(":")
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PG", "WORK_"))},
            "PGHOST": urllib.parse.unquote(host),
            "PGPORT": port,
            "PGUSER": name,
            "PGDATABASE": "postgres",
            "PGSSLMODE": "disable",
            # Numbers are read, whose point is one everywhere.
            "LC_ALL": "C.UTF-8",
        }
        if password:
            self.environment["PGPASSWORD"] = urllib.parse.unquote(password)
        if "sslrootcert" in options:
            self.environment["PGSSLROOTCERT"] = options["sslrootcert"]
            self.environment["PGSSLMODE"] = options["sslmode"]
        self.words = {"iri": shlex_quoted(iri), "socket": self.environment["PGHOST"], "user": name, **common}
        self.storage = storage(self.ask("SHOW data_directory"))

    def ask(self, statement):
        done = subprocess.run(
            [self.words["psql"], "-qXAt", "-v", "ON_ERROR_STOP=1"],
            input=statement,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"servers: {statement[:60].strip()}: {done.stderr.strip()}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def pinned(self, processors):
        """The server and its clients on so many processors; all of them if None."""
        every = os.sched_getaffinity(0)
        if processors is None:
            yield
            return
        server = int(pathlib.Path(self.ask("SHOW data_directory"), "postmaster.pid").read_text().split()[0])
        chosen = set(sorted(every)[:processors])
        for process in (server, 0):
            os.sched_setaffinity(process, chosen)
        try:
            yield
        finally:
            for process in (server, 0):
                os.sched_setaffinity(process, every)


def processors():
    """How many of them we may use."""
    return len(os.sched_getaffinity(0))


def storage(directory):
    """Whether a directory is in memory or on disk, and the kind of its file system."""
    mounts = [line.split()[1:3] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    beneath = (mount for mount in mounts if pathlib.Path(directory).is_relative_to(mount[0]))
    # Of several at the same place the last one counts.
    kind = max(enumerate(beneath), key=lambda found: (len(found[1][0]), found[0]))[1][1]
    return f"{'in memory' if kind in ('tmpfs', 'ramfs') else 'on disk'} ({kind})"


def shlex_quoted(text):
    return "'" + text + "'"


class Servers:
    """One server on a Unix socket, with tables; one with TLS and passwords; one for many connections; one
    that keeps its memory; and two with the same table, of which one is filled from the other."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.places = {}
        self.version = ""
        bindir = subprocess.run(["pg-cluster", "versions"], capture_output=True, text=True, check=True)
        self.bindir = bindir.stdout.splitlines()[0].split("\t")[1]
        self.words = {
            "bindir": self.bindir,
            "psql": f"{self.bindir}/psql",
            "peers": arguments.peers,
            "python": f"{arguments.python} {pathlib.Path(__file__).resolve().parent}/peers/python.py",
            "interpreter": arguments.python,
            "rows": arguments.rows,
            "here": pathlib.Path(__file__).resolve().parent,
            "work": arguments.peers / "pgkit-work",
            # As another user where PostgreSQL would refuse us, as our server does.
            "as_user": "setpriv --reuid=postgres --regid=postgres --init-groups" if os.getuid() == 0 else "",
        }

    def __enter__(self):
        # Not in the checkout, where the user as whom PostgreSQL's own programs then run may not come.
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="pgkit-lives."))
        scratch.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(scratch, "postgres")
        self.words["scratch"] = scratch
        return self

    def __exit__(self, *_):
        """The servers end with us, who own them."""
        shutil.rmtree(self.words["scratch"], ignore_errors=True)

    def place(self, name):
        if name not in self.places:
            self.places[name] = getattr(self, f"_make_{name}")()
        return self.places[name]

    def _temporary(self, *options, **environment):
        settings = [word for setting in SETTINGS for word in ("--set", setting)]
        made = subprocess.run(
            [
                "pg-cluster",
                "temp",
                "--pg",
                self.bindir,
                "--scheme",
                "postgres",
                "--owner-pid",
                str(os.getpid()),
                *settings,
                *options,
            ],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        place = Place(made.stdout.strip(), self.arguments, self.words)
        self.version = place.ask("SHOW server_version")
        return place

    def _make_socket(self):
        place = self._temporary()
        place.ask(TABLES.format(rows=self.arguments.rows))
        return place

    def _make_tls(self):
        return self._temporary("--tls")

    def _make_pair(self):
        place, target = self._temporary(), self._temporary()
        place.ask(COPIED.format(rows=self.arguments.rows))
        target.ask(COPIED.format(rows=0))
        place.target = target
        place.words["target"] = target.words["iri"]
        return place

    def _make_untrimmed(self):
        """Its C library keeps freed memory. Rows of a hundred columns and more in the binary format, a KiB for
        each value, otherwise make the server give memory back and fetch it again for each row."""
        kept = "glibc.malloc.trim_threshold=268435456:glibc.malloc.mmap_threshold=33554432"
        return self._temporary(GLIBC_TUNABLES=kept)

    def _make_crowd(self):
        return self._temporary("--set", "max_connections=1100")
