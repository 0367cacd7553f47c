"""A pool of connections a process."""

import os
from urllib.parse import urlsplit

import aiomysql

INSERT = """INSERT IGNORE INTO inbox_event (dedupe_key, openid, kind, raw, event_time)
    VALUES (%(key)s, %(openid)s, %(kind)s, %(raw)s, %(time)s)"""
CHANGE = """INSERT INTO user_mapping (openid, is_followed, qr_scene, changed_at)
    VALUES (%(openid)s, %(follows)s, %(scene)s, %(time)s)
    ON DUPLICATE KEY UPDATE
      is_followed = IF(VALUES(changed_at) >= changed_at, VALUES(is_followed), is_followed),
      qr_scene = IF(VALUES(changed_at) >= changed_at, COALESCE(VALUES(qr_scene), qr_scene), qr_scene),
      changed_at = GREATEST(VALUES(changed_at), changed_at)"""

pool = None


async def open():
    global pool
    url = urlsplit(os.environ["RACE_MARIADB"])
    size = int(os.environ.get("RACE_CONNECTIONS", 16))
    pool = await aiomysql.create_pool(
        host=url.hostname, port=url.port, user=url.username, password=url.password or "", db=url.path[1:],
        charset="utf8mb4", autocommit=True, minsize=1, maxsize=size,
    )


async def store(event):
    follows = event["kind"] == "event.subscribe"
    async with pool.acquire() as connection, connection.cursor() as cursor:
        # One statement is a transaction of its own.
        if not follows and event["kind"] != "event.unsubscribe":
            await cursor.execute(INSERT, event)
            return
        await connection.begin()
        try:
            if await cursor.execute(INSERT, event):
                await cursor.execute(CHANGE, {**event, "follows": follows})
            await connection.commit()
        except BaseException:
            await connection.rollback()
            raise
