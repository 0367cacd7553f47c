"""How fast a database takes these rows from one client: `upsert.py PEOPLE ROWS` in PEOPLE's order, ROWS a transaction.

Everything is made before the clock starts: tuples for SQLite, statements of many rows for MariaDB. Twice: all are new,
all are known. Prints the seconds of both.
"""

import gc
import json
import os
import sys
import time

import people


def transactions(database, openids, told, size, now):
    chunks = (openids[at:at + size] for at in range(0, len(openids), size))
    # In the order of the index within a transaction, as a bulk load should be.
    chunks = [[people.row(database, openid, told[at % len(told)], now) for at, openid in enumerate(sorted(chunk))]
              for chunk in chunks]
    if people.is_sqlite(database):
        return chunks
    head, tail = people.upsert(database).split("VALUES (", 1)
    tail = tail[tail.index(")") + 1:]
    connection = people.connect(database)
    made = [head + "VALUES " + ",".join(connection.literal(row) for row in chunk) + tail for chunk in chunks]
    connection.close()
    return made


def timed(database, made):
    db, sql = people.connect(database, durable=False), people.upsert(database)
    gc.disable()
    cursor, start = db.cursor(), time.perf_counter()
    for rows in made:
        people.begin(db)
        if people.is_sqlite(database):
            cursor.executemany(sql, rows)
        else:
            cursor.execute(rows)
        db.commit()
    took = time.perf_counter() - start
    gc.enable()
    db.close()
    return took


def main():
    database, size = os.environ["SYNC_DATABASE"], int(sys.argv[2])
    with open(sys.argv[1]) as file:
        told = json.loads(file.readline())
        openids = file.read().split()
    seconds = {}
    for case, age in (("first", 60), ("again", 0)):
        made = transactions(database, openids, told, size, people.stamp(database, time.time() - age))
        seconds[case] = timed(database, made)
        del made
    print(json.dumps(seconds))


main()
