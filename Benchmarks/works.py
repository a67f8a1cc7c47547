"""What is compared: the works, their commands, and all the limits that PGKit has set itself."""

import dataclasses
import functools
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import threading
import typing

import processes

# In a target: whichever of the other drivers did best.
BEST_PEER = "the best peer"

HEADINGS = {
    "wall": "wall",
    "cpu": "CPU of the client",
    "rss": "memory",
    "seconds": "without connecting",
    "each": "each",
    "p50": "median",
    "kib_each": "each",
}

# What the server says about its tables (servers.py): whoever reads or writes them all must come to the same.
SUMS = {
    "chars": "SELECT sum(octet_length(c)) FROM million",
    "integers": "SELECT sum(a + b + floor(extract(epoch FROM d))::int8 - 946684800) FROM million",
    "doubles": "SELECT sum(e) FROM million",
    "hundredths": "SELECT (sum(f) * 100)::int8 FROM million",
}
LINES = "SELECT sum(octet_length(concat_ws(',', a, b, c, d, e, f)) + {more}) FROM million"
CSV = LINES.format(more=1)
CSV_WITH_HEADER = f"SELECT ({CSV}) + octet_length('a,b,c,d,e,f') + 1"
# Braces, names, colons and the quotes of two values; row_to_json has six characters for an offset, not three.
JSON = LINES.format(more=len('{"a":"b":"c":"""d":"""e":"f":}') + 1)
ROW_TO_JSON = LINES.format(more=len('{"a":"b":"c":"""d":":00""e":"f":}') + 1)
COPIED = {
    "text": "SELECT sum(octet_length(concat_ws(E'\\t', id, k, t, ts)) + 1) FROM bulk",
    "binary": "SELECT sum(2 + 4 + 8 + 4 + 4 + 4 + octet_length(t) + 4 + 8) + 19 + 2 FROM bulk",
}
# With the five bytes before each CopyData (one is for the end of the binary format), and what stands around
# them: CopyOutResponse, CopyDone, CommandComplete and ReadyForQuery.
RECEIVED = {
    form: f"SELECT ({COPIED[form]}) + count(*) * 5 + {ending}"
    " + 16 + 5 + 11 + length(count(*)::text) + 6 FROM bulk"
    for form, ending in (("text", 0), ("binary", 5))
}


@dataclasses.dataclass
class Row:
    """A command. `{iri}`, `{socket}`, `{psql}`, … are replaced (servers.py)."""

    name: str
    command: str
    is_peer: bool = False
    environment: dict = dataclasses.field(default_factory=dict)
    before: typing.Callable = None
    # Is told the place after each run, and raises ValueError where the work was not done.
    check: typing.Callable = None
    # What its figures must be, beside or instead of those of the work: numbers, or questions to the server.
    expects: dict = dataclasses.field(default_factory=dict)
    # What it must have printed, if it is not what those of the work must.
    says: str = None
    is_ours: bool = False
    # The command as a profile runs it, if what is measured has others around it.
    alone: str = None
    # The same where the others start it: what counts it stands at `{before}`.
    driven: str = None
    # Its parts one after the other, by name, if a profile tells what each takes.
    steps: dict = None
    # A COPY TO STDOUT: what it prints must be what the server says to that, byte by byte. It is looked at in
    # the round that warms up, by a digest, which takes time.
    content: str = None
    # Those of the peers that do the same, where not all of them do.
    beside: tuple = None


@dataclasses.dataclass
class Target:
    """`ours` takes at most `limit` times what `against` takes, or, against nothing, at most `limit` units.

    Against several, it is whichever takes least. With `more`, it is as many units more. It is judged where
    there are as many processors as it needs, and told elsewhere.
    """

    ours: str
    figure: str
    against: str | tuple | None
    limit: float
    more: float = 0
    processors: int = 1


@dataclasses.dataclass
class Work:
    key: str
    title: str
    rows: list
    figures: tuple
    reference: str
    targets: list
    rounds: int = 5
    server: str = "socket"
    processors: int = None
    time_limit: int = 120
    # What figures every row must say to have done the work: numbers, or questions to the server.
    expects: dict = dataclasses.field(default_factory=dict)
    # What every row must have printed: a regular expression, looked for in the first 4 KiB of it and, where
    # there is more, the last 512 bytes.
    says: str = None
    headings: dict = dataclasses.field(default_factory=dict)
    # What every row must print, unless it has a content of its own.
    content: str = None


def ours(name, command, **more):
    return Row(name, command, is_ours=True, **more)


def peer(name, command, **more):
    return Row(name, command, is_peer=True, **more)


def drivers(work, asyncpg=True):
    """The other drivers at a work that peers/libpq.c and peers/python.py know by the same name."""
    return [
        peer("libpq, in C", f"{{peers}}/libpq {work}"),
        peer("psycopg", f"{{python}} psycopg {work}"),
        *([peer("asyncpg", f"{{python}} asyncpg {work}")] if asyncpg else []),
        peer("py-postgresql", f"{{python}} py-postgresql {work}"),
    ]


