"""A callback written with wechatpy: checks, opens and parses what comes in, and tells it as one JSON object a line.

Arguments: TOKEN AES_KEY APPID. The first line says where it listens. Text messages get a reply, sealed where the
message was; everything else gets `success`.
"""

import json
import sys
import time
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply
from wechatpy.utils import check_signature

TOKEN, AES_KEY, APPID = sys.argv[1:4]
CRYPTO = WeChatCrypto(TOKEN, AES_KEY, APPID)


def tell(told):
    """In one write: several threads tell."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def leaves(xml):
    """Every element without children, in order, but for Encrypt."""
    return [[e.tag, e.text or ""] for e in ElementTree.fromstring(xml).iter() if not len(e) and e.tag != "Encrypt"]


def opened(query, body):
    """The clear message and the mode it came in; an exception says what is wrong with it."""
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    if query.get("encrypt_type") != "aes":
        return body, "plain"
    clear = CRYPTO.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    clear = clear.decode() if isinstance(clear, bytes) else clear
    if "<MsgType>" not in body:
        return clear, "secure"
    if leaves(body) != leaves(clear):
        raise ValueError("the clear half differs from the sealed half")
    return clear, "compat"


def answer(message, mode, query):
    if message.type != "text":
        return "success"
    reply = TextReply(content="收到 <&> ]]", message=message).render()
    return reply if mode == "plain" else CRYPTO.encrypt_message(reply, query["nonce"], query["timestamp"])


class Callback(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        try:
            clear, mode = opened(query, body)
            message = parse_message(clear)
            told = {
                "mode": mode,
                "class": type(message).__name__,
                "type": message.type,
                "event": getattr(message, "event", None),
                "source": message.source,
                "target": message.target,
                "age": abs(time.time() - message.time),
                "content": getattr(message, "content", None),
                "fields": leaves(clear),
            }
            status, text = 200, answer(message, mode, query)
        except Exception as error:  # whatever it is, the story tells it
            told, status, text = {"error": repr(error), "body": body}, 500, ""
        tell(told)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    tell({"port": server.server_port})
    server.serve_forever()
