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
];
