//! The program and its global flags.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Groups", "命令组"),
    ("Global options", "全局选项"),
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
];
