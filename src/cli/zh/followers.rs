//! `followers`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Who follows, as user_mapping has it", "粉丝，按 user_mapping 表的记录"),
    ("List people, oldest row first", "列出用户，最早的记录在前"),
    ("Only those who follow now", "只看目前关注的"),
    ("Only who followed since: 2h, 3d, 2026-11-01 or RFC 3339", "只看此后关注的：2h、3d、2026-11-01 或 RFC 3339"),
    ("At most so many", "最多多少条"),
    ("Show one person, and why their data is missing", "查看一个用户，以及其资料为何缺失"),
    ("The person's openid", "该用户的 openid"),
];
