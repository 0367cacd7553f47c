//! `token`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
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
];
