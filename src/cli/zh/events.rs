//! `events`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("The inbox of received callbacks", "收到的回调"),
    ("List events, newest first", "列出事件，最新的在前"),
    ("At most so many", "最多多少条"),
    ("Only events in this state", "只看处于该状态的事件"),
    ("Only this kind, such as event.subscribe or message.text", "只看该类型，例如 event.subscribe 或 message.text"),
    ("Only this person", "只看该用户"),
    ("Only what came since: 2h, 3d, 2026-11-01 or RFC 3339", "只看此后收到的：2h、3d、2026-11-01 或 RFC 3339"),
    (
        "Show one event with its message, and what became of it at each hook",
        "查看一个事件及其消息，以及各 hook 的投递情况",
    ),
    ("Only what a hook could not be told of, or may not have been", "只看有 hook 未能投递或结果未知的"),
    ("The event's id", "事件的编号"),
    ("Handle events again: dead ones, or any that is named", "重新处理事件：全部失败的，或指定的"),
    (
        "They are made due; a running serve handles them. An event whose person has left is erased and can't be \
         replayed. With --hook only that hook is told again, under the same webhook-id; the event itself stays as it is.",
        "它们会变为待处理，由运行中的 serve 处理。用户已取消关注的事件已被清除，不能重放。加 --hook 则只向该 hook \
         重新投递（webhook-id 不变），事件本身不变。",
    ),
    ("The events' ids", "各事件的编号"),
    (
        "Every dead event; with --hook every one that it could not be told of",
        "所有失败的事件；加 --hook 则为该 hook 未能投递的所有事件",
    ),
    ("Tell this hook again, nobody else", "只向该 hook 重新投递"),
    ("Say which, change nothing", "只列出，不改动"),
    ("Show events as they come, until Ctrl-C", "持续显示新到的事件，直到 Ctrl-C"),
    ("How many of the latest to begin with", "先显示最近的多少条"),
    // stats
    ("Count events by kind, hour, outcome, account or menu key", "按类型、小时、结果、账号或菜单 KEY 统计事件"),
    (
        "Beside the counts: how long WeChat's callbacks take to arrive, and how fast the running serve answers them.",
        "除了条数，还有微信的回调多久才到达，以及运行中的 serve 应答得多快。",
    ),
    ("What a row stands for", "每一行代表什么"),
    // purge
    ("Delete old events that are settled", "删除已处理完的旧事件"),
    (
        "Deletes in small transactions beside a running serve; ended in the middle, the next run goes on. Events that are not settled are never deleted.",
        "与运行中的 serve 并行，用小事务删除；中途结束则下次运行接着删。尚未处理完的事件从不删除。",
    ),
    ("Only what was received longer ago: 90d, at least 1d", "只删更早收到的：90d，至少 1d"),
    ("Dead events too, not only those that are done", "也删处理失败（dead）的，而不只是已完成的"),
    ("Say how many, delete nothing", "只说有多少，不删除"),
    ("Do not ask", "不再询问"),
    ("Exit 0, not 75, where another run is under way", "另一个正在运行时退出码为 0，而不是 75"),
    ("Wait so long for the end of another run, such as 30s", "最多等另一个运行这么久，例如 30s"),
    // repair
    ("Rebuild what an outage missed, from WeChat's lists", "根据微信的列表补回故障期间漏掉的内容"),
    (
        "Compares WeChat's list of followers with the table and asks user/info about everyone in whom they differ: who \
         followed unnoticed gets their row, who left unnoticed is treated as one who left. Says what can't be had back.",
        "把微信的关注者列表与表比对，并用 user/info 查询有差异的人：未知的关注者补上一行，未知的取消关注者按取消关注处理。并说明哪些无法补回。",
    ),
    ("When the outage began: 2h, 3d, 2026-11-01 or RFC 3339", "故障何时开始：2h、3d、2026-11-01 或 RFC 3339"),
    ("Say who differs, ask about nobody, change nothing", "只说有多少差异，不逐人查询，不改动"),
];
