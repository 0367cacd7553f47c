"""scripts/bench near: how long `wxops locations near` takes with a million positions, the process's start included.

The positions go straight into a SQLite file: a tenth of them within 2 km of one place, the others over a country. A
`serve` copies them to Redis; then the verb is run, each time a new process, by Redis and by the database. Prints a table.
"""

import json, math, os, platform, random, signal, sqlite3, statistics, subprocess, sys, time

WXOPS, WORK, REDIS, COUNT, RUNS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
CITY = (23.13, 113.35)
PLACES = [("a city, 100,000 within 2 km", CITY, "2km"), ("the country, 2 km", (34.5, 108.9), "2km"),
          ("the country, 50 km", (34.5, 108.9), "50km")]
CHECK = "--check" in sys.argv[6:]
BAR_MS = 50.0


def configure(name, redis):
    path = os.path.join(WORK, name)
    lines = [f'database_url = "sqlite://{WORK}/near.db"', 'listen = "127.0.0.1:0"', 'metrics_listen = "127.0.0.1:0"']
    lines += [f'redis_url = "{REDIS}"'] if redis else []
    lines += ["[official.main]", 'app_id = "wx0000000000000001"', 'token = "bench"', 'mode = "plain"']
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def people():
    draw = random.Random(7)
    expires = int((time.time() + 30 * 86400) * 1000)
    for number in range(COUNT):
        if number % 10 == 0:
            angle, far = draw.uniform(0, 2 * math.pi), 2.0 * math.sqrt(draw.random()) / 111.2
            latitude = CITY[0] + far * math.cos(angle)
            longitude = CITY[1] + far * math.sin(angle) / math.cos(math.radians(CITY[0]))
        else:
            latitude, longitude = draw.uniform(21, 45), draw.uniform(85, 125)
        cell = math.floor((latitude + 90) * 20) * 7200 + math.floor((longitude + 180) * 20)
        yield ("main", f"oNEAR{number:023}", round(latitude, 6), round(longitude, 6), expires, cell, expires)


def near(config, place, radius):
    args = [WXOPS, "--config", config, "-vv", "--json", "locations", "near", f"{place[0]},{place[1]}", "--radius", radius]
    start = time.perf_counter()
    done = subprocess.run(args, capture_output=True, text=True, cwd=WORK, check=True)
    took = (time.perf_counter() - start) * 1000
    return took, [json.loads(line)["openid"] for line in done.stdout.splitlines()], "answered by Redis" in done.stderr


def main():
    redis, alone = configure("redis.toml", True), configure("alone.toml", False)
    subprocess.run([WXOPS, "--config", alone, "db", "migrate"], check=True, capture_output=True, cwd=WORK)
    with sqlite3.connect(os.path.join(WORK, "near.db")) as db:
        db.execute("INSERT OR IGNORE INTO account (name, platform, appid) VALUES ('main', 'official', 'wx0000000000000001')")
        db.executemany("INSERT INTO location (account, openid, latitude, longitude, at, expires_at, cell, tidy_at) "
                       "VALUES (?, ?, ?, ?, '2026-11-21T00:00:00.000Z', ?, ?, ?)", people())
    db.close()
    start = time.time()
    with open(os.path.join(WORK, "serve.log"), "w") as log:
        serve = subprocess.Popen([WXOPS, "--config", redis, "serve"], stderr=log, stdout=log, cwd=WORK)
    code = 0
    try:
        while not near(redis, (50, 50), "1km")[2]:
            if serve.poll() is not None or time.time() - start > 900:
                sys.exit("serve does not copy: see " + os.path.join(WORK, "serve.log"))
            time.sleep(0.5)
        print(f"{COUNT} positions, {RUNS} runs each, {os.cpu_count()} CPUs, {platform.machine()}, SQLite; milliseconds of")
        print(f"the whole process; copied to an empty Redis in {time.time() - start:.0f} s")
        print(f"{'place':32} {'by':10} {'p50':>8} {'p99':>8} {'found':>6}")
        for name, place, radius in PLACES:
            answers = set()
            for by, config in (("Redis", redis), ("database", alone)):
                runs = [near(config, place, radius) for _ in range(RUNS)]
                if any(by_redis != (by == "Redis") for _, _, by_redis in runs):
                    sys.exit(f"{name}: not answered by the {by}")
                times = sorted(took for took, _, _ in runs)
                p50, p99 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]
                answers.add(tuple(runs[0][1]))
                print(f"{name:32} {by:10} {p50:8.1f} {p99:8.1f} {len(runs[0][1]):6}")
                if by == "Redis" and p50 > BAR_MS:
                    print(f"below the bar: {p50:.1f} ms of at most {BAR_MS:.0f}")
                    code = 1
            if len(answers) != 1:
                sys.exit(f"{name}: Redis and the database name different people")
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()
    sys.exit(code if CHECK else 0)


main()
