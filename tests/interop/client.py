"""wechatpy's client against the sandbox as if it were the platform; one JSON object says what it read.

Arguments: BASE APPID SECRET.
"""

import json
import sys

from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

BASE, APPID, SECRET = sys.argv[1:4]


class Client(WeChatClient):
    API_BASE_URL = BASE + "/cgi-bin/"

    def _fetch_access_token(self, url, params):
        # The one address that wechatpy writes out in full.
        return super()._fetch_access_token(url.replace("https://api.weixin.qq.com", BASE), params)


def errcode(call):
    try:
        call()
    except WeChatClientException as error:
        return error.errcode
    return 0


client = Client(APPID, SECRET)
fetched = client.fetch_access_token()
first = client.user.get_followers()
followers = list(client.user.iter_followers())
some = followers[:: len(followers) // 50][:50]
person = client.user.get(followers[0])
print(
    json.dumps(
        {
            "token": len(client.access_token),
            "expires_in": fetched["expires_in"],
            "total": first["total"],
            "count": first["count"],
            "next": first["next_openid"] == first["data"]["openid"][-1],
            "followers": len(followers),
            "distinct": len(set(followers)),
            "person": {name: person[name] for name in ("subscribe", "openid", "nickname", "sex", "subscribe_scene")},
            "asked": followers[0],
            "batch": [info["openid"] for info in client.user.get_batch(some)] == some,
            "callback_ips": len(client.misc.get_wechat_ips()),
            "wrong_openid": errcode(lambda: client.user.get("oNOBODY000000000000000000001")),
            "wrong_next": errcode(lambda: client.user.get_followers("oNOBODY000000000000000000001")),
            "too_many": errcode(lambda: client.user.get_batch(followers[:101])),
            "wrong_secret": errcode(Client(APPID, "f" * 32).fetch_access_token),
            "wrong_appid": errcode(Client("wxffffffffffffffff", SECRET).fetch_access_token),
            # wechatpy renews a token that is refused, and asks again.
            "renewed": errcode(Client(APPID, SECRET, access_token="x").user.get_followers),
        }
    )
)