SELECT = "SELECT a, b, c, d, e, f FROM million"
CSV_WRITTEN = f"COPY ({SELECT}) TO STDOUT (FORMAT csv)"
TSV_WRITTEN = f"COPY ({SELECT}) TO STDOUT"
JSON_WRITTEN = (
    "COPY (SELECT concat('{\"a\":', a, ',\"b\":', b, ',\"c\":\"', c, '\",\"d\":\"', d, '\",\"e\":', e, ',\"f\":',"
    " f, '}') FROM million) TO STDOUT"
)
ROW_TO_JSON_WRITTEN = f"COPY (SELECT row_to_json(r) FROM ({SELECT}) AS r) TO STDOUT"
ONE_COLUMN = "SELECT n FROM generate_series(1, 1000000) AS n"
# What some of a work print, as the server would write it: CSV without its header; JSON with times as they are in
# text, where row_to_json has its own.
WITHOUT_HEADER = {"expects": {"bytes": CSV}, "content": CSV_WRITTEN}
WITHOUT_OFFSET = {"expects": {"bytes": JSON}, "content": JSON_WRITTEN}
# What CSV quotes, and what it leaves empty.
QUOTED = """SELECT n AS id, 'name of "' || n || '"' AS name, n * 0.25 AS amount, n % 7 = 0 AS seventh,
  CASE WHEN n % 3 <> 0 THEN md5(n::text) END AS hash, E'a,b\\nc' AS lines
  FROM generate_series(1, 20000) AS n"""
PSQL = "{psql} -qX -v ON_ERROR_STOP=1"
# All that is printed: nothing, a one, and what psql makes of one among what else is said.
NOTHING, ONE, ONE_ROW = r"\A\Z", r"\A1\n\Z", r"\n +1\n\(1 row\)\n"


def starting(server, title, limit):
    return Work(
        "W1",
        f"the whole life of a process that asks SELECT 1, {title}",
        [
            ours("pg-open", "pg-open {iri} 'SELECT 1'"),
            peer("psql", "{psql} -XAtc 'SELECT 1'"),
            *drivers("select1"),
            Row("true", "true", says=NOTHING),
        ],
        ("wall", "cpu", "rss"),
        "psql",
        [Target("pg-open", "wall", "psql", limit)],
        rounds=21,
        server=server,
        says=ONE,
    )


def copying_out(form):
    options = " (FORMAT binary)" if form == "binary" else ""
    flag = " --format binary" if form == "binary" else ""
    statement = f"COPY bulk TO STDOUT{options}"
    return Work(
        "W5",
        f"COPY TO STDOUT, {form}",
        [
            ours("pg-copy", f"pg-copy {{iri}} bulk --to -{flag}", content=statement),
            Row(
                "floor: receive and forget", f"{{peers}}/floor copy {form}", expects={"bytes": RECEIVED[form]}
            ),
            Row(
                "floor: receive and forget, with pauses",
                f"{{peers}}/floor paced copy {form}",
                expects={"bytes": RECEIVED[form]},
            ),
            Row(
                "floor: payload to standard output", f"{{peers}}/floor copywrite {form}", content=statement
            ),
            Row(
                "floor: payload to standard output, with pauses",
                f"{{peers}}/floor paced copywrite {form}",
                content=statement,
            ),
            peer("psql", f"{PSQL} -c '{statement}'", content=statement),
            *drivers(f"copyout {form}"),
        ],
        ("wall", "cpu", "rss"),
        "psql",
        [
            # Against the floor that reads as soon as something comes; the other is told (README.md).
            Target("pg-copy", "cpu", "floor: receive and forget", 1.2)
        ],
        rounds=3,
        expects={"bytes": COPIED[form]},
    )


def emptied(place):
    place.ask("TRUNCATE sink1, sink2, sink3; CHECKPOINT")


def content(place, table):
    """What copies of a table have in common: how many rows, sums of the columns, the last time."""
    return place.ask(f"SELECT count(*), sum(id), sum(k), sum(octet_length(t)), max(ts) FROM {table}")


@functools.cache
def content_before(place, table):
    """The same of a table that nobody changes."""
    return content(place, table)


def require_copy(place, table, source_place, source):
    found, wanted = content(place, table), content_before(source_place, source)
    if found != wanted:
        raise ValueError(f"{table} has other rows ({found} instead of {wanted})".replace("|", ", "))


def stored(receivers):
    """Every row must have come to every receiver, before it counts who was cheaper."""

    def check(place):
        for number in range(1, receivers + 1):
            require_copy(place, f"sink{number}", place, "bulk")

    return check


def emptied_ins(place):
    place.ask("TRUNCATE ins")


def inserted(place):
    """What every program of W7 stores, and nothing else."""
    found = place.ask(
        "SELECT count(*), sum(a), count(*) FILTER"
        " (WHERE b = 'row number ' || a AND c = '2024-01-01 00:00:00+00') FROM ins"
    )
    if found != "100000|4999950000|100000":
        raise ValueError(f"ins has other rows (rows, sum, right ones: {found.replace('|', ', ')})")


EMPTY_FIRST = {"before": emptied_ins, "check": inserted}


