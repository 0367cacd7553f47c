//! `callback`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("The callback URL, as the platform sees it", "回调 URL，从平台一侧看"),
    ("Play the platform against a URL and say what is wrong", "扮演平台访问一个 URL，指出哪里不对"),
    (
        "Sends the GET of the console and a signed push, each also forged, and names the cause of what fails: Token, \
         key, AppID, proxy, TLS, time. Without URL: WXOPS_PUBLIC_URL and the account's route. What is sent is a VIEW \
         event of the openid oWXOPS_callback_check_nobody: it makes no follower, and is stored as one event.",
        "发送后台校验用的 GET 与一条签名的推送，两者还各有一个伪造的版本，并指出失败的原因：Token、密钥、AppID、代理、TLS、超时。\
         不写 URL 则用 WXOPS_PUBLIC_URL 加该账号的路径。推送的是 openid 为 oWXOPS_callback_check_nobody 的 VIEW 事件：\
         不会产生粉丝，只存为一个事件。",
    ),
    (
        "The URL as it stands in the console; default: WXOPS_PUBLIC_URL and the account's route",
        "后台所填的 URL；默认是 WXOPS_PUBLIC_URL 加该账号的路径",
    ),
    (
        "Play the console in this mode: plain, compat, secure; default: the account's",
        "按哪种模式扮演后台：plain 明文、compat 兼容、secure 安全；默认与该账号相同",
    ),
    ("Only the GET: no push, which is stored as a VIEW event of nobody", "只发 GET，不发会存为一个 VIEW 事件的推送"),
];
