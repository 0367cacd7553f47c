"""scripts/bench sync: `followers sync` against its floor, a plain client and one on asyncio. scripts/bench says the rest.

Keeps rows; tables and verdicts are made of them by `scripts/bench table`. Standard library alone, but for MariaDB and
the client on asyncio (requirements.txt).
"""

import argparse
import json
import math
import os
import platform
import signal
import subprocess
import sys
import time

import people
from scene import Sandbox, Scene, Server, fail, python, run, start, stop_all

PAGE, BATCH = 10_000, 100
LIST, PEOPLE, TOKEN, QUOTA = ("/cgi-bin/user/get", "/cgi-bin/user/info/batchget", "/cgi-bin/stable_token",
                              "/cgi-bin/openapi/quota/get")
# What is tried before the bulk rate is measured with the fastest: rows a transaction, and of how many people.
SIZES, TRIED = (500, 1_000, 2_000, 5_000, 20_000), 50_000
# From so many on: one round, and no plain client unless all is asked for.
MANY = 1_000_000
CLIENTS = ("wxops", "sequential", "asyncio")
SCRIPTS = {"sequential": "sequential.py", "asyncio": "on_asyncio.py"}
# Callbacks beside a sync of so many people at the most, so many a second.
BESIDE, RATE = 100_000, 200
COLUMNS = ("round", "followers", "database", "case", "who", "seconds", "calls", "calls_off", "rows", "rows_off", "cpu_s",
           "peak_mib", "p50_ms", "p99_ms", "max_ms", "failed", "batch")


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench sync")
    parser.add_argument("--followers", default="100000,1000000", type=lambda text: sorted(map(int, text.split(","))))
    parser.add_argument("--db", default="both", choices=("sqlite", "mariadb", "both"))
    parser.add_argument("--latency", default="20ms")
    parser.add_argument("--concurrency", default=20, type=int)
    parser.add_argument("--clients", default=",".join(CLIENTS), type=lambda text: text.split(","))
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--full", action="store_true")
    for name in ("--wxops", "--work", "--out"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    unknown = set(args.clients) - set(CLIENTS)
    if unknown or min(args.followers) < 1 or args.rounds < 1 or not 1 <= args.concurrency <= 64:
        parser.error(f"what is {unknown}?" if unknown else "a number is out of its range")
    args.latency_ms = milliseconds(args.latency) or parser.error("--latency is such as 20ms")
    return args


def milliseconds(text):
    number = text.removesuffix("ms")
    return float(number) if number != text and number.replace(".", "", 1).isdigit() else None


def needed(followers, who, case):
    """The calls of a sync, by path: no batch spans two pages, behind the last page is an empty one, a token is asked for
    once. Anybody's floor; the program also asks what is left of the day's quota."""
    full, rest = divmod(followers, PAGE)
    calls = {LIST: math.ceil(followers / PAGE) + 1, PEOPLE: full * (PAGE // BATCH) + math.ceil(rest / BATCH)}
    if who == "wxops":
        calls[QUOTA] = 2
    if case == "first":
        calls[TOKEN] = 1
    return calls


def off(made, wanted):
    return sum(abs(made.get(path, 0) - wanted.get(path, 0)) for path in made.keys() | wanted.keys())


class Bench:
    def __init__(self, args, kept):
        self.args, self.kept = args, kept
        self.scene = Scene(args.wxops, args.work, os.environ.get("WXOPS_TEST_DATABASE_URL_MARIADB"))
        self.dbs = ["sqlite", "mariadb"] if args.db == "both" else [args.db]
        self.batch = {}
        if "mariadb" in self.dbs and not self.scene.mariadb:
            fail("WXOPS_TEST_DATABASE_URL_MARIADB is not set")

    def row(self, **cells):
        line = "\t".join(str(cells.pop(name, "-")) for name in COLUMNS)
        assert not cells, cells
        print(line, file=sys.stderr, flush=True)
        print(line, file=self.kept, flush=True)

    def measure(self):
        for followers in self.args.followers:
            self.limit = 120 + followers * 3 // 1000
            listed = self.collect(followers)
            for round in range(1, 1 + (self.args.rounds if followers < MANY else 1)):
                for db in self.dbs:
                    self.upsert(round, followers, db, listed)
                    for who in self.args.clients:
                        if who == "sequential" and followers >= MANY and not self.args.full:
                            print(f"{followers}: no plain client, it takes minutes: --full", file=sys.stderr)
                            continue
                        self.client(round, followers, db, who)
                if "sqlite" in self.dbs and "wxops" in self.args.clients and followers == self.beside_of():
                    self.beside(round, followers, listed)

    def beside_of(self):
        """Of the sizes, the one that callbacks are pushed beside."""
        return max((size for size in self.args.followers if size <= BESIDE), default=min(self.args.followers))

    def collect(self, followers):
        """Everyone on the list, in a file: what the bulk rate is measured with, and whose callbacks are pushed."""
        path = os.path.join(self.args.work, f"people-{followers}")
        with Sandbox(self.scene, followers, "0ms") as sandbox:
            run(python("collect.py", path), sandbox.environment("-", 1), self.args.work, self.limit)
        return path

    def upsert(self, round, followers, db, listed):
        size = self.batch.get(db) or self.fastest(db, followers, listed)
        for case, seconds in self.bulk(db, listed, size).items():
            self.row(round=round, followers=followers, database=db, case=case, who="upsert", seconds=f"{seconds:.3f}",
                     calls=sum(needed(followers, "upsert", case).values()), rows=followers, batch=size)

    def fastest(self, db, followers, listed):
        some, some_path = min(followers, TRIED), listed + "-some"
        with open(listed) as all, open(some_path, "w") as file:
            file.writelines(line for _, line in zip(range(some + 1), all))
        took = {size: self.bulk(db, some_path, size)["first"] for size in SIZES if size <= some or size == SIZES[0]}
        self.batch[db] = min(took, key=took.get)
        return self.batch[db]

    def bulk(self, db, listed, size):
        database = self.scene.fresh(db)
        ran = run(python("upsert.py", listed, size), {"SYNC_DATABASE": database}, self.args.work, self.limit)
        self.scene.drop(database)
        return json.loads(ran.stdout)

    def client(self, round, followers, db, who):
        database = self.scene.fresh(db)
        with Sandbox(self.scene, followers, self.args.latency) as sandbox:
            before = {}
            for case in ("first", "again") if who == "wxops" else ("first",):
                if who == "wxops":
                    ran = self.sync(sandbox, database)
                else:
                    environment = sandbox.environment(database, self.args.concurrency)
                    ran = run(python(SCRIPTS[who]), environment, self.args.work, self.limit)
                made = sandbox.calls()
                calls = {path: count - before.get(path, 0) for path, count in made.items() if count != before.get(path)}
                before, wrong = made, off(calls, needed(followers, who, case))
                if wrong:
                    print(f"{who}, {case}: made {calls}, needed {needed(followers, who, case)}", file=sys.stderr)
                self.row(round=round, followers=followers, database=db, case=case, who=who, calls=sum(calls.values()),
                         calls_off=wrong, **told(ran, followers, database))
        self.scene.drop(database)

    def sync(self, sandbox, database):
        args = self.scene.configure(database, {**sandbox.account, "api_base": sandbox.base})
        args += ["followers", "sync", "--concurrency", str(self.args.concurrency)]
        return run(args, {}, self.args.work, self.limit)

    def beside(self, round, followers, listed):
        """A serve on the same file, and callbacks from before the sync begins until it has ended."""
        database = self.scene.fresh("sqlite")
        with Sandbox(self.scene, followers, self.args.latency) as sandbox:
            account = {**sandbox.account, "api_base": sandbox.base}
            with Server([*self.scene.configure(database, account), "serve"], self.args.work) as serve:
                load = self.load(serve.address(), account, listed)
                time.sleep(0.3)
                ran = self.sync(sandbox, database)
                felt = json.loads(load.communicate(timeout=60)[0])
        stored = people.number(database, "SELECT COUNT(*) FROM inbox_event")
        self.row(round=round, followers=followers, database="sqlite", case="beside", who="wxops",
                 **told(ran, followers, database))
        milliseconds = {f"{name}_ms": f"{felt[name]:.2f}" for name in ("p50", "p99", "max")}
        # What failed may have been stored all the same.
        lost = max(0, felt["begun"] - felt["failed"] - stored) + max(0, stored - felt["begun"])
        self.row(round=round, followers=followers, database="sqlite", case="beside", who="callbacks", rows=stored,
                 rows_off=lost, failed=felt["failed"], seconds=f"{felt['begun'] / RATE:.3f}", **milliseconds)
        self.scene.drop(database)

    def load(self, address, account, listed):
        environment = {"SYNC_TOKEN": account["token"], "SYNC_ORIGINAL_ID": account["original_id"]}
        return start(python("callbacks.py", address, listed, RATE), environment, self.args.work,
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(ran, followers, database):
    """The cells of a run that was to leave a row for everyone."""
    rows = people.number(database, "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1")
    return {"seconds": f"{ran.seconds:.3f}", "cpu_s": f"{ran.cpu_s:.3f}", "peak_mib": f"{ran.peak_mib:.1f}",
            "rows": rows, "rows_off": abs(rows - followers)}


def conditions(args):
    def said(path, name):
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name)), "?")

    memory = float(said("/proc/meminfo", "MemTotal").removesuffix(" kB")) / 2**20
    cores = len(os.sched_getaffinity(0))
    version = subprocess.run([args.wxops, "--version"], capture_output=True, text=True, check=True).stdout
    some = [size for size in args.followers if size < MANY]
    rounds = f"the median of {args.rounds} interleaved rounds" if some else "one round"
    if some and len(some) < len(args.followers):
        rounds += f", one at {MANY} and more"
    yield "verb", "sync"
    yield "load", f"at most {args.concurrency} calls at once, each answered after {args.latency}; {rounds}"
    yield "latency_ms", args.latency_ms
    yield "concurrency", args.concurrency
    yield "machine", f"{said('/proc/cpuinfo', 'model name')}, {memory:.0f} GiB, Linux {platform.release()}"
    yield "cores", cores
    yield "cpus", f"{'one CPU' if cores == 1 else f'{cores} cores'}, shared by the client, the database and the stand-in platform"
    yield "wxops", version.strip().removeprefix("wxops ")
    yield "taken", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    if args.db != "sqlite":
        yield "database", os.environ.get("WXOPS_BENCH_DATABASE_VERSION", "a MariaDB")


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open(args.out, "w") as kept:
        for name, value in conditions(args):
            print(f"# {name}: {value}", file=kept)
        print("\t".join(COLUMNS), file=kept, flush=True)
        try:
            Bench(args, kept).measure()
        finally:
            stop_all()


main()