def copying_between(form, receivers):
    options = " (FORMAT binary)" if form == "binary" else ""
    sinks = [f"sink{number}" for number in range(1, receivers + 1)]
    out, into = f"COPY bulk TO STDOUT{options}", [f"COPY {sink} FROM STDIN{options}" for sink in sinks]
    to = " ".join(f"--to {{iri}}';table={sink}'" for sink in sinks)
    rows = [
        ours(
            "pg-copy", f"pg-copy {{iri}} bulk --format {form} {to}", before=emptied, check=stored(receivers)
        ),
        peer(
            "libpq, in C",
            f"{{peers}}/libpq xfer {form} {','.join(sinks)}",
            before=emptied,
            check=stored(receivers),
        ),
        peer(
            "psycopg",
            f"{{python}} psycopg xfer {form} {','.join(sinks)}",
            before=emptied,
            check=stored(receivers),
        ),
        peer(
            "asyncpg",
            f"{{python}} asyncpg xfer {form} {','.join(sinks)}",
            before=emptied,
            check=stored(receivers),
        ),
        peer(
            "py-postgresql's copyman",
            f"{{python}} py-postgresql xfer {form} {','.join(sinks)}",
            before=emptied,
            check=stored(receivers),
        ),
    ]
    targets = [
        Target("pg-copy", "cpu", "py-postgresql's copyman", 0.2),
        Target("pg-copy", "rss", None, 40),
    ]
    for name, word in (
        ("floor: messages relayed", ""),
        ("floor: messages relayed, with pauses", "paced "),
    ):
        rows.append(
            Row(
                name,
                f"{{peers}}/relaying {word}{{socket}}/.s.PGSQL.$PGPORT {{user}} postgres '{out}' "
                + " ".join(f"'{each}'" for each in into),
                before=emptied,
                check=stored(receivers),
            )
        )
    if receivers == 1:
        rows.append(
            peer(
                "psql to psql",
                f"{PSQL} -c '{out}' | {PSQL} -c '{into[0]}'",
                before=emptied,
                check=stored(receivers),
            )
        )
        targets += [
            Target("pg-copy", "wall", "psql to psql", 1),
            Target("pg-copy", "cpu", "psql to psql", 1),
            Target("pg-copy", "cpu", "floor: messages relayed", 1.3),
        ]
    else:
        # The receivers are alike, and so is each alone.
        alone = "pg-copy, to one of them alone"
        rows.append(
            ours(
                alone,
                f"pg-copy {{iri}} bulk --format {form} --to {{iri}}';table={sinks[0]}'",
                before=emptied,
                check=stored(1),
                beside=(),
            )
        )
        # One for the session that reads, one for each that stores, and one for the client.
        targets.append(Target("pg-copy", "wall", alone, 1.2, processors=receivers + 2))
    return Work(
        "W6",
        f"from one session to {receivers} {'others' if receivers > 1 else 'other'}, {form}",
        rows,
        ("wall", "cpu", "rss"),
        "libpq, in C",
        targets,
        rounds=5,
        time_limit=300,
    )


def emptied_target(place):
    place.target.ask("TRUNCATE copied; CHECKPOINT")


def stored_target(place):
    require_copy(place.target, "copied", place, "copied")


def between_servers():
    """A table from one server to another that has it already, empty."""
    to = {"before": emptied_target, "check": stored_target}
    copy = "pg-copy {iri} copied --to {target}';table=copied'"

    def psql_to_psql(options):
        return (
            f"{PSQL} -c 'COPY copied TO STDOUT{options}'"
            f" | {PSQL} -d {{target}} -c 'COPY copied FROM STDIN{options}'"
        )

    def like(form):
        return (f"psql to psql, {form}", "pgcopydb copy table-data")

    return Work(
        "W6",
        "a table from one server to another",
        [
            ours("pg-copy", copy, **to),
            ours("pg-copy, text", f"{copy} --format text", **to, beside=like("text")),
            ours("pg-copy, binary", f"{copy} --format binary", **to, beside=like("binary")),
            peer("psql to psql, text", psql_to_psql(""), **to),
            peer("psql to psql, binary", psql_to_psql(" (FORMAT binary)"), **to),
            # Its directory must be new each time.
            peer(
                "pgcopydb copy table-data",
                "D=$(mktemp -d); trap 'rm -rf $D' EXIT;"
                " pgcopydb copy table-data --source {iri} --target {target} --dir $D/work >&2",
                **to,
            ),
        ],
        ("wall", "cpu", "rss"),
        "psql to psql, text",
        # Like beside like; the floor and copyman are beside the copies within one server.
        [
            Target("pg-copy", "wall", ("psql to psql, text", "psql to psql, binary"), 1),
            *(
                Target(f"pg-copy, {form}", figure, f"psql to psql, {form}", 1)
                for form in ("text", "binary")
                for figure in ("wall", "cpu")
            ),
            *(Target(name, "rss", None, 40) for name in ("pg-copy", "pg-copy, text", "pg-copy, binary")),
        ],
        rounds=5,
        server="pair",
        time_limit=300,
    )


def notify(place):
    place.ask(pathlib.Path(__file__).with_name("peers").joinpath("notify.sql").read_text())


def in_order(command, payload=lambda line, number: line):
    """Every notification must have its line, once, and where it belongs, when the command prints them: a run
    apart from those that are measured, which say how many there were."""

    def check(place):
        words = shlex.split(command.format(**place.words))
        with processes.started(words, place.environment) as process:
            # Whoever says nothing, or does not end, has fewer lines.
            patience = threading.Timer(60, process.kill)
            patience.start()
            try:
                process.stderr.readline()
                notify(place)
                lines = process.communicate()[0].splitlines()
            finally:
                patience.cancel()
            if len(lines) != 200_000:
                raise ValueError(f"{len(lines):,} lines of 200,000 notifications")
        for number, line in enumerate(lines, start=1):
            if payload(line, number) != str(number).rjust(100, "x"):
                raise ValueError(f"line {number:,} is not of the notification {number:,}: {line[:60]}")

    return check


