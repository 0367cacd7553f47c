//! The errcodes of WeCom's tokens and of its group robot, by code (WeCom reference 2, 4 and 6).

use super::Class::{Backoff, Config, Input, Ok, Platform, Token};
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

const LOOK: Step =
    Step::shell(Who::Operator, "wxops token refresh --account NAME", "after mending the file", "改正配置之后执行");
const CONSOLE: Step =
    Step::place(Who::Administrator, "the application's page in WeCom's console", "企业微信管理后台的应用页面");
/// A setting of the application is wrong.
const SETTINGS: [&str; 2] = [
    "compare CorpID, AgentId and Secret with the application's page in WeCom's console",
    "请与企业微信管理后台应用页面核对 CorpID、AgentId 与 Secret",
];
/// The token was refused, and the one that took its place too.
const TWICE: [&str; 2] = [
    "a fresh token was refused too: compare CorpID and Secret, and see in the console whether the application is enabled",
    "换新 token 后仍被拒绝：请核对 CorpID 与 Secret，并在后台确认应用已启用",
];

/// code, errmsg, class, seconds to wait; meaning; action; the next step.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    row(-1, "system error", Platform, Some(5), ["busy", "平台繁忙"], ["wait a few seconds, then again", "等几秒再试"], NOTHING),
    row(0, "ok", Ok, None, ["success", "成功"], ["nothing", "无需处理"], NOTHING),
    row(40001, "invalid credential", Token, Some(0), ["the token, or at gettoken the secret, is wrong, was reset, or the application is disabled", "token 无效；若来自 gettoken，则 Secret 有误、已重置或应用已停用"], TWICE, LOOK),
    row(40008, "invalid message type", Input, None, ["the msgtype is unknown", "msgtype 不正确"], BUG, REPORT),
    row(40013, "invalid corpid", Config, None, ["the CorpID is wrong", "CorpID 不正确"], SETTINGS, LOOK),
    row(40014, "invalid access_token", Token, Some(0), ["the token is not valid any more", "token 已失效"], TWICE, LOOK),
    row(40058, "content exceed max length", Input, None, ["the message is too long", "消息过长"], BUG, REPORT),
    row(40091, "invalid secret of another corp", Config, None, ["the Secret belongs to another corporation", "Secret 属于另一家企业"], SETTINGS, LOOK),
    row(41002, "corpid missing", Config, None, ["no CorpID was sent", "缺少 CorpID"], SETTINGS, LOOK),
    row(41004, "corpsecret missing", Config, None, ["no Secret was sent", "缺少 Secret"], SETTINGS, LOOK),
    row(42001, "access_token expired", Token, Some(0), ["the token has ended", "token 已过期"], TWICE, LOOK),
    row(44004, "empty content", Input, None, ["the message is empty", "消息内容为空"], BUG, REPORT),
    row(45009, "api freq out of limit", Backoff, Some(60), ["too often: over 20 messages of a robot in a minute, or wrong secrets at gettoken", "调用过于频繁：机器人一分钟内超过 20 条消息，或在 gettoken 使用了错误的 Secret"],
        ["of a robot: wait a minute, and find out who else writes with it; at gettoken: mend the Secret, this address is blocked for an hour", "机器人：等一分钟，并查一下还有谁在用它发消息；gettoken：请改正 Secret，本机地址被封禁一小时"], NOTHING),
    row(50003, "app disabled", Config, None, ["the application is disabled", "应用已被停用"], ["enable it in WeCom's console", "请在企业微信管理后台启用该应用"], CONSOLE),
    row(60020, "not allow to access from your ip", Config, Some(60), ["this machine's address is not one of the application's trusted addresses", "本机地址不在应用的企业可信 IP 中"],
        ["add the address named in errmsg to the application's trusted IPs; it works a minute later", "请把 errmsg 中的地址加入应用的企业可信 IP，一分钟后生效"], CONSOLE),
    row(93000, "invalid webhook url", Config, None, ["no robot has this key", "没有机器人使用这个 key"], NEW_ROBOT, TRY),
    row(93004, "robot disabled", Config, None, ["the robot is disabled", "机器人已被停用"], NEW_ROBOT, TRY),
    row(93008, "not in the group", Config, None, ["the robot is not in the group any more", "机器人已不在群里"], NEW_ROBOT, TRY),
];
