//! `doctor`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Check everything an on-call engineer would, and name the mend", "检查值班工程师会查的一切，并指出如何处理"),
    (
        "Changes nothing, forces no token, ends within 10 s. Exit 0 where nothing failed (a warning is no failure), else the code of the gravest failure.",
        "不作任何改动，不强制换 token，10 秒内结束。没有失败项时退出码为 0（警告不算失败），否则为最严重一项的退出码。",
    ),
    ("Show every setting, its value (no secrets) and where it came from", "列出每个配置项的值（不含密钥）及其来源"),
];
