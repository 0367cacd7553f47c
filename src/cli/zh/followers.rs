//! `followers`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Who follows, as user_mapping has it", "粉丝，按 user_mapping 表的记录"),
    ("List people, oldest row first", "列出用户，最早的记录在前"),
    ("Only those who follow now", "只看目前关注的"),
    ("Only who followed since: 2h, 3d, 2026-11-01 or RFC 3339", "只看此后关注的：2h、3d、2026-11-01 或 RFC 3339"),
    ("Only whom it finds: 'sex = 2 and follow_time >= -30d'", "只看符合条件的：'sex = 2 and follow_time >= -30d'"),
    ("Show how many are found, and by which SQL, instead", "只显示符合的人数与所用的 SQL"),
    ("At most so many; all of them without it", "最多多少条；不写则为全部"),
    ("Write people to stdout or a file, as CSV or NDJSON", "把用户写到标准输出或文件，格式为 CSV 或 NDJSON"),
    ("Form of the rows: csv, or with --json ndjson", "行的格式：csv；加 --json 时为 ndjson"),
    ("A head, then a line a row", "先是表头，然后每行一条"),
    ("An object a line", "每行一个对象"),
    ("Only these columns, in this order: openid,nickname,city", "只要这些列，按此顺序：openid,nickname,city"),
    ("Also people who left and whose data was erased", "也包括已取消关注、资料已清除的用户"),
    ("CSV that Excel takes for UTF-8: with a byte order mark", "供 Excel 识别为 UTF-8 的 CSV：带 BOM"),
    (
        "CSV as stored; else text like =1+1 gets a ' that keeps it text",
        "CSV 按原样写出；否则 =1+1 这类文本前会加 '，使其仍是文本",
    ),
    ("Write to this file, of mode 0600; - is stdout", "写入该文件，权限 0600；- 为标准输出"),
    ("Overwrite the file", "覆盖已有的文件"),
    ("Show one person, and why their data is missing", "查看一个用户，以及其资料为何缺失"),
    ("The person's openid", "该用户的 openid"),
    ("Erase people from every store, and give a receipt for each", "从所有存储中清除用户，并为每人出具回执"),
    (
        "Of one account. Kept are account, openid and the times; wxops followers purge removes these too. A store that \
         can't be reached is cleared later by a running serve; then the exit status is 69, and followers show tells how \
         it stands. Whoever follows again starts anew.",
        "限一个账号。保留账号、openid 与各时间，wxops followers purge 会将其一并删除。暂时无法访问的存储由运行中的 serve 稍后清除，\
         此时退出码为 69，可用 followers show 查看进度。重新关注者从头开始。",
    ),
    ("The people's openids; - reads them from stdin, one a line", "用户的 openid；- 表示从标准输入读取，每行一个"),
    ("Why; it stands in the receipt", "原因，写入回执"),
    ("Wait at most so long for every store to confirm", "最多等待多久，直到所有存储确认"),
    ("Check the chain of all receipts instead", "改为检查所有回执组成的链"),
    ("Say what would be erased, change nothing", "只说明将清除什么，不作更改"),
    ("List requests to be forgotten, or do what they ask for", "列出注销请求，或执行这些请求"),
    (
        "They stand in the table user_delete_request, which the company's own system writes. --apply erases each person \
         of an open request as followers forget does, and sets its status to 1 in the same transaction. A request of \
         somebody unknown stays open and is named; exit 3.",
        "请求在 user_delete_request 表中，由公司自己的系统写入。--apply 像 followers forget 一样清除每条未处理请求所涉的用户，\
         并在同一事务中把 status 设为 1。未知用户的请求保持未处理并列出，退出码为 3。",
    ),
    ("Only those that are not done", "只看未处理的"),
    ("Do what the open ones ask for", "执行未处理的请求"),
    ("Say which would be done, change nothing", "只说明将处理哪些，不作更改"),
    ("Delete what is kept of people who are erased", "删除已清除用户的剩余记录"),
    (
        "Their row of user_mapping, the rows of their callbacks, the openid of their erasures; receipts stay. Not of \
         people who returned or whose erasure a store has not confirmed. In small transactions beside a running serve; \
         ended in the middle, the next run goes on. --gone erases instead, with a receipt each, whom followers sync \
         marked as gone a day ago or earlier.",
        "包括其 user_mapping 行、其回调的各行，以及清除记录中的 openid；回执保留。已重新关注或尚有存储未确认的除外。\
         以小事务进行，不影响运行中的 serve；中途结束后，下次运行会继续。--gone 则清除 followers sync 在一天或更早之前\
         标记为已离开的用户，并为每人出具回执。",
    ),
    ("Erase whom a sync marked as gone more than a day ago", "清除同步在一天多以前标记为已离开的用户"),
    ("Only people who were erased longer ago: 30d, at least 1d", "只处理更早清除的用户：30d，至少 1d"),
    ("Bring user_mapping in line with WeChat's list of followers", "使 user_mapping 与微信的粉丝列表一致"),
    (
        "Reads the whole list, asks about everyone in it, 100 at a time and many at once, and writes what is new. Who \
         is not in the list and does not follow when asked is marked as gone. What an event changes meanwhile is left \
         alone. Ended in the middle, the next run goes on.",
        "读取整个列表，每 100 人一批、多批并行查询其中每个人，并写入变化。不在列表中、查询后确未关注的人标记为已离开。\
         期间由事件更改的记录保持不变。中途结束后，下次运行会继续。",
    ),
    ("Calls in flight at the most; fewer while WeChat is busy", "同时进行的调用数上限；微信繁忙时自动减少"),
    ("Ask only about people without a row or without profile", "只查询没有记录或没有资料的人"),
    (
        "Mark nobody as gone where it would be more of the known followers",
        "若将标记为已离开的人超过已知粉丝的这一比例，则一个也不标记",
    ),
    ("Mark them however many they are", "无论多少都标记"),
    (
        "Change nothing: compare counts and a sample with WeChat, exit 1 where they differ",
        "不作更改：将人数与抽样同微信比对，不一致时退出码为 1",
    ),
    ("Ask WeChat, say what would change, change nothing", "向微信查询，只说明将改变什么，不作更改"),
    (
        "Begin also where the day's quota does not suffice: stop when it is spent, go on the next day",
        "当日配额不足时也开始：用完即停，次日继续",
    ),
];
