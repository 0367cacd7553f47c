//! `token`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "The access_token of an account: look, refresh, replace by hand, find rivals",
        "账号的 access_token：查看、刷新、手工替换、查找争用者",
    ),
    ("See to it that the stored token does not end", "确保已存的 token 不会过期"),
    (
        "Asks the platform only where it is near its end: stable_token and gettoken in the last 5 minutes, /cgi-bin/token at five sixths of its life. Many at once make one call.",
        "临近到期才向平台请求：stable_token 与 gettoken 在最后 5 分钟，/cgi-bin/token 在有效期过去六分之五时。多个同时运行也只请求一次。",
    ),
    (
        "End the wait that the platform asked for after 89503 and its like, or after a wrong secret: somebody has mended it",
        "结束平台在 89503 等错误或密钥错误之后要求的等待：问题已处理",
    ),
    (
        "Go on for so long: a token in its last minutes is asked for again each 20 s until another comes",
        "持续这么久：token 在最后几分钟内时每 20 秒再请求一次，直到换新",
    ),
    (
        "Ask the platform whether it takes the token; exit 77 where it does not",
        "询问平台是否接受该 token；不接受时退出码为 77",
    ),
    ("Date each token that was refused, and say who replaced it", "列出每个被拒绝的 token 的时间，以及是谁更换了它"),
    (
        "One of ours (a newer one was stored by then), its own end, a person who had brought it, or another program that refreshes the same account.",
        "本系统（当时已存入更新的一代）、自然到期、手工设置，或另一个刷新同一账号的程序。",
    ),
    ("How many refused tokens to show, the latest first", "最多显示多少个被拒绝的 token，最近的在前"),
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
];
