"""`callbacks.py HOST:PORT PEOPLE RATE`: so many pushes a second until stdin ends, then what was felt, as JSON.

Each push counts from the moment it was due, so that a slow answer does not hide those behind it. Of five, four are
messages and one is somebody's subscribe; all are of people on the list.
"""

import asyncio
import hashlib
import json
import os
import sys
import time

PATIENCE = 30.0


class Load:
    def __init__(self, address, openids):
        self.host, self.port = address.rsplit(":", 1)
        self.openids, self.token = openids, os.environ["SYNC_TOKEN"]
        self.original_id = os.environ["SYNC_ORIGINAL_ID"]
        self.idle, self.took, self.failed, self.begun = [], [], 0, 0

    def request(self, number):
        now = int(time.time())
        openid = self.openids[number * 7919 % len(self.openids)]
        what = "<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>"
        if number % 5:
            what = f"<MsgType>text</MsgType><Content>hello {number}</Content><MsgId>{number + 1}</MsgId>"
        body = (f"<xml><ToUserName>{self.original_id}</ToUserName><FromUserName>{openid}</FromUserName>"
                f"<CreateTime>{now}</CreateTime>{what}</xml>").encode()
        parts = sorted((self.token, str(now), str(number)))
        sign = hashlib.sha1("".join(parts).encode()).hexdigest()
        target = f"/wechat/event?signature={sign}&timestamp={now}&nonce={number}&openid={openid}"
        return (f"POST {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    async def push(self, number, due):
        try:
            await asyncio.wait_for(self.exchange(self.request(number)), PATIENCE)
            self.took.append((time.perf_counter() - due) * 1000)
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            self.failed += 1

    async def exchange(self, request):
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, int(self.port))
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        lengths = [int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:")]
        await reader.readexactly(lengths[0] if lengths else 0)
        if b" 200 " not in head[0] + b" ":
            raise ValueError(head[0])
        self.idle.append((reader, writer))

    async def run(self, rate):
        end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        start, tasks = time.perf_counter(), set()
        while not end.done():
            due = start + self.begun / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self.push(self.begun, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            self.begun += 1
        if tasks:
            await asyncio.wait(tasks)
        for _, writer in self.idle:
            writer.close()


def main():
    with open(sys.argv[2]) as file:
        file.readline()
        load = Load(sys.argv[1], file.read().split())
    asyncio.run(load.run(float(sys.argv[3])))
    took = sorted(load.took) or [float("nan")]
    at = lambda part: took[min(len(took) - 1, int(len(took) * part))]
    print(json.dumps({"begun": load.begun, "failed": load.failed, "p50": at(0.5), "p99": at(0.99), "max": took[-1]}))


main()
