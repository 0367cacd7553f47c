"""A client on asyncio: so many calls at once, each batch of 100 written by executemany in a thread."""

import asyncio
import os
import time

import aiohttp

import people
import platform_api


def store(db, sql, database, told):
    now = people.stamp(database, time.time())
    people.begin(db)
    db.cursor().executemany(sql, [people.row(database, person["openid"], person, now) for person in told])
    db.commit()


async def call(session, path, order=None):
    async with session.request("GET" if order is None else "POST", path, json=order) as answer:
        return platform_api.well(await answer.json(content_type=None))


async def lists(session, token, batches):
    after = ""
    while True:
        page = await call(session, platform_api.list_path(token, after))
        openids = page.get("data", {}).get("openid", [])
        if not openids:
            return
        for some in platform_api.batches(openids):
            await batches.put(some)
        after = page["next_openid"]


async def works(session, token, batches, writes):
    while (openids := await batches.get()) is not None:
        told = await call(session, platform_api.batch_path(token), platform_api.batch_order(openids))
        await writes(told["user_info_list"])


async def main():
    base, app_id, secret, database = platform_api.from_environment()
    at_once = int(os.environ["SYNC_CONCURRENCY"])
    db, sql, turn, batches = people.connect(database), people.upsert(database), asyncio.Lock(), asyncio.Queue(200)

    async def writes(told):
        async with turn:
            await asyncio.to_thread(store, db, sql, database, told)

    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(limit=at_once)) as session:
        order = platform_api.token_order(app_id, secret)
        token = (await call(session, "/cgi-bin/stable_token", order))["access_token"]
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(works(session, token, batches, writes))
            await lists(session, token, batches)
            for _ in range(at_once):
                await batches.put(None)
    db.close()


asyncio.run(main())