def numbered_payload(line, number):
    """The payload of a line of pg-listen, which has its number, too."""
    event = json.loads(line)
    return event["payload"] if event["seq"] == number else None


def last_line(count):
    """The end of what pg-listen prints of so many notifications."""
    return f'"seq":{count},"channel":"ch","payload":"{str(count).rjust(100, "x")}"' + r"[^\n]*\n\Z"


def same_as_psql(place):
    """What psql quotes, pg-open quotes."""
    said = [
        subprocess.run(command, env=place.environment, capture_output=True, check=False).stdout
        for command in (
            ["pg-open", "--format", "csv", place.words["iri"].strip("'"), QUOTED],
            [place.words["psql"], "-qX", "--csv", "-c", QUOTED],
        )
    ]
    if not said[0] or said[0] != said[1]:
        raise ValueError("pg-open and psql do not say the same")


def listening(name, command, **more):
    """A listener alone is measured; the senders begin when it says, on standard error, that it listens.

    The end of what it prints is printed.
    """
    around = (
        f"D=$(mktemp -d); mkfifo $D/said; {{peers}}/measure {command} > $D/figures 2> $D/said & L=$!; "
        # Of one that does not listen it says why.
        "exec 3< $D/said; read -r first <&3; [[ ${{first,,}} == *listening* ]] || echo \"$first\" >&2; "
        "cat <&3 | grep -aE '^WORK|rror|No module|not found' >&2 & "
        f'{PSQL} -f {{here}}/peers/notify.sql >&2; wait $L; '
        'echo "MEASURED $(head -n 1 $D/figures)" >&2; tail -n +2 $D/figures | tail -c 512; rm -r $D'
    )
    return Row(name, around, alone=command, **more)


def to_its_line(title, processors):
    """On one processor it is the sum of what everybody does, and no waking of another processor, which a
    virtual machine may take long for; on all of them it is what a user has. Both are judged."""

    def driven(make, name, command):
        # A profile counts the command that is driven.
        return make(
            name,
            f"{{peers}}/listening drive ch 2000 {command}",
            driven=f"{{peers}}/listening drive ch 2000 {{before}} {command}",
        )

    return Work(
        "W8",
        title,
        [
            driven(ours, "pg-listen", "pg-listen {iri} ch"),
            driven(peer, "libpq, in C", "{peers}/listening lines ch"),
            *(
                driven(peer, driver, f"{{python}} {driver} listenlines ch")
                for driver in ("psycopg", "asyncpg", "py-postgresql")
            ),
        ],
        ("p50", "cpu"),
        "libpq, in C",
        [Target("pg-listen", "p50", "libpq, in C", 1.2)],
        processors=processors,
        # Each of which had its line, or it ends with an error.
        expects={"ops": 2000},
        headings={"cpu": "CPU of the listener"},
    )


# As the user whom PostgreSQL does not refuse, in a directory that it can enter.
INITDB_ALONE = (
    "{bindir}/initdb -D {scratch}/d --no-sync --auth=trust -U postgres --locale=C.UTF-8 --no-instructions"
)
INITDB_STEPS = {
    "initdb": INITDB_ALONE,
    "pg_ctl start": "{bindir}/pg_ctl -D {scratch}/d -w -l {scratch}/log "
    '-o "-c fsync=off -c listen_addresses= -c unix_socket_directories={scratch}" start',
    "psql": '{psql} -X -h {scratch} -U postgres -c "select 1" postgres',
    "pg_ctl stop": "{bindir}/pg_ctl -D {scratch}/d stop",
    "rm": "rm -rf {scratch}/d {scratch}/log",
}
INITDB = "cd {scratch}; {as_user} sh -euc '" + "; ".join(INITDB_STEPS.values()) + "'"
# What it prints says where the server is, which stays until it is stopped.
PG_TMP = (
    "cd {scratch}; {as_user} sh -euc 'command -v pg_tmp >/dev/null || "
    '{{ echo "pg_tmp is not here (ephemeralpg)" >&2; exit 1; }}; '
    'PATH={bindir}:$PATH; iri=$(pg_tmp -w 0); {psql} -X "$iri" -c "select 1"; '
    'pg_tmp -w 0 -d "$(echo "$iri" | sed "s|.*host=||; s|%2F|/|g")" stop\''
)
PGSERVER = (
    "cat {here}/peers/pgserver_life.py | (cd {scratch}; HOME={scratch} {as_user} {interpreter} - {scratch}/p)"
)
LIFE = "pg-cluster run --pg {bindir} --storage %s -- {psql} -X -c 'select 1'"

# To the moment when a login has succeeded and the command begins, which asks whether it has.
LOGIN = (
    "B=$EPOCHREALTIME; pg-cluster run --pg {bindir} --storage %s --"
    " bash -c 'echo $EPOCHREALTIME; {psql} -XAtc \"SELECT 1\"' |"
    ' awk -v b="$B" \'NR == 1 {{ printf "WORK seconds=%%.6f\\n", $1 - b > "/dev/stderr"; next }} {{ print }}\''
)


def without(*names):
    """What a run before has left in the scratch directory is gone."""

    def remove(place):
        for name in names:
            shutil.rmtree(pathlib.Path(place.words["scratch"], name), ignore_errors=True)

    return remove


def made_by_initdb(place):
    """A cluster that could be started."""
    made = pathlib.Path(place.words["scratch"], "d")
    if not (made / "PG_VERSION").exists() or not (made / "global/pg_control").exists():
        raise ValueError("there is no cluster")


