//! `db`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
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
