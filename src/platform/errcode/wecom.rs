//! The errcodes of WeCom: of its tokens, of an application's messages and of its group robot, by code (WeCom reference 2
//! to 4 and 6).

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
    "copy the webhook's address again from the group (or add a robot to it): for alarms into WXOPS_ALERT_WEBHOOK, for the notification queue its key into WECOM_WEBHOOK_KEY",
    "请在群里重新复制机器人的 Webhook 地址（或新建一个机器人）：告警写入 WXOPS_ALERT_WEBHOOK，通知队列则把其中的 key 写入 WECOM_WEBHOOK_KEY",
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

/// A notification that was given up; what becomes of it is a person's to say.
const DEAD: Step = Step::shell(
    Who::Operator,
    "wxops queue list --state dead",
    "what was given up, and why; queue retry ID sends it again",
    "查看被放弃的通知及原因；queue retry ID 可重新发送",
);
/// The recipients of the queue.
const RECIPIENTS: [&str; 2] = [
    "compare WECOM_TO_USER and the rules' `to` with the address book, and the application's scope in the console",
    "请将 WECOM_TO_USER 与规则中的 to 同通讯录核对，并检查应用的可见范围",
];
/// A template, or what stands in a column.
const WORDS: [&str; 2] = [
    "look at the template and at the member's columns, then run wxops queue retry ID",
    "请检查模板与该会员的字段内容，然后执行 wxops queue retry ID",
];

