"""The stand-in platform over one connection that is kept: what the clients that take turns use."""

import http.client
import json
import os
from urllib.parse import quote, urlsplit

BATCH = 100


def from_environment():
    """Base, appid, secret, database: never in an argument, where every process of the machine reads them."""
    return [os.environ[f"SYNC_{name}"] for name in ("API_BASE", "APP_ID", "SECRET", "DATABASE")]


def token_order(app_id, secret):
    return {"grant_type": "client_credential", "appid": app_id, "secret": secret}


def batch_order(openids):
    return {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in openids]}


def list_path(token, after):
    return f"/cgi-bin/user/get?access_token={quote(token)}&next_openid={quote(after)}"


def batch_path(token):
    return f"/cgi-bin/user/info/batchget?access_token={quote(token)}"


def well(answer):
    if answer.get("errcode"):
        raise SystemExit(f"the platform refuses: {answer}")
    return answer


def batches(openids):
    return [openids[at:at + BATCH] for at in range(0, len(openids), BATCH)]


class Api:
    def __init__(self, base, app_id, secret):
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self.token = self.call("/cgi-bin/stable_token", token_order(app_id, secret))["access_token"]

    def call(self, path, order=None):
        body = None if order is None else json.dumps(order)
        self.connection.request("GET" if body is None else "POST", path, body)
        return well(json.loads(self.connection.getresponse().read()))

    def pages(self):
        """The openids of each page, and the page behind the last one, which is empty."""
        after = ""
        while True:
            page = self.call(list_path(self.token, after))
            openids = page.get("data", {}).get("openid", [])
            if not openids:
                return
            yield openids
            after = page["next_openid"]

    def people(self, openids):
        return self.call(batch_path(self.token), batch_order(openids))["user_info_list"]
