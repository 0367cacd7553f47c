//! The errcodes of a WeCom group robot, by code (WeCom reference 4 and 6).

use super::Class::{Backoff, Config, Input, Ok, Platform};
use super::{Row, Step, Who, row};

/// Where the fault lies in this program and in nothing that its user did.
const BUG: [&str; 2] = ["a fault of wxops: report it", "wxops 自身的缺陷：请反馈"];
const NOTHING: Step = Step::place(Who::Nobody, "nothing to run", "无需执行任何命令");
const REPORT: Step =
    Step::shell(Who::Developer, "wxops --version", "the version, for the report", "查看版本，随反馈附上");
const TRY: Step = Step::shell(Who::Operator, "wxops status --notify", "after mending the address", "改正地址之后执行");

/// The robot is gone or was never there.
const NEW_ROBOT: [&str; 2] = [
    "copy the webhook's address again from the group (or add a robot to it) and put it into WXOPS_ALERT_WEBHOOK",
    "请在群里重新复制机器人的 Webhook 地址（或新建一个机器人），并写入 WXOPS_ALERT_WEBHOOK",
];

/// code, errmsg, class, seconds to wait; meaning; action; the next step.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    row(-1, "system error", Platform, Some(5), ["busy", "平台繁忙"], ["wait a few seconds, then again", "等几秒再试"], NOTHING),
    row(0, "ok", Ok, None, ["success", "成功"], ["nothing", "无需处理"], NOTHING),
    row(40008, "invalid message type", Input, None, ["the msgtype is unknown", "msgtype 不正确"], BUG, REPORT),
    row(40058, "content exceed max length", Input, None, ["the message is too long", "消息过长"], BUG, REPORT),
    row(44004, "empty content", Input, None, ["the message is empty", "消息内容为空"], BUG, REPORT),
    row(45009, "api freq out of limit", Backoff, Some(60), ["over 20 messages of this robot in a minute", "该机器人一分钟内超过 20 条消息"],
        ["wait a minute; find out who else writes with this robot", "等一分钟；查一下还有谁在用这个机器人发消息"], NOTHING),
    row(93000, "invalid webhook url", Config, None, ["no robot has this key", "没有机器人使用这个 key"], NEW_ROBOT, TRY),
    row(93004, "robot disabled", Config, None, ["the robot is disabled", "机器人已被停用"], NEW_ROBOT, TRY),
    row(93008, "not in the group", Config, None, ["the robot is not in the group any more", "机器人已不在群里"], NEW_ROBOT, TRY),
];
