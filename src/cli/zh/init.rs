//! `init`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "Write .env and wxops.toml, create the database, print the callback URL",
        "生成 .env 与 wxops.toml，创建数据库，显示回调 URL",
    ),
    ("A second run changes nothing.", "再次运行不作任何改动。"),
    ("The folder that gets the files", "存放这些文件的目录"),
    (
        "Instead: write the units and timers for serve and its jobs, with the paths of this binary and its configuration",
        "改为：写出 serve 及其定时任务的 unit 与 timer，采用本程序及其配置的路径",
    ),
    (
        "Instead: print the lines of the jobs for a crontab, with the same paths",
        "改为：打印定时任务的 crontab 行，采用同样的路径",
    ),
    ("Overwrite units that are there with another text", "覆盖已存在但内容不同的 unit"),
];
