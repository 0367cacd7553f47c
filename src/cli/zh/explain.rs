//! `explain`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Explain an errcode, a rid, or a line of a log", "解释一个 errcode、一个 rid，或一行日志"),
    (
        "Says what it means, who must act, what wxops does about it, and what to run next. It understands errcodes (40164), WeChat's and WeCom's, rids, reasons of refused callbacks (signature), exit codes (exit 69), and any line that holds one of them, such as an error of wxops or a line of its log or of systemd. Without an argument, or with -, it reads lines from stdin. Only a rid alone is asked of WeChat; all else needs no configuration, no database and no network.",
        "说明其含义、应由谁处理、wxops 会怎么做、接着运行什么。能识别微信与企业微信的 errcode（40164）、rid、回调被拒绝的原因（signature）、退出码（exit 69），以及含有其中之一的任何一行，例如 wxops 的报错、它的日志或 systemd 的日志。不带参数或写 - 时从标准输入逐行读取。只有单独的 rid 才会向微信查询；其余都不需要配置、数据库与网络。",
    ),
    ("Whose codes they are; without it, both meanings are told of", "错误码属于哪个平台；不写则两种含义都说明"),
    ("A code, a rid or a line; several words are one line", "错误码、rid 或一行文字；多个词算作一行"),
];