/// code, errmsg, class, seconds to wait; meaning; action; the next step.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    row(-1, "system error", Platform, Some(5), ["busy", "平台繁忙"], ["wait a few seconds, then again", "等几秒再试"], NOTHING),
    row(0, "ok", Ok, None, ["success", "成功"], ["nothing", "无需处理"], NOTHING),
    row(6000, "data version conflict", Platform, Some(2), ["somebody else changed the same at the same moment", "同一数据同时被他人修改"], ["wait a few seconds, then again", "等几秒再试"], NOTHING),
    row(40001, "invalid credential", Token, Some(0), ["the token, or at gettoken the secret, is wrong, was reset, or the application is disabled", "token 无效；若来自 gettoken，则 Secret 有误、已重置或应用已停用"], TWICE, LOOK),
    row(40003, "invalid userid", Input, None, ["a userid is none", "userid 不正确"], RECIPIENTS, DEAD),
    row(40007, "invalid media_id", Input, None, ["the media_id is none, or its 3 days are over", "media_id 无效，或已超过 3 天有效期"], BUG, REPORT),
    row(40008, "invalid message type", Input, None, ["the msgtype is unknown", "msgtype 不正确"], BUG, REPORT),
    row(40013, "invalid corpid", Config, None, ["the CorpID is wrong", "CorpID 不正确"], SETTINGS, LOOK),
    row(40014, "invalid access_token", Token, Some(0), ["the token is not valid any more", "token 已失效"], TWICE, LOOK),
    row(40031, "invalid userid list", Input, None, ["the list of userids is empty, too long, or holds one that is none", "userid 列表为空、过长或含有无效的 userid"], RECIPIENTS, DEAD),
    row(40035, "invalid parameter", Input, None, ["a parameter is missing or of the wrong kind", "参数缺失或类型不正确"], BUG, REPORT),
    row(40056, "invalid agentid", Config, None, ["there is no application of this AgentId", "AgentId 不存在"], SETTINGS, CONSOLE),
    row(40058, "content exceed max length", Input, None, ["the message is too long, or another of its parts is not as it has to be", "消息过长，或其中某项不符合要求"], BUG, REPORT),
    row(40063, "some parameters are empty", Input, None, ["a part of the message is empty", "消息的某项为空"], WORDS, DEAD),
    row(40091, "invalid secret of another corp", Config, None, ["the Secret belongs to another corporation", "Secret 属于另一家企业"], SETTINGS, LOOK),
    row(41001, "access_token missing", Config, None, ["no token was sent", "请求中没有 token"], BUG, REPORT),
    row(41002, "corpid missing", Config, None, ["no CorpID was sent", "缺少 CorpID"], SETTINGS, LOOK),
    row(41004, "corpsecret missing", Config, None, ["no Secret was sent", "缺少 Secret"], SETTINGS, LOOK),
    row(42001, "access_token expired", Token, Some(0), ["the token has ended", "token 已过期"], TWICE, LOOK),
    row(44004, "empty content", Input, None, ["the message is empty", "消息内容为空"], WORDS, DEAD),
    row(45002, "content size out of limit", Input, None, ["the message is too long", "消息过长"], BUG, REPORT),
    row(45009, "api freq out of limit", Backoff, Some(60), ["too often: over 20 messages of a robot in a minute; over the calls of a minute or hour, or 200 messages a day for each account, of an application; or wrong secrets at gettoken", "调用过于频繁：机器人一分钟内超过 20 条消息；应用超过每分钟、每小时的次数或每天“账号上限×200”人次；或在 gettoken 使用了错误的 Secret"],
        ["of a robot: wait a minute; find out who else sends with the same robot or application; at gettoken: mend the Secret, this address is blocked for an hour", "机器人：等一分钟；请查一下还有谁在用同一机器人或应用发消息；gettoken：请改正 Secret，本机地址被封禁一小时"], NOTHING),
    row(45033, "api concurrent out of limit", Backoff, Some(2), ["too many calls at once", "并发调用超过限制"], ["let fewer run at once: queue drain --concurrency", "请降低并发：queue drain --concurrency"], NOTHING),
    row(48002, "api forbidden", Config, None, ["this token may not call this API: it is of another application, such as the one of the address book", "该 token 无权调用此接口：可能属于另一应用，例如通讯录同步"], SETTINGS, CONSOLE),
    row(50002, "member out of the application's scope", Input, None, ["the application may not see this member, department or tag", "成员、部门或标签不在应用的权限范围内"], RECIPIENTS, DEAD),
    row(50003, "app disabled", Config, None, ["the application is disabled", "应用已被停用"], ["enable it in WeCom's console", "请在企业微信管理后台启用该应用"], CONSOLE),
    row(60011, "no privilege to access/modify contact/party/agent", Input, None, ["the application has no right to this member, department or tag", "应用没有该成员、部门或标签的权限"], RECIPIENTS, DEAD),
    row(60020, "not allow to access from your ip", Config, Some(60), ["this machine's address is not one of the application's trusted addresses", "本机地址不在应用的企业可信 IP 中"],
        ["add the address named in errmsg to the application's trusted IPs; it works a minute later", "请把 errmsg 中的地址加入应用的企业可信 IP，一分钟后生效"], CONSOLE),
    row(81013, "user & party & tag all invalid", Input, None, ["none of the recipients is there, or in the application's scope", "接收人全部不存在，或不在应用可见范围内"], RECIPIENTS, DEAD),
    row(82001, "no recipient", Input, None, ["the message names nobody", "消息没有接收人"], BUG, REPORT),
    row(82002, "too many parties", Input, None, ["over 100 departments in one message", "一条消息超过 100 个部门"], ["divide them among several rules", "请分到多条规则"], DEAD),
    row(82003, "too many tags", Input, None, ["over 100 tags in one message", "一条消息超过 100 个标签"], ["divide them among several rules", "请分到多条规则"], DEAD),
    row(85002, "forbidden words", Input, None, ["the message holds words that the platform forbids", "消息含有平台禁止的词语"], WORDS, DEAD),
    row(93000, "invalid webhook url", Config, None, ["no robot has this key", "没有机器人使用这个 key"], NEW_ROBOT, TRY),
    row(93004, "robot disabled", Config, None, ["the robot is disabled", "机器人已被停用"], NEW_ROBOT, TRY),
    row(93008, "not in the group", Config, None, ["the robot is not in the group any more", "机器人已不在群里"], NEW_ROBOT, TRY),
    row(301002, "not allow operate another agent with this accesstoken", Config, None, ["the AgentId is that of another application than the Secret's", "AgentId 与 Secret 不属于同一应用"], SETTINGS, CONSOLE),
];
