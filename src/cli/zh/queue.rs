//! `queue`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("The WeCom notification queue", "企业微信通知队列"),
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
    ("Find what has drifted since the queue was installed", "查找队列安装后发生的偏差"),
    (
        "A column dropped, a trigger or procedure missing or another one, a definer that is gone, an index missing, rows of another clock: each with what mends it. Changes nothing. Exit 1 where something was found.",
        "列被删除，触发器或存储过程缺失或被改动，定义者已不存在，索引缺失，时间不是 UTC 的行：逐一列出并给出修复办法。不做任何改动。有发现时退出码为 1。",
    ),
    (
        "Take the queue out: triggers, tables, procedures, our lines of the crontab",
        "移除队列：触发器、表、存储过程、crontab 中本程序的行",
    ),
    (
        "Refuses while notifications are pending or in hand, unless --drop-pending says so; then those that were not sent are written to a file of lines of JSON first, which is never overwritten. The members are not touched.",
        "仍有待发送或处理中的通知时拒绝执行，除非加 --drop-pending；届时先把未发送的逐行写成 JSON 文件，且从不覆盖已有文件。会员表不受影响。",
    ),
    ("Also with notifications that were not sent", "即使有未发送的通知也移除"),
    ("The file that they are written to", "未发送的通知写入的文件"),
    ("Do it without asking", "不再询问，直接执行"),
    ("Send one message as a notification would be, to see that it arrives", "发送一条与通知相同的消息，看能否收到"),
    (
        "It tells of a sample member, or of a real one, who is only read; the rules and templates say to whom and in which words. No row is put into the queue. It takes from the pace of its recipients. A department, a tag or @all asks first.",
        "内容是示例会员，或一个真实会员（只读取）；发给谁、怎么写由规则与模板决定。不向队列写入任何行。占用接收人的发送频率。发给部门、标签或 @all 时先询问。",
    ),
    (
        "Whom, instead of those that the rules name: zhang, party:2, tag:3 or @all, several divided by |",
        "发给谁，代替规则所写的：zhang、party:2、tag:3 或 @all，多个用 | 分隔",
    ),
    ("By which way, instead of that which the rules name: app or robot", "以何种方式发送，代替规则所写的：app 或 robot"),
    ("What happened to the member: new, changed or status", "会员发生了什么：new、changed 或 status"),
    ("Another value of a column; the word NULL is none", "改用列的另一个值；NULL 表示没有值"),
    ("Tell of this member of the CRM, by id", "通知 CRM 中该编号的会员"),
    ("Show the message, send nothing", "只显示消息，不发送"),
];
