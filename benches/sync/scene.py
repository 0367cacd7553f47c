"""What is measured and what it needs: processes with a limit on their time, the stand-in platform, fresh databases."""

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from urllib.parse import urlsplit

import people

HERE = os.path.dirname(os.path.abspath(__file__))
READY = 30
Ran = namedtuple("Ran", "seconds cpu_s peak_mib stdout")
running = []
libc = ctypes.CDLL(None)
SET_PARENT_DEATH_SIGNAL = 1


def die_with_us():
    libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def fail(what):
    sys.exit(f"scripts/bench sync: {what}")


def start(args, env, cwd, **pipes):
    # Nothing of our own environment tells it what to do.
    env = {"PATH": os.environ["PATH"], "HOME": cwd, "LANG": "C.UTF-8", **env}
    # Also where we are killed: nothing of a measurement outlives it.
    child = subprocess.Popen(args, env=env, cwd=cwd, preexec_fn=die_with_us, **pipes)
    running.append(child)
    return child


def stop_all():
    for child in running:
        if child.returncode is None:
            child.kill()
            child.wait()


def run(args, env, cwd, limit):
    """Runs to its end: how long it took as a whole, what of CPU and memory, what it printed. Only the program's own
    peak counts as long as ours is smaller: a child begins in its parent's pages."""
    begun = time.perf_counter()
    with open(os.path.join(cwd, "stdout"), "w+") as out, open(os.path.join(cwd, "stderr"), "w+") as err:
        child = start(args, env, cwd, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        watch = threading.Timer(limit, child.kill)
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - begun
        watch.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = [stream.seek(0) or stream.read() for stream in (out, err)]
    if child.returncode != 0:
        fail(f"{os.path.basename(args[2] if args[0] == sys.executable else args[0])} ended with {child.returncode} "
             f"after {took:.1f} of at most {limit} s: {args}\n{texts[1][-2000:]}")
    return Ran(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, texts[0])


def python(script, *args):
    return [sys.executable, "-B", os.path.join(HERE, script), *map(str, args)]


class Server:
    """A wxops that listens, until the block ends."""

    def __init__(self, args, cwd):
        self.log = os.path.join(cwd, f"{args[-1]}-{len(running)}.log")
        with open(self.log, "w") as log:
            self.child = start(args, {}, cwd, stderr=log, stdout=log, stdin=subprocess.DEVNULL)

    def address(self):
        end = time.monotonic() + READY
        while time.monotonic() < end and self.child.poll() is None:
            with open(self.log) as log:
                found = re.search(r"listening on http://([0-9.:]+)", log.read())
            if found:
                return found[1]
            time.sleep(0.01)
        with open(self.log) as log:
            fail(f"{self.child.args} does not listen\n{log.read()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(READY)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Sandbox(Server):
    """The stand-in platform, new for each measurement: its counts begin at nothing, no quota is spent."""

    def __init__(self, scene, followers, latency):
        args = [scene.wxops, "sandbox", "run", "--listen", "127.0.0.1:0", "--latency", latency, "--followers"]
        super().__init__([*args, str(followers)], scene.work)
        self.base = "http://" + self.address()
        self.account = next(one for one in self.ask("/sandbox/accounts") if one["name"] == people.ACCOUNT)

    def ask(self, path):
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=READY)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    def calls(self):
        """Calls by path that were answered well; others under their path and errcode."""
        made = {}
        for path, codes in self.ask("/sandbox/state")["requests"]["by_path"].items():
            for code, count in codes.items():
                made[path if code == "0" else f"{path} {code}"] = count
        return made

    def environment(self, database, concurrency):
        return {"SYNC_API_BASE": self.base, "SYNC_APP_ID": self.account["app_id"], "SYNC_DATABASE": database,
                "SYNC_SECRET": self.account["secret"], "SYNC_CONCURRENCY": str(concurrency)}


class Scene:
    """The program, the folder of this bench, and its databases."""

    def __init__(self, wxops, work, mariadb):
        self.wxops, self.work, self.mariadb, self.made = wxops, work, mariadb, 0

    def configure(self, database, account=None):
        """A configuration; of an account that stands nowhere where only the tables are wanted."""
        path = os.path.join(self.work, "wxops.toml")
        account = account or {"app_id": "wx0000000000000001", "secret": "none", "token": "bench", "api_base": "http://127.0.0.1:9"}
        lines = [f'database_url = "{database}"', 'listen = "127.0.0.1:0"', 'metrics_listen = "127.0.0.1:0"',
                 f"[official.{people.ACCOUNT}]", 'mode = "plain"']
        names = ("app_id", "secret", "token", "original_id", "api_base")
        lines += [f'{name} = "{account[name]}"' for name in names if name in account]
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        return [self.wxops, "--config", path, "--json"]

    def fresh(self, db):
        """The address of a new database with wxops's tables."""
        self.made += 1
        if db == "sqlite":
            database = f"sqlite://{self.work}/sync-{self.made}.db"
        else:
            database = f"{self.mariadb}/wxops_sync_{os.getpid()}_{self.made}"
            self.on_server(f"CREATE DATABASE {urlsplit(database).path[1:]}")
        run([*self.configure(database), "db", "migrate"], {}, self.work, 120)
        return database

    def drop(self, database):
        if people.is_sqlite(database):
            for tail in ("", "-wal", "-shm"):
                path = database.removeprefix("sqlite://") + tail
                if os.path.exists(path):
                    os.remove(path)
        else:
            self.on_server(f"DROP DATABASE {urlsplit(database).path[1:]}")

    def on_server(self, sql):
        db = people.connect(self.mariadb)
        db.cursor().execute(sql)
        db.close()
