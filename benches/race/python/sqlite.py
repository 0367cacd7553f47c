"""One connection a process. The commit takes less time than a hop to a thread would."""

import os
import sqlite3

INSERT = """INSERT OR IGNORE INTO inbox_event (dedupe_key, openid, kind, raw, event_time)
    VALUES (:key, :openid, :kind, :raw, :time)"""
FOLLOW = """INSERT INTO user_mapping (openid, is_followed, qr_scene, changed_at) VALUES (:openid, 1, :scene, :time)
    ON CONFLICT (openid) DO UPDATE SET is_followed = 1, qr_scene = excluded.qr_scene, changed_at = excluded.changed_at
    WHERE excluded.changed_at >= user_mapping.changed_at"""
LEAVE = """INSERT INTO user_mapping (openid, is_followed, changed_at) VALUES (:openid, 0, :time)
    ON CONFLICT (openid) DO UPDATE SET is_followed = 0, changed_at = excluded.changed_at
    WHERE excluded.changed_at >= user_mapping.changed_at"""

db = None


async def open():
    global db
    db = sqlite3.connect(os.environ["RACE_SQLITE"], timeout=5, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")


async def store(event):
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute(INSERT, event).rowcount:
            if event["kind"] == "event.subscribe":
                db.execute(FOLLOW, event)
            elif event["kind"] == "event.unsubscribe":
                db.execute(LEAVE, event)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