# A server's log of 256 MiB; half of its records have a code.
LOG_LINES = {
    "log": (
        "2026-11-21 13:00:00.000 UTC [4711] 00000 app@shop LOG:  duration: 0.042 ms  statement: SELECT * FROM"
        " accounts WHERE id = {i}\n"
        "2026-11-21 13:00:00.000 UTC [4711] 23505 app@shop ERROR:  duplicate key value violates unique"
        ' constraint "accounts_pkey"\n'
        "2026-11-21 13:00:00.000 UTC [4711] 23505 app@shop DETAIL:  Key (id)=({i}) already exists.\n"
        "2026-11-21 13:00:00.000 UTC [4711] 23505 app@shop STATEMENT:  INSERT INTO accounts\n"
        "\tVALUES ({i})\n"
    ),
    "csv": (
        '2026-11-21 13:00:00.000 UTC,"app","shop",4711,"[local]",65a1.1,{i},"SELECT",2026-11-21 12:00:00 UTC,'
        '3/4,0,LOG,00000,"duration: 0.042 ms  statement: SELECT * FROM accounts WHERE id = {i}",,,,,,,,,'
        '"app","client backend",,0\n'
        '2026-11-21 13:00:00.000 UTC,"app","shop",4711,"[local]",65a1.1,{i},"INSERT",2026-11-21 12:00:00 UTC,'
        '3/4,0,ERROR,23505,"duplicate key value violates unique constraint ""accounts_pkey""",'
        '"Key (id)=({i}) already exists.",,,,,"INSERT INTO accounts\n\tVALUES ({i})",,,"app",'
        '"client backend",,0\n'
    ),
    "json": (
        '{{"timestamp":"2026-11-21 13:00:00.000 UTC","user":"app","dbname":"shop","pid":4711,'
        '"error_severity":"LOG","message":"duration: 0.042 ms  statement: SELECT * FROM accounts WHERE id ='
        ' {i}",'
        '"backend_type":"client backend"}}\n'
        '{{"timestamp":"2026-11-21 13:00:00.000 UTC","user":"app","dbname":"shop","pid":4711,'
        '"error_severity":"ERROR","state_code":"23505","message":"duplicate key value",'
        '"statement":"INSERT INTO accounts VALUES ({i})"}}\n'
    ),
}


# The same with the codes explained.
DUPLICATE = " [unique_violation, class 23 Integrity Constraint Violation]\n"
EXPLAINED = {
    # At the end of each line that has a code.
    "log": re.sub(r"(?m)( 23505 .*)\n", rf"\1{DUPLICATE}", LOG_LINES["log"]),
    # At the end of each record, the first of which has success for its code.
    "csv": LOG_LINES["csv"]
    .replace(",,0\n", ',,0,"successful_completion","Successful Completion"\n', 1)
    .replace(",,0\n", ',,0,"unique_violation","Integrity Constraint Violation"\n'),
    "json": LOG_LINES["json"].replace(
        '"23505",',
        '"23505","state_condition":"unique_violation","state_class":"Integrity Constraint Violation",',
    ),
}


def thousand(lines):
    """A thousand times the same records, with numbers."""
    return "".join(lines.format(i=i) for i in range(1000))


