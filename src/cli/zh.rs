//! Every sentence of the help in Chinese. The key is the English sentence of the doc comment, a paragraph each; a test
//! names what is missing here and what nothing asks for any more.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    // Headings.
    ("Groups", "命令组"),
    ("Global options", "全局选项"),
    // The program and its global flags.
    ("One binary that operates a WeChat back end", "运维微信后端的单一程序"),
    ("TOML file (WXOPS_CONFIG)", "TOML 配置文件（WXOPS_CONFIG）"),
    ("Which configured account (WXOPS_ACCOUNT)", "使用哪个已配置的账号（WXOPS_ACCOUNT）"),
    ("Form of the result", "结果的格式"),
    ("For people", "供人阅读"),
    ("One object, or one object a line for lists", "一个对象；列表则每行一个对象"),
    ("Short for --format json", "等于 --format json"),
    ("Say nothing on success, log errors only", "成功时不输出，只记录错误"),
    ("Log more, show causes of errors; -vv logs most", "记录更多日志并显示错误原因；-vv 最详细"),
    ("Form of log lines on stderr", "标准错误上日志行的格式"),
    ("Time with zone, level, text", "带时区的时间、级别、内容"),
    ("One object a line", "每行一个对象"),
    (
        "As text, with the priority that journald reads and without the time that it adds",
        "同 text，带 journald 读取的优先级，不带它会加上的时间",
    ),
    ("Whether to use colours", "是否使用颜色"),
    (
        "Language of messages for people (WXOPS_LANG, else the locale)",
        "提示信息的语言（WXOPS_LANG，否则按系统区域设置）",
    ),
    (
        "Limit for the whole command, such as 50s: work done is kept, exit 69",
        "整条命令的时限，例如 50s；已完成的工作保留，退出码 69",
    ),
    ("Never ask", "从不提问"),
    ("Print help", "显示帮助"),
    ("Version, commit and target", "版本、提交号与目标平台"),
    // help, completions, man
    ("Show the help of a verb, or what the exit codes mean", "显示某个命令的帮助，或各退出码的含义"),
    ("exit-codes, or a group and its verb", "exit-codes，或命令组及其命令"),
    ("Print the completions of a shell", "输出某种 shell 的补全脚本"),
    (
        "bash: into /etc/bash_completion.d/wxops. zsh: into a file _wxops in a folder of $fpath. fish: into \
         ~/.config/fish/completions/wxops.fish.",
        "bash：存为 /etc/bash_completion.d/wxops。zsh：存为 $fpath 中某个目录下的 _wxops。fish：存为 \
         ~/.config/fish/completions/wxops.fish。",
    ),
    ("Which shell", "哪种 shell"),
    ("Print a manual page, or write all of them into a folder", "输出一页手册，或把全部手册写入目录"),
    ("Write the page of every verb into this folder", "把每个命令的手册页写入该目录"),
    ("A group and its verb; without, the page of wxops itself", "命令组及其命令；不写则为 wxops 自己的手册页"),
    // init
    (
        "Write .env and wxops.toml, create the database, print the callback URL",
        "生成 .env 与 wxops.toml，创建数据库，显示回调 URL",
    ),
    ("A second run changes nothing.", "再次运行不作任何改动。"),
    ("The folder that gets the files", "存放这些文件的目录"),
    // serve
    ("Run the callback server until it is stopped", "运行回调服务，直到被停止"),
    (
        "With --sandbox it brings a stand-in platform along and keeps everything in ./wxops-sandbox: the quickest \
         way to see it work.",
        "加 --sandbox 会同时启动一个模拟平台，所有数据放在 ./wxops-sandbox：这是最快的试用方式。",
    ),
    ("Address and port for callbacks", "接收回调的地址与端口"),
    ("Address and port of /metrics", "/metrics 的地址与端口"),
    (
        "Bring a stand-in platform along; nothing outside ./wxops-sandbox",
        "同时启动模拟平台；不触及 ./wxops-sandbox 以外的任何东西",
    ),
    // sandbox
    ("A local stand-in for the platform's API, and the pushes it sends", "本机上的模拟平台：它的 API 与推送"),
    (
        "Run a stand-in for api.weixin.qq.com on a local port until Ctrl-C",
        "在本机端口上运行模拟的 api.weixin.qq.com，直到 Ctrl-C",
    ),
    (
        "It keeps tokens and followers, enforces the documented limits and answers with the documented error codes. \
         Its own pages: /sandbox/state, /sandbox/requests (NDJSON), /sandbox/accounts.",
        "它保存 token 与粉丝，执行文档中的限额，返回文档中的错误码。它自己的页面：/sandbox/state、\
         /sandbox/requests（NDJSON）、/sandbox/accounts。",
    ),
    ("Address and port to listen on", "监听的地址与端口"),
    ("Followers of each account; millions cost no memory", "每个账号的粉丝数；几百万也不占内存"),
    ("What each answer waits", "每次应答前的等待时间"),
    (
        "What goes wrong, KIND=RATE or KIND@/path=RATE: busy, token-invalid, quota, http-500, reset, cut, html, \
         slow, lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an errcode. May be repeated",
        "出什么故障，写作 KIND=RATE 或 KIND@/path=RATE：busy、token-invalid、quota、http-500、reset、cut、html、slow、lost-answer、\
         ip-not-listed、admin-confirm、secret-frozen，或某个 errcode。可重复",
    ),
    ("Fixes followers, keys and faults", "固定粉丝、密钥与故障"),
    (
        "TOML with [official.NAME] for each account; default: one account, main, with keys of its own",
        "每个账号一节 [official.NAME] 的 TOML 文件；默认只有一个账号 main，密钥自动生成",
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
        "KIND=RATE or KIND@/path=RATE, a rate of 0 to 1 or 0% to 100%; 0 turns it off. Kinds: busy, token-invalid, \
         quota, http-500, reset, cut, html, slow, lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an \
         errcode",
        "KIND=RATE 或 KIND@/path=RATE，比例为 0 到 1 或 0% 到 100%；0 为关闭。种类：busy、token-invalid、quota、http-500、reset、cut、html、\
         slow、lost-answer、ip-not-listed、admin-confirm、secret-frozen，或某个 errcode",
    ),
    ("Turn all off first", "先关闭全部故障"),
    (
        "Move the running sandbox's clock: tokens expire, quotas come back",
        "拨动运行中的沙箱的时钟：token 到期，额度恢复",
    ),
    ("How far, forward or back: +3d, +2h, -1h, 30s; or show", "拨多少，向前或向后：+3d、+2h、-1h、30s；或 show"),
    // token
    ("The access_token of an account: look, refresh, replace by hand", "账号的 access_token：查看、刷新、手工替换"),
    ("See to it that the stored token lives longer than 5 minutes", "确保已存的 token 剩余有效期超过 5 分钟"),
    (
        "Asks the platform only where it does not; many at once make one call.",
        "不足时才向平台请求；多个同时运行也只请求一次。",
    ),
    (
        "Make a new token; the present one dies at once (20 a day allowed, at most 10 are used)",
        "强制换新 token；当前的立即失效（平台每天允许 20 次，本程序最多用 10 次）",
    ),
    ("Say what would be done, ask nothing", "只说明将做什么，不发请求"),
    ("Show the stored token: age, end, generation, who brought it", "查看已存的 token：有效期、第几代、由谁取得"),
    ("The token itself is masked unless --reveal is given.", "不加 --reveal 时 token 本身会被遮盖。"),
    ("Show the token in full", "完整显示 token"),
    ("Store a token that a person brings, read from stdin", "存入手工取得的 token，从标准输入读取"),
    ("Its end is unknown: it is trusted until the platform refuses it.", "它的有效期未知：一直使用到被平台拒绝为止。"),
    ("Forget the stored token; the next call asks for a new one", "清除已存的 token；下次调用会取新的"),
    // followers
    ("Who follows, as user_mapping has it", "粉丝，按 user_mapping 表的记录"),
    ("List people, oldest row first", "列出用户，最早的记录在前"),
    ("Only those who follow now", "只看目前关注的"),
    ("Only who followed since: 2h, 3d, 2026-11-01 or RFC 3339", "只看此后关注的：2h、3d、2026-11-01 或 RFC 3339"),
    ("At most so many", "最多多少条"),
    ("Show one person, and why their data is missing", "查看一个用户，以及其资料为何缺失"),
    ("The person's openid", "该用户的 openid"),
    // events
    ("The inbox of received callbacks", "收到的回调"),
    ("List events, newest first", "列出事件，最新的在前"),
    ("Only events in this state", "只看处于该状态的事件"),
    ("Only this kind, such as event.subscribe or message.text", "只看该类型，例如 event.subscribe 或 message.text"),
    ("Only this person", "只看该用户"),
    ("Only what came since: 2h, 3d, 2026-11-01 or RFC 3339", "只看此后收到的：2h、3d、2026-11-01 或 RFC 3339"),
    ("Show one event with its message", "查看一个事件及其消息"),
    ("The event's id", "事件的编号"),
    ("Handle events again: dead ones, or any that is named", "重新处理事件：全部失败的，或指定的"),
    (
        "They are made due; a running serve handles them. An event whose person has left is erased and can't be \
         replayed.",
        "它们会变为待处理，由运行中的 serve 处理。用户已取消关注的事件已被清除，不能重放。",
    ),
    ("The events' ids", "各事件的编号"),
    ("Every dead event", "所有失败的事件"),
    ("Say which, change nothing", "只列出，不改动"),
    ("Show events as they come, until Ctrl-C", "持续显示新到的事件，直到 Ctrl-C"),
    ("How many of the latest to begin with", "先显示最近的多少条"),
    // db
    ("The schema of the database", "数据库结构"),
    ("Apply what is missing of the schema", "补上数据库结构中缺少的部分"),
    (
        "Safe twice and by two at once; refuses a schema that is newer.",
        "重复运行或同时运行都安全；数据库结构更新时拒绝执行。",
    ),
    ("Show what would be applied", "只显示将应用什么"),
    ("Show what is applied", "查看已应用的部分"),
    ("Exit 78 where something is missing or newer than this wxops.", "有缺少的，或比本程序更新的，退出码为 78。"),
];

/// The Chinese of a sentence.
pub(super) fn of(english: &str) -> Option<&'static str> {
    SENTENCES.iter().find(|(en, _)| *en == english).map(|(_, zh)| *zh)
}
