//! `init`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "Write .env and wxops.toml, create the database, print the callback URL",
        "生成 .env 与 wxops.toml，创建数据库，显示回调 URL",
    ),
    ("A second run changes nothing.", "再次运行不作任何改动。"),
    ("The folder that gets the files", "存放这些文件的目录"),
];
