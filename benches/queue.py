"""scripts/bench queue: how fast the notification queue is drained, what its trigger costs a registration, and how soon a
message goes out. Prints a table a database, with the bar beside each figure.

drain: 10,000 rows over 1,000 recipients, 16 messages at once, the sandbox 50 ms away, beside 10,000 x 50 ms / 16.
trigger: single registrations, with and without the trigger by turns, each its own transaction: p99, and how many a second.
start: a drain that finds nothing due, on an empty queue and behind 1,000,000 finished rows, by turns.
daemon: from the commit of a registration to the sandbox's receipt.
"""

import json, os, random, re, signal, sqlite3, statistics, subprocess, sys, time, urllib.request

WXOPS, WORK, URLS, CHECK = sys.argv[1], sys.argv[2], sys.argv[3].split(","), "--check" in sys.argv[4:]
QUICK = "--quick" in sys.argv[4:]
ROWS, PEOPLE, AT_ONCE, LATENCY = (600, 100, 16, 50) if QUICK else (10_000, 1_000, 16, 50)
TURNS, EACH = (2, 100) if QUICK else (8, 500)
FINISHED, STARTS, SOON = (20_000, 5, 20) if QUICK else (1_000_000, 15, 200)
MEMBER = ("INSERT INTO members (member_no, nickname, wechat, phone, type, gender, status, remaining_matches, created_at, "
          "updated_at) VALUES ({0}, 'bench', {0}, '13800138000', 'NORMAL', 'male', 'ACTIVE', 1, '2026-11-28 10:00:00', "
          "'2026-11-28 10:00:00')")
below = []
children = []


class Database:
    """The CRM's own connection."""

    def __init__(self, url):
        self.url, self.mysql = url, url.startswith("mysql")
        if self.mysql:
            import pymysql
            host, port, name = re.match(r"mysql://root@([^:]+):(\d+)/(\w+)", url).groups()
            admin = pymysql.connect(host=host, port=int(port), user="root", autocommit=True)
            admin.cursor().execute(f"DROP DATABASE IF EXISTS {name}")
            admin.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            admin.close()
            self.db = pymysql.connect(host=host, port=int(port), user="root", database=name, autocommit=True)
            self.place = "%s"
        else:
            for end in ("", "-wal", "-shm"):
                if os.path.exists(url.removeprefix("sqlite://") + end):
                    os.remove(url.removeprefix("sqlite://") + end)
            self.place = "?"

    def open(self):
        if not self.mysql:
            self.db = sqlite3.connect(self.url.removeprefix("sqlite://"), isolation_level=None, timeout=30)
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")

    def run(self, sql, args=()):
        cursor = self.db.cursor()
        cursor.execute(sql, args)
        return cursor.fetchall()

    def many(self, sql, rows):
        cursor = self.db.cursor()
        self.run("BEGIN")
        cursor.executemany(sql, rows)
        self.run("COMMIT")

    def register(self, number, person):
        self.run(MEMBER.format(self.place), (f"B{number}", person))


def start(args, **more):
    child = subprocess.Popen([WXOPS, *args], cwd=WORK, stdout=subprocess.DEVNULL, **more)
    children.append(child)
    return child


def stop(child):
    child.send_signal(signal.SIGTERM)
    child.wait()


def sandbox(latency):
    log = os.path.join(WORK, "sandbox.log")
    with open(log, "w") as out:
        child = subprocess.Popen([WXOPS, "sandbox", "run", "--listen", "127.0.0.1:0", "--latency", f"{latency}ms"],
                                 cwd=WORK, stdout=out, stderr=out)
    children.append(child)
    for _ in range(200):
        text = open(log).read()
        if "/sandbox/state" in text:
            break
        time.sleep(0.05)
    base = re.search(r"listening on (http://\S+)", text).group(1)
    app = dict(re.findall(r"^\s+(corp_id|agent_id|secret) = \"?([^\"\n]+)\"?$", text.split("[wecom.wecom]")[1], re.M)[:3])
    return child, base, app