def times(form):
    """How often it takes a thousand records of that form to have 256 MiB."""
    return -(-(256 << 20) // len(thousand(LOG_LINES[form])))


def logged(form):
    """Sees to a log of that form, which is written once."""

    def write(place):
        path = pathlib.Path(place.words["scratch"], f"{form}.log")
        if not path.exists():
            path.write_text(thousand(LOG_LINES[form]) * times(form))

    return write


def filtering(name, form, options=""):
    explained = thousand(EXPLAINED[form])
    return ours(
        name,
        f"pg-errcode filter {options} < {{scratch}}/{form}.log",
        before=logged(form),
        expects={"bytes": len(explained) * times(form)},
        says=rf"\A{re.escape(explained[:4000])}(?s:.*){re.escape(explained[-500:])}\Z",
    )


FILTERS = [
    filtering("pg-errcode filter, told the prefix", "log", "--prefix '%m [%p] %e %u@%d '"),
    filtering("pg-errcode filter", "log"),
    filtering("pg-errcode filter, csvlog", "csv"),
    filtering("pg-errcode filter, jsonlog", "json"),
]


def generated(count):
    """What so many rows of `pgkit-work many-rows` come to, which the server makes up: j to a thousandth of the
    count, and for each of them i to a thousand."""
    outer, inner = range(1, count // 1000 + 1), range(1, 1001)
    first_second = 7305 * 86400  # of 2020, since 2000
    return {
        "ops": count,
        "chars": len(outer) * sum(len(f"row {i}") for i in inner),
        "integers": len(inner) * sum(outer) + len(outer) * sum(i + first_second + i for i in inner),
        "doubles": len(inner) * sum(outer),
        "hundredths": len(outer) * sum(inner) * 100,
    }


ALL = [
    starting("socket", "over a Unix socket", 0.85),
    starting("tls", "over TCP with TLS and SCRAM", 0.9),
    Work(
        "W2",
        "20,000 prepared round trips, client and server on one processor",
        [
            ours("PGKit", "{work} roundtrips 20000"),
            ours("PGKit, by row", "{work} row-roundtrips 20000"),
            ours("PGKit, asynchronous, by row", "{work} async-roundtrips 20000"),
            Row("floor: no parsing", "{peers}/floor rtt 20000"),
            *drivers("rtt 20000"),
            peer("asyncpg with uvloop", "{python} asyncpg rtt 20000", environment={"WORK_UVLOOP": "1"}),
        ],
        ("each", "cpu", "rss"),
        "libpq, in C",
        [
            Target("PGKit", "each", "libpq, in C", 1.05),
            Target("PGKit", "each", "floor: no parsing", 1.05),
            Target("PGKit, asynchronous, by row", "each", "PGKit, by row", 1.15),
            Target("PGKit, asynchronous, by row", "each", "libpq, in C", 1.15),
            Target("PGKit, asynchronous, by row", "each", "floor: no parsing", 1.15),
        ],
        rounds=9,
        processors=1,
        expects={"ops": 20_000},
    ),
    # No limit: libpq's reads its answers.
    Work(
        "W2",
        "20,000 round trips, a hundred before each answer",
        [
            ours("PGKit, answers dropped", "{work} pipelined 20000"),
            Row("floor: answers dropped", "{peers}/floor rttpipe 20000 100"),
            peer("libpq, in C, answers read", "{peers}/libpq rttpipe 20000 100"),
        ],
        ("each", "cpu", "rss"),
        "libpq, in C, answers read",
        [],
        processors=1,
        expects={"ops": 20_000},
    ),
    Work(
        "W3",
        "a million rows of six types, decoded",
        [
            # Of a numeric, the C programs make a number of hundredths and sum it up; the drivers in Python make
            # a Decimal, and no sums. PGKit makes its PGNumeric and sums the hundredths up; without Strings it
            # makes what the C programs make.
            ours("PGKit", "{work} rows", expects=SUMS),
            ours("PGKit, no Strings", "{work} rows-in-place", expects=SUMS),
            ours("PGKit, asynchronous", "{work} async-rows", expects=SUMS),
            Row("floor: decoded in place", "{peers}/floor decode", expects=SUMS),
            Row("floor: decoded in place, with pauses", "{peers}/floor paced decode", expects=SUMS),
            peer("libpq, in C, row by row", "{peers}/libpq fetch", expects=SUMS),
            peer("asyncpg, cursor", "{python} asyncpg fetch"),
            peer("asyncpg, whole", "{python} asyncpg fetchfull"),
            peer("psycopg, stream", "{python} psycopg fetch"),
            peer("psycopg, cursor", "{python} psycopg fetchchunk"),
            peer("py-postgresql, chunks", "{python} py-postgresql fetch"),
        ],
        ("seconds", "cpu", "rss"),
        "libpq, in C, row by row",
        [
            Target("PGKit", "seconds", BEST_PEER, 1),
            Target("PGKit", "cpu", "libpq, in C, row by row", 1),
            Target("PGKit, no Strings", "cpu", "floor: decoded in place", 1.3),
            Target("PGKit", "rss", None, 20),
            Target("PGKit, asynchronous", "seconds", "PGKit", 1.1),
        ],
        expects={"ops": 1_000_000},
    ),
    Work(
        "W4",
        "a million rows as CSV",
        [
            ours("pg-open", f"pg-open --format csv {{iri}} '{SELECT}'", check=same_as_psql),
            ours(
                "pg-open, tab-separated",
                f"pg-open --format tsv {{iri}} '{SELECT}'",
                expects={"bytes": CSV},
                content=TSV_WRITTEN,
            ),
            peer("psql --csv", f"{PSQL} --csv -c '{SELECT}'"),
            peer("psql --csv, 1,000 at a time", f"{PSQL} --csv -v FETCH_COUNT=1000 -c '{SELECT}'"),
            peer("psql --csv, 10,000 at a time", f"{PSQL} --csv -v FETCH_COUNT=10000 -c '{SELECT}'"),
            peer("psql, COPY", f"{PSQL} -c '{CSV_WRITTEN}'", **WITHOUT_HEADER),
            peer("libpq, in C, row by row", "{peers}/libpq csv"),
            Row("floor: nothing quoted", "{peers}/floor csv", **WITHOUT_HEADER),
            Row("floor: nothing quoted, with pauses", "{peers}/floor paced csv", **WITHOUT_HEADER),
        ],
        ("wall", "cpu", "rss"),
        "psql --csv",
        [
            Target("pg-open", "wall", "psql --csv", 1),
            Target("pg-open", "cpu", "psql --csv", 0.25),
            Target("pg-open", "cpu", "psql --csv, 1,000 at a time", 1),
            Target("pg-open", "cpu", "psql --csv, 10,000 at a time", 1),
            Target("pg-open", "rss", None, 30),
            Target("pg-open, tab-separated", "cpu", "psql --csv", 0.25),
            Target("pg-open, tab-separated", "cpu", "psql --csv, 1,000 at a time", 1),
            Target("pg-open, tab-separated", "cpu", "psql --csv, 10,000 at a time", 1),
            Target("pg-open, tab-separated", "rss", None, 30),
        ],
        expects={"bytes": CSV_WITH_HEADER},
        content=f"COPY ({SELECT}) TO STDOUT (FORMAT csv, HEADER)",
    ),
    Work(
        "W4",
        "a million rows of one column as CSV",
        [
            ours("pg-open", f"pg-open --format csv {{iri}} '{ONE_COLUMN}'"),
            peer("psql --csv", f"{PSQL} --csv -c '{ONE_COLUMN}'"),
        ],
        ("wall", "cpu", "rss"),
        "psql --csv",
        [Target("pg-open", "cpu", "psql --csv", 1), Target("pg-open", "rss", None, 30)],
        expects={"bytes": f"SELECT sum(length(n::text) + 1) + 2 FROM ({ONE_COLUMN}) AS t"},
        content=f"COPY ({ONE_COLUMN}) TO STDOUT (FORMAT csv, HEADER)",
    ),
    Work(
        "W4",
        "a million rows as JSON lines",
        [
            ours("pg-open", f"pg-open --format jsonl {{iri}} '{SELECT}'", **WITHOUT_OFFSET),
            peer("psql, row_to_json", f"{PSQL} -At -c 'SELECT row_to_json(r) FROM ({SELECT}) AS r'"),
            peer("psql, COPY of row_to_json", f"{PSQL} -c '{ROW_TO_JSON_WRITTEN}'"),
            peer("libpq, in C, row by row", "{peers}/libpq json", **WITHOUT_OFFSET),
            Row("floor: nothing escaped", "{peers}/floor json", **WITHOUT_OFFSET),
            Row("floor: nothing escaped, with pauses", "{peers}/floor paced json", **WITHOUT_OFFSET),
        ],
        ("wall", "cpu", "rss"),
        "psql, row_to_json",
        [
            Target("pg-open", "wall", BEST_PEER, 1),
            Target("pg-open", "cpu", "psql, row_to_json", 0.7),
            Target("pg-open", "rss", None, 30),
        ],
        expects={"bytes": ROW_TO_JSON},
        content=ROW_TO_JSON_WRITTEN,
    ),
    copying_out("text"),
    copying_out("binary"),
    copying_between("text", 1),
    copying_between("binary", 1),
    copying_between("text", 3),
    between_servers(),
    Work(
        "W7",
        "100,000 rows of three columns stored",
        [
            ours("PGKit, inserts", "{work} insert 100000", **EMPTY_FIRST),
            peer("libpq, in C, inserts", "{peers}/libpq insert pipe 100000", **EMPTY_FIRST),
            peer("psycopg, executemany", "{python} psycopg insert 100000", **EMPTY_FIRST),
            peer("asyncpg, executemany", "{python} asyncpg insert 100000", **EMPTY_FIRST),
            peer("py-postgresql, load_rows", "{python} py-postgresql insert 100000", **EMPTY_FIRST),
        ],
        ("seconds", "cpu", "rss"),
        "libpq, in C, inserts",
        [Target("PGKit, inserts", "seconds", BEST_PEER, 1)],
        rounds=7,
        expects={"ops": 100_000},
    ),
    Work(
        "W7",
        "100,000 rows of three columns copied",
        [
            ours("PGKit, rows", "{work} copy-rows 100000", **EMPTY_FIRST),
            peer("libpq, in C, text", "{peers}/libpq insert copy 100000", **EMPTY_FIRST),
            peer("libpq, in C, binary", "{peers}/libpq insert copybinary 100000", **EMPTY_FIRST),
            peer("psycopg, write_row", "{python} psycopg insertcopy 100000", **EMPTY_FIRST),
            peer("asyncpg, copy_records_to_table", "{python} asyncpg insertcopy 100000", **EMPTY_FIRST),
        ],
        ("seconds", "cpu", "rss"),
        "libpq, in C, binary",
        [Target("PGKit, rows", "seconds", BEST_PEER, 1)],
        rounds=7,
        expects={"ops": 100_000},
    ),
    Work(
        "W8",
        "200,000 notifications of 100 bytes",
        [
            listening(
                "pg-listen",
                "pg-listen {iri} ch --count 200000",
                is_ours=True,
                says=last_line(200_000),
                check=in_order("pg-listen {iri} ch --count 200000 --events off", numbered_payload),
            ),
            listening(
                "floor: counted",
                "{peers}/floor listen ch 200000",
                # Of each a process's number, the channel and the payload.
                expects={"ops": 200_000, "bytes": 200_000 * (4 + 3 + 101)},
            ),
            listening(
                "libpq, in C",
                "{peers}/listening count ch 200000",
                is_peer=True,
                expects={"ops": 200_000},
                check=in_order("{peers}/listening lines ch 200000"),
            ),
            *(
                listening(
                    driver,
                    f"{{python}} {driver} listen ch 200000",
                    is_peer=True,
                    expects={"ops": 200_000},
                    check=in_order(f"{{python}} {driver} listenlines ch 200000"),
                )
                for driver in ("psycopg", "asyncpg", "py-postgresql")
            ),
        ],
        ("wall", "cpu", "rss"),
        "libpq, in C",
        [Target("pg-listen", "cpu", "libpq, in C", 2)],
    ),
    to_its_line("from a NOTIFY to its line, client and server on one processor", 1),
    to_its_line("from a NOTIFY to its line, on all processors", None),
    Work(
        "W9",
        "the whole life of a throwaway cluster, with one SELECT 1",
        [
            ours("pg-cluster, memory", LIFE % "memory"),
            ours("pg-cluster, disk", LIFE % "disk"),
            # A run that was ended has not come to its last step.
            peer("initdb and pg_ctl", INITDB, before=without("d"), steps=INITDB_STEPS),
            peer("pgserver", PGSERVER),
            peer("pg_tmp", PG_TMP),
        ],
        ("wall", "cpu"),
        "initdb and pg_ctl",
        [
            Target("pg-cluster, memory", "wall", "initdb and pg_ctl", 0.1),
            Target("pg-cluster, disk", "wall", "initdb and pg_ctl", 0.5),
            Target("pg-cluster, disk", "wall", BEST_PEER, 1),
        ],
        says=ONE_ROW,
        headings={"cpu": "CPU of what was waited for"},
    ),
    Work(
        "W9",
        "from the start to the first login",
        [ours(f"pg-cluster, {storage}", LOGIN % storage) for storage in ("memory", "disk")],
        ("seconds",),
        "pg-cluster, memory",
        [
            Target("pg-cluster, memory", "seconds", None, 0.08),
            Target("pg-cluster, disk", "seconds", None, 0.3),
        ],
        says=ONE,
        headings={"seconds": "to the login"},
    ),
    Work(
        "W9",
        "the first cluster of a user ever, on disk",
        [
            ours(
                "pg-cluster",
                # That it can be used has to be asked from within, by a psql that initdb does not have.
                "env PGKIT_CLUSTER_HOME={scratch}/first/home"
                " pg-cluster run --pg {bindir} --storage disk -- {psql} -XAtc 'SELECT 1'",
                before=without("first"),
                says=ONE,
            ),
            peer(
                "initdb",
                "cd {scratch}; {as_user} " + INITDB_ALONE,
                before=without("d"),
                check=made_by_initdb,
                steps={"initdb": INITDB_ALONE},
            ),
        ],
        ("wall",),
        "initdb",
        [Target("pg-cluster", "wall", "initdb", 1, more=0.15)],
    ),
    Work(
        "W10",
        "an error code looked up",
        [
            # Not a code that the server has: of its class.
            ours(
                "pg-errcode",
                "pg-errcode XX400",
                says=r"\AInternalError \[XX000\]\n(.*\n)* +condition: internal_error\n",
            ),
            Row("true", "true", says=NOTHING),
            Row("bash -c :", "bash -c :", says=NOTHING),
            peer("psql, SELECT 1", "{psql} -XAtc 'SELECT 1'", says=ONE),
            peer(
                "python -m postgresql.exceptions",
                "{interpreter} -m postgresql.exceptions XX400",
                says=r"\Apostgresql\.exceptions\.InternalError \[XX000\]\n",
            ),
        ],
        ("wall", "cpu", "rss"),
        "python -m postgresql.exceptions",
        [
            Target("pg-errcode", "wall", "python -m postgresql.exceptions", 0.05),
            Target("pg-errcode", "wall", "psql, SELECT 1", 1),
            Target("pg-errcode", "wall", "true", 4),
        ],
        rounds=31,
    ),
    # 200 MB/s of one processor.
    Work(
        "W10",
        "a server's log of 256 MiB, its codes explained",
        FILTERS,
        ("cpu", "wall", "rss"),
        "pg-errcode filter",
        [Target(row.name, "cpu", None, 1.342) for row in FILTERS]
        + [Target(row.name, "rss", None, 16) for row in FILTERS],
        rounds=3,
    ),
    Work(
        "growth",
        "ten times as many rows",
        [
            ours("10 million rows", "{work} many-rows 10000000", expects=generated(10_000_000)),
            ours("1 million rows", "{work} many-rows 1000000", expects=generated(1_000_000)),
        ],
        ("seconds", "cpu", "rss"),
        "1 million rows",
        [
            Target("10 million rows", "seconds", "1 million rows", 11.5),
            Target("10 million rows", "rss", "1 million rows", 1.1),
        ],
        rounds=3,
    ),
    Work(
        "growth",
        "2,000 rows of ever more columns",
        [
            ours(f"{count} columns", f"{{work}} columns {count}", expects={"ops": 2000 * count})
            for count in (1600, 160, 16, 1)
        ],
        ("seconds", "cpu", "rss"),
        "160 columns",
        [
            Target("1600 columns", "seconds", "160 columns", 11.5),
            Target("160 columns", "seconds", "16 columns", 11.5),
            Target("16 columns", "seconds", "1 columns", 18.4),
        ],
        server="untrimmed",
    ),
    # No limit: beyond 128 KiB for a row it is the server that gives its memory back and fetches it again.
    Work(
        "growth",
        "ever more columns, from a server as its C library comes",
        [
            ours(f"{count} columns", f"{{work}} columns {count}", expects={"ops": 2000 * count})
            for count in (160, 16)
        ],
        ("seconds", "cpu", "rss"),
        "16 columns",
        [],
    ),
    Work(
        "growth",
        "ten times as many notifications",
        [
            listening(
                f"{count:,} notifications",
                f"pg-listen {{iri}} ch --count {count}",
                is_ours=True,
                says=last_line(count),
            )
            for count in (200_000, 20_000)
        ],
        ("rss", "wall"),
        "20,000 notifications",
        [Target("200,000 notifications", "rss", "20,000 notifications", 1.1)],
    ),
    Work(
        "growth",
        "a thousand idle connections that listen",
        [
            # One more is there before it counts. Each must hear what is then notified.
            ours("1,000 connections", "{work} idle 1000", expects={"ops": 1000, "heard": 1001}),
            ours("10 connections", "{work} idle 10", expects={"ops": 10, "heard": 11}),
        ],
        ("kib_each", "rss"),
        "10 connections",
        [Target("1,000 connections", "kib_each", None, 64)],
        rounds=3,
        server="crowd",
    ),
]
