"""Seals messages with wechatpy as the platform would and POSTs them; one JSON object a message says what came back,
and what the reply in it says.

Arguments: TOKEN AES_KEY APPID URL. stdin: a JSON string a line, the clear message.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import deserialize_reply
from wechatpy.utils import WeChatSigner, random_string

TOKEN, AES_KEY, APPID, URL = sys.argv[1:5]
CRYPTO = WeChatCrypto(TOKEN, AES_KEY, APPID)


def signature(*parts):
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def read(body):
    """The sealed reply as wechatpy opens and parses it; None where there is none."""
    if not body:
        return None
    sealed = xmltodict.parse(body)["xml"]
    clear = CRYPTO.decrypt_message(body, sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"])
    fields = xmltodict.parse(clear)["xml"]
    if fields["MsgType"] == "news":
        # wechatpy reads a list of articles, but not one alone, which is all that is allowed today.
        told = {"type": "news", "source": fields["FromUserName"], "target": fields["ToUserName"]}
        return told | {"time": int(fields["CreateTime"]), "content": dict(fields["Articles"]["item"])}
    reply = deserialize_reply(clear)
    told = {"type": reply.type, "source": reply.source, "target": reply.target, "time": reply.time}
    return told | {"content": reply.content if reply.type == "text" else reply.image}


for line in sys.stdin:
    nonce, timestamp = random_string(), str(int(time.time()))
    sealed = xmltodict.parse(CRYPTO.encrypt_message(json.loads(line), nonce, timestamp))["xml"]
    query = {
        "signature": signature(TOKEN, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": sealed["MsgSignature"],
    }
    body = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt></xml>"
    request = urllib.request.Request(
        URL + "?" + urlencode(query), (body % sealed["Encrypt"]).encode(), {"Content-Type": "text/xml"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            body = answer.read().decode()
            print(json.dumps({"status": answer.status, "body": body, "reply": read(body)}))
    except urllib.error.HTTPError as error:
        print(json.dumps({"status": error.code, "body": ""}))