def configure(url, base, app):
    path = os.path.join(WORK, "queue.toml")
    lines = [f'database_url = "{url}"', "[wecom.crm]", f'corp_id = "{app["corp_id"]}"', f'agent_id = {app["agent_id"]}',
             f'secret = "{app["secret"]}"', f'api_base = "{base}"', 'to_user = "nobody"', "[[queue.rule]]",
             'to_column = "wechat"']
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def verb(config, *args):
    begun = time.perf_counter()
    done = subprocess.run([WXOPS, "--config", config, *args], cwd=WORK, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"wxops {' '.join(args)} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - begun, done.stdout


def told(name, figure, bar, unit="", at_least=False):
    good = figure >= bar if at_least else figure <= bar
    sign = ">=" if at_least else "<="
    print(f"  {name:64} {figure:9.3f} {unit:3} {sign} {bar:g}{'' if good else '   BELOW THE BAR'}", flush=True)
    if not good:
        below.append(name)


def drain(db, config, base):
    rows = [(f"D{at}", f"p{at % PEOPLE}") for at in range(ROWS)]
    random.Random(1).shuffle(rows)
    db.many(MEMBER.replace("{0}, 'bench', {0}", f"{db.place}, 'bench', {db.place}"), rows)
    took, _ = verb(config, "queue", "drain", "--batch", "64", "--concurrency", str(AT_ONCE))
    sent = db.run("SELECT COUNT(*) FROM member_notification_queue WHERE status = 'sent'")[0][0]
    state = json.load(urllib.request.urlopen(base + "/sandbox/state"))["wecom"]
    if sent != ROWS or state["received"] != ROWS or state["dropped"] or state["suppressed"]:
        sys.exit(f"{sent} of {ROWS} rows are sent: {state['received']} received, {state['dropped']} dropped")
    floor = ROWS * LATENCY / 1000 / AT_ONCE
    told(f"drain of {ROWS} rows over {PEOPLE} people: {took:.1f} s of {floor:.1f} s", took / floor, 1.11)


def trigger(db):
    sql = db.run("SELECT sql FROM sqlite_master WHERE name = 'tr_member_insert_notification'") if not db.mysql else \
        [row[2:3] for row in db.run("SHOW CREATE TRIGGER tr_member_insert_notification")]
    make, times, rates = sql[0][0], {True: [], False: []}, {True: [], False: []}
    for turn in range(2 * TURNS):
        with_it = turn % 2 == 0
        db.run("DROP TRIGGER IF EXISTS tr_member_insert_notification")
        if with_it:
            db.run(make)
        db.register(f"W{turn}", "p0")
        begun = time.perf_counter()
        for at in range(EACH):
            one = time.perf_counter()
            db.register(f"T{turn}-{at}", "p0")
            times[with_it].append(time.perf_counter() - one)
        rates[with_it].append(EACH / (time.perf_counter() - begun))
    p99 = {key: sorted(all)[int(len(all) * 0.99)] * 1000 for key, all in times.items()}
    rate = {key: statistics.median(all) for key, all in rates.items()}
    told(f"registration, p99: {p99[True]:.2f} ms with the trigger, {p99[False]:.2f} ms without", p99[True] / p99[False], 1.5)
    told(f"registrations a second: {rate[True]:.0f} with, {rate[False]:.0f} without", rate[True] / rate[False], 0.6,
         at_least=True)
    db.run("UPDATE member_notification_queue SET status = 'cancelled' WHERE status = 'pending'")
    if not db.run("SELECT 1 FROM sqlite_master WHERE type = 'trigger'" if not db.mysql else "SHOW TRIGGERS"):
        db.run(make)


def starts(db, config):
    empty = [verb(config, "-q", "queue", "drain")[0] for _ in range(STARTS)]
    now = "'2026-11-01T10:00:00.000Z', '2026-11-01T10:00:00.000Z', '2026-11-01T10:00:01.000Z'"
    due = "1793527200000"
    if db.mysql:
        now, due = "'2026-11-01 10:00:00', '2026-11-01 10:00:00', '2026-11-01 10:00:01'", "'2026-11-01 10:00:00'"
    row = f"'{{}}', 'sent', 1, {due}, {now})"
    columns = "(member_id, dedupe_key, payload, status, attempts, available_at, created_at, updated_at, processed_at)"
    for begin in range(0, FINISHED, 5_000):
        values = ", ".join(f"({at}, 'finished:{at}', {row}" for at in range(begin, begin + 5_000))
        db.run(f"INSERT INTO member_notification_queue {columns} VALUES {values}")
    if not db.mysql:
        db.run("PRAGMA wal_checkpoint(TRUNCATE)")
    full = [verb(config, "-q", "queue", "drain")[0] for _ in range(STARTS)]
    empty, full = statistics.median(empty) * 1000, statistics.median(full) * 1000
    told(f"a pass that finds nothing: {full:.0f} ms behind {FINISHED} finished rows, {empty:.0f} ms before them", full / empty, 1.15)


def daemon(db, config, base):
    going = start(["--config", config, "queue", "drain", "--daemon"], stderr=subprocess.DEVNULL)
    time.sleep(1.5)
    after = json.load(urllib.request.urlopen(base + "/sandbox/state"))["wecom"]["received"]
    committed = {}
    for at in range(SOON):
        db.register(f"S{at}x", f"soon{at}")
        committed[f"soon{at}"] = time.time()
        time.sleep(random.Random(at).uniform(0.01, 0.12))
    for _ in range(200):
        if json.load(urllib.request.urlopen(base + "/sandbox/state"))["wecom"]["received"] >= after + SOON:
            break
        time.sleep(0.1)
    lines = urllib.request.urlopen(base + "/sandbox/wecom/messages").read().decode().splitlines()
    arrived = {message["userid"]: message["at_ms"] / 1000 for message in map(json.loads, lines)}
    waits = sorted(arrived[person] - at for person, at in committed.items())
    stop(going)
    told(f"daemon: from commit to receipt, p50 {waits[len(waits) // 2]:.2f} s, p99", waits[int(len(waits) * 0.99)], 1.0, "s")


def main():
    try:
        for url in URLS:
            db = Database(url)
            child, base, app = sandbox(LATENCY)
            config = configure(url, base, app)
            verb(config, "db", "migrate")
            verb(config, "queue", "install", "--demo", "--yes")
            db.open()
            print(f"{'MariaDB' if db.mysql else 'SQLite'}, {os.cpu_count()} CPUs shared by drain, database, stand-in platform and registrations")
            drain(db, config, base)
            trigger(db)
            daemon(db, config, base)
            starts(db, config)
            stop(child)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
    sys.exit(1 if CHECK and below else 0)


main()
