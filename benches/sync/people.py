"""The table as all clients of this bench write it: the columns that a sync fills, and one upsert for each database."""

import sqlite3
import time
from urllib.parse import urlsplit

COLUMNS = ("account", "openid", "is_followed", "unionid", "nickname", "avatar_url", "sex", "city", "province", "country",
           "language", "subscribe_scene", "remark", "follow_time", "created_at", "updated_at")
CHANGED = COLUMNS[2:14] + COLUMNS[15:]
# Of what user/info/batchget tells, in the order of the columns from unionid to remark.
TOLD = ("unionid", "nickname", "headimgurl", "sex", "city", "province", "country", "language", "subscribe_scene", "remark")
ACCOUNT = "main"


def is_sqlite(url):
    return url.startswith("sqlite:")


def upsert(url):
    """The statement for one row, or for executemany."""
    names, place = ", ".join(COLUMNS), "?" if is_sqlite(url) else "%s"
    insert = f"INSERT INTO user_mapping ({names}) VALUES ({', '.join([place] * len(COLUMNS))})"
    if is_sqlite(url):
        change = ", ".join(f"{name} = excluded.{name}" for name in CHANGED)
        return f"{insert} ON CONFLICT (account, openid) DO UPDATE SET {change}"
    change = ", ".join(f"{name} = VALUES({name})" for name in CHANGED)
    return f"{insert} ON DUPLICATE KEY UPDATE {change}"


def stamp(url, seconds):
    """A time as the table has it, UTC."""
    form = "%Y-%m-%dT%H:%M:%S.000Z" if is_sqlite(url) else "%Y-%m-%d %H:%M:%S.000"
    return time.strftime(form, time.gmtime(seconds))


def row(url, openid, told, now):
    """A row from what the platform tells of a person; `now` as the table has it."""
    told_of = (told.get(name) or None for name in TOLD)
    return (ACCOUNT, openid, 1, *told_of, stamp(url, told["subscribe_time"]), now, now)


def connect(url, durable=True):
    """A connection in manual transactions. Without `durable`: what the sync's own connection has in SQLite, a log that
    a crash of the machine may shorten."""
    if is_sqlite(url):
        db = sqlite3.connect(url.removeprefix("sqlite://"), timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        db.execute("PRAGMA cache_size = -16384")
        db.execute("PRAGMA secure_delete = ON")
        return db
    import pymysql
    parts = urlsplit(url)
    return pymysql.connect(host=parts.hostname, port=parts.port, user=parts.username, password=parts.password or "",
                           database=parts.path[1:] or None, charset="utf8mb4", autocommit=False, connect_timeout=10)


def begin(db):
    # PyMySQL begins by itself.
    if isinstance(db, sqlite3.Connection):
        db.execute("BEGIN IMMEDIATE")


def number(url, sql):
    """The one number that a query tells."""
    db = connect(url)
    try:
        cursor = db.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]
    finally:
        db.close()
