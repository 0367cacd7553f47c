//! `queue`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Notifications about new members, by WeCom", "新会员的企业微信通知"),
    ("Put the queue and its trigger beside the CRM's members", "在 CRM 的会员表旁建立通知队列与触发器"),
    (
        "Each new member then makes a row of member_notification_queue, whoever registers it. Looks at the table of members first and refuses what does not fit; shows what it would do, and asks. Safe twice: what stands is left, what is another one is replaced.",
        "此后无论由谁登记，每个新会员都会在 member_notification_queue 中生成一行。先检查会员表，不合适则拒绝；列出将做的改动并询问。可重复运行：已存在的保留，不同的替换。",
    ),
    ("Show what would be done", "只显示将做什么"),
    (
        "The database user that the triggers run as, such as crm@localhost",
        "触发器以哪个数据库用户运行，例如 crm@localhost",
    ),
    ("How new members are found; poll needs no trigger", "如何发现新会员；poll 不需要触发器"),
    ("By a trigger on their table", "用会员表上的触发器"),
    ("By looking for new ids", "按新编号查找"),
    ("Make a table of members where there is none, to try it out", "没有会员表时创建一个，供试用"),
    ("Do it without asking", "不再询问，直接执行"),
];
