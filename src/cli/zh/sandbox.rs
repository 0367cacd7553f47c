//! `sandbox`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("A local stand-in for the platform's API, and the pushes it sends", "本机上的模拟平台：它的 API 与推送"),
    (
        "Run a stand-in for WeChat's and WeCom's API on a local port until Ctrl-C",
        "在本机端口上运行模拟的微信与企业微信接口，直到 Ctrl-C",
    ),
    (
        "It plays api.weixin.qq.com and qyapi.weixin.qq.com, told apart by path, keeps tokens and followers, \
         enforces the documented limits and answers with the documented error codes. \
         Its own pages: /sandbox/state, /sandbox/requests and /sandbox/wecom/messages (NDJSON), /sandbox/accounts.",
        "它模拟 api.weixin.qq.com 与 qyapi.weixin.qq.com（按路径区分），保存 token 与粉丝，执行文档中的限额，返回文档中的错误码。它自己的页面：/sandbox/state、\
         /sandbox/requests 与 /sandbox/wecom/messages（NDJSON）、/sandbox/accounts。",
    ),
    ("Address and port to listen on", "监听的地址与端口"),
    ("Followers of each account; millions cost no memory", "每个账号的粉丝数；几百万也不占内存"),
    (
        "After each page of user/get so many leave and so many join, some of them again, and no push tells of it",
        "每返回一页 user/get，就有这么多人取关、这么多人关注（其中有人是再次关注），且没有任何推送通知",
    ),
    (
        "Openids of another account in the list, which user/info and batchget refuse with 40003; at most as many as \
         followers",
        "列表中混入别的账号的 openid，user/info 与 batchget 会以 40003 拒绝；至多与粉丝数相同",
    ),
    (
        "What is odd about the list: stuck, a full page gives back the next_openid that was sent; doubled, pages \
         overlap; total-off, `total` is not what the pages hold; null-data, the end has an empty or null `data`; \
         shuffled, batchget answers in another order. May be repeated",
        "列表的怪癖：stuck，满页返回的 next_openid 就是请求所带的那个；doubled，相邻两页有重叠；total-off，`total` 与各页实际数量不符；\
         null-data，列表末尾的 `data` 为空或 null；shuffled，batchget 的应答顺序与请求不同。可重复",
    ),
    ("What each answer waits", "每次应答前的等待时间"),
    (
        "What goes wrong, KIND=RATE, KIND@/path=RATE or KIND@wecom=RATE: busy, busy-done, token-invalid, quota, \
         http-500, reset, cut, html, slow, lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an errcode. \
         May be repeated",
        "出什么故障，写作 KIND=RATE、KIND@/path=RATE 或 KIND@wecom=RATE：busy、busy-done、token-invalid、quota、http-500、reset、\
         cut、html、slow、lost-answer、ip-not-listed、admin-confirm、secret-frozen，或某个 errcode。可重复",
    ),
    (
        "What stands in the place of the platform's limit, PATH=N/day or PATH=N/minute: /cgi-bin/user/get=20/day. \
         May be repeated",
        "代替平台的限额，写作 路径=N/day 或 路径=N/minute：/cgi-bin/user/get=20/day。可重复",
    ),
    (
        "Accounts of the corporation behind the apps of WeCom: a day has 200 times as many person-times of messages",
        "企业微信应用所属企业的账号数：每天可发消息的人次为其 200 倍",
    ),
    (
        "Userids that nobody has in WeCom, separated by commas; every other one of sane letters exists. May be \
         repeated",
        "企业微信中不存在的 userid，以逗号分隔；其余字符合法的一律存在。可重复",
    ),
    ("Fixes followers, keys and faults", "固定粉丝、密钥与故障"),
    (
        "TOML with [official.NAME], [wecom.NAME] or [minigame.NAME] for each account; default: main, wecom and \
         minigame with keys of their own",
        "每个账号一节 [official.NAME]、[wecom.NAME] 或 [minigame.NAME] 的 TOML 文件；默认有 main、wecom 与 minigame，密钥自动生成",
    ),
    (
        "2021: fill nickname, avatar and city, which come back empty today",
        "2021：填充昵称、头像与城市；如今平台返回的是空值",
    ),
    ("Where pushes go, for accounts that name no callback themselves", "账号自己没有写明回调时，推送发往何处"),
    ("Send signed events to a callback, exactly as the platform does", "完全像平台一样，向回调发送签名的事件"),
    (
        "5 s limit, three tries. The running sandbox sends them: it knows the callback, and who follows from now on is \
         what its user/info answers. Without a running sandbox, --to sends with the configured account's keys.",
        "时限 5 秒，最多三次。由运行中的沙箱发送：它知道回调地址，此后谁关注了，它的 user/info 就怎样应答。没有运行中的沙箱时，\
         --to 用所配置账号的密钥发送。",
    ),
    ("What to send: a name that `push list` shows, or mix", "发送什么：`push list` 列出的名称，或 mix"),
    ("Where to; default: the callback the sandbox knows", "发往何处；默认是沙箱所知的回调"),
    ("The running sandbox; default: the one the account is configured for", "运行中的沙箱；默认是账号所配置的那个"),
    (
        "Whom it concerns; default: new people subscribe, followers do the rest",
        "涉及谁；默认由新用户关注，其余由已有粉丝触发",
    ),
    ("How it is sent; default: the account's own mode", "发送的模式；默认是账号自己的模式"),
    ("How many", "发送多少条"),
    ("At most so many a second", "每秒最多多少条"),
    ("At most so many at once", "同时最多多少条"),
    ("The share that is sent once more, such as 10%", "重复发送的比例，例如 10%"),
    (
        "Set an element, also inside another: SendLocationInfo.Label=x. May be repeated",
        "设置一个元素，也可以是内层的：SendLocationInfo.Label=x。可重复",
    ),
    (
        "Damage each push on purpose, so that the callback should refuse it: signature, msg_signature, truncate, \
         appid or key",
        "故意损坏每条推送，回调应当拒绝：signature、msg_signature、truncate、appid 或 key",
    ),
    ("`signature` is wrong", "`signature` 错误"),
    ("`msg_signature` is wrong", "`msg_signature` 错误"),
    ("The body ends in the middle", "正文中途截断"),
    ("The appid inside is another account's", "里面的 appid 是别的账号的"),
    ("Encrypted with another key", "用别的密钥加密"),
    ("Show what would be sent where, and send nothing", "只显示将向何处发送什么，并不发送"),
    (
        "Needed for an address that is not of this machine, and for the keys of a real account",
        "发往本机以外的地址，或使用真实账号的密钥时，必须加上",
    ),
    (
        "Make the running sandbox fail on purpose, or stop it; without arguments, show what is on",
        "让运行中的沙箱故意出错，或停止出错；不带参数则显示已开启的故障",
    ),
    (
        "KIND=RATE, KIND@/path=RATE, KIND@wecom=RATE or KIND@wechat=RATE, a rate of 0 to 1 or 0% to 100%; 0 turns it \
         off. Kinds: busy, busy-done (-1 for work that is done), token-invalid, quota, http-500, reset, cut, html, slow, \
         lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an errcode",
        "KIND=RATE、KIND@/path=RATE、KIND@wecom=RATE 或 KIND@wechat=RATE，比例为 0 到 1 或 0% 到 100%；0 为关闭。种类：busy、busy-done（事已办成仍答 -1）、\
         token-invalid、quota、http-500、reset、cut、html、slow、lost-answer、ip-not-listed、admin-confirm、secret-frozen，\
         或某个 errcode",
    ),
    ("Turn all off first", "先关闭全部故障"),
    (
        "Move the running sandbox's clock: tokens expire, quotas come back",
        "拨动运行中的沙箱的时钟：token 到期，额度恢复",
    ),
    ("How far, forward or back: +3d, +2h, -1h, 30s; or show", "拨多少，向前或向后：+3d、+2h、-1h、30s；或 show"),
];
