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
    (
        "How new members are found; poll looks for new ids and needs no trigger",
        "如何发现新会员；poll 按新编号查找，不需要触发器",
    ),
    ("Make a table of members where there is none, to try it out", "没有会员表时创建一个，供试用"),
    ("Find what has drifted since the queue was installed", "查找队列安装后发生的偏差"),
    (
        "A column dropped, a trigger or procedure missing or another one, a definer that is gone, an index missing, rows of another clock: each with what mends it. Changes nothing. Exit 1 where something was found.",
        "列被删除，触发器或存储过程缺失或被改动，定义者已不存在，索引缺失，时间不是 UTC 的行：逐一列出并给出修复办法。不做任何改动。有发现时退出码为 1。",
    ),
    ("Send the notifications that are due", "发送到期的通知"),
    (
        "A pass goes on until nothing is due. Each row is claimed by one drain, however many run; what a drain that was killed had in hand is due again after 30 s. What is due beyond the platform's pace for a recipient is told of in one message.",
        "一轮处理持续到没有到期的通知为止。无论同时运行多少个 drain，每行只由其中一个领取；被强行终止的 drain 手中的行 30 秒后重新到期。超出平台对单个接收人频率限制的到期通知合并为一条消息。",
    ),
    ("One pass, then end; the default", "处理一轮后结束；默认如此"),
    (
        "Go on until SIGTERM: a full pass each QUEUE_MONITOR_INTERVAL minutes, and whenever a row is due",
        "持续运行直到 SIGTERM：每 QUEUE_MONITOR_INTERVAL 分钟完整处理一轮，一有到期的行也立即处理",
    ),
    ("Between two full passes, a look for due rows each so long", "两轮之间，每隔多久查看有无到期的行"),
    ("Rows claimed at once", "一次领取多少行"),
    ("Messages under way at once", "同时发送多少条消息"),
    ("Rows at the most", "最多处理多少行"),
    ("Claim no more rows after this time", "超过该时间后不再领取"),
    (
        "Wait until the oldest row is so old, and tell each recipient of all in one message",
        "等到最早的一行已有这么久，再把全部通知合并为一条消息发给每个接收人",
    ),
    ("Show how deep the queue is, and how it went by day", "查看队列积压与每日发送情况"),
    (
        "The days are Beijing's. The latency is the time from the member's row to the platform's answer.",
        "按北京时间分日。耗时指从会员入库到平台应答的时间。",
    ),
    ("So many days", "最近多少天"),
    ("List notifications, newest first", "列出通知，最近的在前"),
    (
        "Only in this state: pending, processing, sent, failed, dead, cancelled",
        "只看该状态：pending、processing、sent、failed、dead、cancelled",
    ),
    ("Only of this kind: new, changed, status", "只看该类型：new、changed、status"),
    ("Only of this member, by id", "只看该会员（编号）"),
    (
        "Only with an error: given up, to be tried again, not sent to everybody",
        "只看出错的：已放弃、待重试、未送达全部接收人",
    ),
    ("Only what may have gone out twice", "只看可能发送过两次的"),
    (
        "Show one notification: its member as it was, its message, how it went",
        "查看一条通知：当时的会员、消息、发送经过",
    ),
    ("Make notifications due at once, with all their attempts before them", "让通知立即到期，尝试次数从头计起"),
    (
        "What was given up is made anew, by the rules and templates of today. What was sent, or is in hand, stays as it is. The next drain sends them.",
        "已放弃的通知按当前的规则和模板重新生成。已发送或处理中的保持原样。由下一次 drain 发送。",
    ),
    ("The row's id", "行的编号"),
    ("The rows' ids", "行的编号"),
    ("All that were given up", "所有已放弃的"),
    ("Of these only with this errcode", "其中只限该 errcode 的"),
    ("Delete old notifications that came to their end", "删除早已结束的通知"),
    (
        "Those that were sent or taken back, in small transactions beside running drains and registrations. What was given up stays without --include-dead.",
        "删除已发送或已取消的，每次一小批，不妨碍正在运行的 drain 与会员登记。已放弃的通知会保留，除非加 --include-dead。",
    ),
    ("Only what came to its end longer ago: 30d, at least 1d", "只删除结束时间早于此的：例如 30d，至少 1d"),
    ("Also what was given up", "也包括已放弃的"),
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
    (
        "By which way, instead of that which the rules name: app or robot",
        "以何种方式发送，代替规则所写的：app 或 robot",
    ),
    ("What happened to the member: new, changed or status", "会员发生了什么：new、changed 或 status"),
    ("Another value of a column; the word NULL is none", "改用列的另一个值；NULL 表示没有值"),
    ("Tell of this member of the CRM, by id", "通知 CRM 中该编号的会员"),
    ("Show the message, send nothing", "只显示消息，不发送"),
];
