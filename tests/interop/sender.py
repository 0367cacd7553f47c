"""Seals messages with wechatpy as the platform would and POSTs them; one JSON object a message says what came back.

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
from wechatpy.utils import WeChatSigner, random_string

TOKEN, AES_KEY, APPID, URL = sys.argv[1:5]
CRYPTO = WeChatCrypto(TOKEN, AES_KEY, APPID)


def signature(*parts):
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


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
            print(json.dumps({"status": answer.status, "body": answer.read().decode()}))
    except urllib.error.HTTPError as error:
        print(json.dumps({"status": error.code, "body": ""}))
