//! `status`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "One screen: callbacks, inbox, tokens, what is paused, jobs, the database",
        "一屏总览：回调、待处理事件、token、已暂停的接口、定时任务、数据库",
    ),
    (
        "Exit 1 where there is an alarm: an account is silent for longer than usual at this hour, callbacks could not be handled, no call of WeChat's API goes through, a job failed or no longer runs, notifications of members are not sent or were given up, serve died. Exit 69 where the database is away.",
        "有告警时退出码为 1：某账号在该时段静默得比平常久、有回调处理失败、微信接口一概调用不通、定时任务失败或不再运行、会员通知未发送或被放弃、serve 已退出。数据库不可达时为 69。",
    ),
    (
        "Tell the group robot (WXOPS_ALERT_WEBHOOK) of what serve has not told; for cron, where serve itself may be dead",
        "把 serve 尚未通知的告警发给群机器人（WXOPS_ALERT_WEBHOOK）；用于 cron，以防 serve 自己已退出",
    ),
    (
        "With --notify: say what the robot would be told, send nothing",
        "与 --notify 同用：只显示将发给机器人的内容，并不发送",
    ),
];
