"""What users of other drivers do: python.py psycopg|asyncpg|py-postgresql WORK [ARGUMENT …]

Works: select1 · rtt N · fetch · fetchchunk · fetchfull · copyout text|binary · xfer text|binary SINK[,SINK] ·
insert N · insertcopy N, both into an empty table · listen CHANNEL N · listenlines CHANNEL [N]. The environment
says where the server is.
"""

import os
import sys
import time

lib, work, args = sys.argv[1], sys.argv[2], sys.argv[3:]
SQL1M = "SELECT a,b,c,d,e,f FROM million"
T0 = 0.0


def start():
    global T0
    T0 = time.monotonic()


def report(ops=0, nbytes=0):
    sys.stderr.write(f"WORK what={work} seconds={time.monotonic() - T0:.6f} ops={ops} bytes={nbytes}\n")


def copysql(fmt):
    return "COPY bulk TO STDOUT" + (" (FORMAT binary)" if fmt == "binary" else "")


def rows_to_insert(n, ts):
    return [(i, f"row number {i}", ts) for i in range(n)]


def check_sum(found, n):
    if found != n * (n - 1) // 2:
        sys.exit(f"python.py: the sum is {found}")


def psycopg_main():
    import psycopg

    c = psycopg.connect(autocommit=True)
    cur = c.cursor(binary=True)
    if work == "select1":
        print(cur.execute("SELECT 1").fetchone()[0])
    elif work == "rtt":
        n = int(args[0])
        c.prepare_threshold = 0
        cur.execute("SELECT %b::int", (1,))
        s = 0
        start()
        for i in range(n):
            s += cur.execute("SELECT %b::int", (i,)).fetchone()[0]
        report(n)
        check_sum(s, n)
    elif work == "fetch":
        start()
        n = 0
        for row in cur.stream(SQL1M):
            n += 1
        report(n)
    elif work == "fetchchunk":  # the server-side cursor way
        start()
        n = 0
        with c.transaction():
            with c.cursor("k", binary=True) as k:
                k.itersize = 10000
                k.execute(SQL1M)
                for row in k:
                    n += 1
        report(n)
    elif work == "copyout":
        start()
        n = b = 0
        with cur.copy(copysql(args[0])) as cp:
            for d in cp:
                n += 1
                b += len(d)
        report(n, b)
    elif work == "xfer":
        from contextlib import ExitStack

        ds = [psycopg.connect(port=os.environ["PGPORT"], autocommit=True) for _ in args[1].split(",")]
        start()
        n = b = 0
        with ExitStack() as st:
            outs = [
                st.enter_context(
                    d.cursor().copy(
                        f"COPY {t} FROM STDIN" + (" (FORMAT binary)" if args[0] == "binary" else "")
                    )
                )
                for d, t in zip(ds, args[1].split(","))
            ]
            with cur.copy(copysql(args[0])) as cp:
                for d in cp:
                    n += 1
                    b += len(d)
                    for o in outs:
                        o.write(d)
        report(n, b)
    elif work == "insert":
        import datetime

        start()
        data = rows_to_insert(int(args[0]), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
        with c.transaction():
            cur.executemany("INSERT INTO ins VALUES (%b,%b,%b)", data)
        report(len(data))
    elif work == "insertcopy":
        import datetime

        start()
        data = rows_to_insert(int(args[0]), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
        with cur.copy("COPY ins FROM STDIN (FORMAT binary)") as cp:
            cp.set_types(["int4", "text", "timestamptz"])
            for row in data:
                cp.write_row(row)
        report(len(data))
    elif work in ("listen", "listenlines"):
        c.execute("LISTEN " + args[0])
        print("LISTENING", file=sys.stderr, flush=True)
        n = 0
        want = int(args[1]) if len(args) > 1 else -1
        for x in c.notifies():
            if not n:
                start()
            n += 1
            if work == "listenlines":
                sys.stdout.write(x.payload + "\n")
                sys.stdout.flush()
            if n == want:
                break
        report(n)


def asyncpg_main():
    import asyncio

    import asyncpg

    async def main():
        c = await asyncpg.connect()
        if work == "select1":
            print(await c.fetchval("SELECT 1"))
        elif work == "rtt":
            n = int(args[0])
            st = await c.prepare("SELECT $1::int")
            s = 0
            start()
            for i in range(n):
                s += await st.fetchval(i)
            report(n)
            check_sum(s, n)
        elif work == "fetch":
            start()
            n = 0
            async with c.transaction():
                async for row in c.cursor(SQL1M, prefetch=10000):
                    n += 1
            report(n)
        elif work == "fetchfull":
            start()
            report(len(await c.fetch(SQL1M)))
        elif work == "copyout":
            start()
            b = n = 0

            async def sink(d):
                nonlocal b, n
                b += len(d)
                n += 1

            await c.copy_from_table(
                "bulk", output=sink, format="binary" if args[0] == "binary" else "text"
            )
            report(n, b)
        elif work == "xfer":  # a queue between the call that reads and each of those that write
            targets = args[1].split(",")
            ds = [await asyncpg.connect(port=int(os.environ["PGPORT"])) for _ in targets]
            queues = [asyncio.Queue(16) for _ in targets]
            fmt = "binary" if args[0] == "binary" else "text"

            async def sink(x):
                for q in queues:
                    await q.put(x)

            async def source(q):
                while (x := await q.get()) is not None:
                    yield x

            async def read():
                await c.copy_from_table("bulk", output=sink, format=fmt)
                await sink(None)

            start()
            writing = [
                d.copy_to_table(t, source=source(q), format=fmt) for d, t, q in zip(ds, targets, queues)
            ]
            await asyncio.gather(read(), *writing)
            for d in ds:
                await d.close()
            report()
        elif work == "insert":
            import datetime

            start()
            data = rows_to_insert(int(args[0]), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
            await c.executemany("INSERT INTO ins VALUES ($1,$2,$3)", data)
            report(len(data))
        elif work == "insertcopy":
            import datetime

            start()
            data = rows_to_insert(int(args[0]), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
            await c.copy_records_to_table("ins", records=data)
            report(len(data))
        elif work in ("listen", "listenlines"):
            n = 0
            done = asyncio.get_running_loop().create_future()
            want = int(args[1]) if len(args) > 1 else -1

            def on(con, pid, ch, payload):
                nonlocal n
                if not n:
                    start()
                n += 1
                if work == "listenlines":
                    sys.stdout.write(payload + "\n")
                    sys.stdout.flush()
                if n == want:
                    done.set_result(None)

            await c.add_listener(args[0], on)
            print("LISTENING", file=sys.stderr, flush=True)
            await done
            report(n)
        await c.close()

    if os.environ.get("WORK_UVLOOP"):
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())


def py_postgresql_main():
    import postgresql

    # 1.3.1 cannot parse a packaged server's version ("15.18 (Debian 15...)") and fails to connect: cut here.
    from postgresql import versionstring

    whole = versionstring.split
    versionstring.split = lambda v: whole(v.split(" ")[0])
    e = os.environ

    def dial(port):
        h = e["PGHOST"]
        kw = dict(user=e.get("PGUSER", "postgres"), database=e.get("PGDATABASE", "postgres"))
        if h.startswith("/"):
            return postgresql.open(unix=f"{h}/.s.PGSQL.{port}", **kw)
        if e.get("PGPASSWORD"):
            kw["password"] = e["PGPASSWORD"]
        if e.get("PGSSLMODE", "disable") != "disable":
            # 1.3.1 knows no verify-full: the chain is checked, the host's name is not.
            kw["sslmode"] = "require"
            if e.get("PGSSLROOTCERT"):
                kw["sslrootcrtfile"] = e["PGSSLROOTCERT"]
        else:
            kw["sslmode"] = "disable"
        return postgresql.open(host=h, port=int(port), **kw)

    c = dial(e.get("PGPORT", "5432"))
    if work == "select1":
        print(c.query.first("SELECT 1"))
    elif work == "rtt":
        n = int(args[0])
        st = c.prepare("SELECT $1::int")
        s = 0
        start()
        for i in range(n):
            s += st.first(i)
        report(n)
        check_sum(s, n)
    elif work == "fetch":
        st = c.prepare(SQL1M)
        start()
        n = 0
        for ch in st.chunks():
            for row in ch:
                n += 1
        report(n)
    elif work == "copyout":
        st = c.prepare(copysql(args[0]))
        start()
        n = b = 0
        for ch in st.chunks():
            n += len(ch)
            b += sum(map(len, ch))
        report(n, b)
    elif work == "xfer":
        from postgresql import copyman

        ds = [dial(e["PGPORT"]) for _ in args[1].split(",")]
        fm = " (FORMAT binary)" if args[0] == "binary" else ""
        st = [d.prepare(f"COPY {t} FROM STDIN{fm}") for d, t in zip(ds, args[1].split(","))]
        start()
        n, b = copyman.transfer(c.prepare(copysql(args[0])), *st)
        report(n, b)
    elif work == "insert":
        import datetime

        st = c.prepare("INSERT INTO ins VALUES ($1,$2,$3)")
        start()
        data = rows_to_insert(int(args[0]), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
        with c.xact():
            st.load_rows(data)
        report(len(data))
    elif work in ("listen", "listenlines"):
        c.listen(args[0])
        print("LISTENING", file=sys.stderr, flush=True)
        n = 0
        want = int(args[1]) if len(args) > 1 else -1
        for x in c.iternotifies():
            if not n:
                start()
            n += 1
            if work == "listenlines":
                sys.stdout.write(x[1] + "\n")
                sys.stdout.flush()
            if n == want:
                break
        report(n)


{"psycopg": psycopg_main, "asyncpg": asyncpg_main, "py-postgresql": py_postgresql_main}[lib]()
