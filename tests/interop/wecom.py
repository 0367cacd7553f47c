"""The other side of WeCom's crypto, by wechatpy's module for it, in both directions; one JSON object a line.

Arguments: TOKEN AES_KEY CORPID URL to send: a URL check first, then each line of stdin, a JSON string, as a message.
Arguments: TOKEN AES_KEY CORPID alone to listen: the first line says where, then each push is opened and told.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import xmltodict
from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.utils import random_string

TOKEN, AES_KEY, CORPID = sys.argv[1:4]
CRYPTO = WeChatCrypto(TOKEN, AES_KEY, CORPID)


def tell(told):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def sealed(text):
    """The Encrypt of a text and the query that proves it."""
    nonce, timestamp = random_string(), str(int(time.time()))
    told = xmltodict.parse(CRYPTO.encrypt_message(text, nonce, timestamp))["xml"]
    return told["Encrypt"], {"msg_signature": told["MsgSignature"], "timestamp": timestamp, "nonce": nonce}


def ask(url, body=None):
    request = urllib.request.Request(url, body, {"Content-Type": "text/xml"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode()}


def send(url):
    echostr, query = sealed("1616140317555161061")
    tell(ask(url + "?" + urlencode(query | {"echostr": echostr})))
    for line in sys.stdin:
        encrypt, query = sealed(json.loads(line))
        body = "<xml><ToUserName><![CDATA[%s]]></ToUserName><AgentID>1000002</AgentID><Encrypt><![CDATA[%s]]></Encrypt></xml>"
        tell(ask(url + "?" + urlencode(query), (body % (CORPID, encrypt)).encode()))


class Callback(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        try:
            clear = CRYPTO.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
            message = parse_message(clear)
            told, status = {"type": message.type, "source": message.source, "agent": getattr(message, "agent", None)}, 200
        except Exception as error:  # whatever it is, the story tells it
            told, status = {"error": repr(error), "body": body}, 500
        tell(told)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if len(sys.argv) > 4:
    send(sys.argv[4])
else:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    tell({"port": server.server_port})
    server.serve_forever()
