//! `quota`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("What the platform still allows an account today", "平台今日还允许账号调用多少次"),
    (
        "Show what each API has used today and what is left, and this month's clears",
        "查看各 API 今日已用与剩余次数，以及本月的清零记录",
    ),
    (
        "The platform is asked for each API that wxops itself calls. A limit of 0 is none, or no right to the API: the \
         platform does not tell which. The days are Beijing's.",
        "向平台查询 wxops 自身会调用的各 API。上限为 0 表示无上限或无权限，平台不作区分。按北京时间计日。",
    ),
    ("Only this API, such as /cgi-bin/user/get; may be repeated", "只看该 API，如 /cgi-bin/user/get；可重复"),
    ("Set what every API has used today back to 0; ten times a month", "把所有 API 的今日已用次数清零；每月十次"),
    (
        "It counts for all APIs of the account at once, and what was paused for want of quota goes on. The platform \
         allows ten a month of Beijing, its console's included. At a terminal the account's name is asked for. The ledger \
         has each clear (wxops quota show); one whose outcome is not known is exit 4.",
        "对账号的所有 API 一并生效，因配额用尽而暂停的调用随即恢复。平台每个自然月（北京时间）允许十次，后台的清零也计入。\
         在终端上需输入账号名确认。每次清零都记入台账（wxops quota show）；结果未知时退出码为 4。",
    ),
    (
        "By the AppSecret instead of the token: works when no token can be had",
        "用 AppSecret 而非 token：取不到 token 时也可用",
    ),
    ("Also a second time on the same day", "同一天内再次清零也执行"),
    ("Show the call, make none", "只显示将发出的调用，不发请求"),
    ("Tell whether today's quota suffices for the scheduled jobs", "预测今日配额是否足够运行各定时任务"),
    (
        "For one run of each: the calls that it needs for as many people as the last followers sync saw, or user_mapping \
         has as following where that is more; and what is left. Exit 1 where a job would end in 45009, with the hour at \
         which it can go on.",
        "按各任务运行一次计：以上次 followers sync 所见人数或 user_mapping 中的关注人数（取较大者）推算所需调用次数，\
         并对照剩余次数。若有任务将以 45009 结束，退出码为 1，并给出可继续的时间。",
    ),
];
