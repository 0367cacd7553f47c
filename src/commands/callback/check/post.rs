//! The POST of a push, and its forged twins.

use super::client::Answer;
use super::finding::{Finding, Question};
use super::letter::{Dress, OPENID, nobodys_token};
use super::probe::Probe;
use super::receipt::{self, Receipt};
use super::refused_push::{Refused, cause};
use super::status;
use crate::domain::account::Mode;
use crate::error::Text;
use crate::say;

/// Sends the push and its forged twins. `proven`: the URL check has shown that the Token is right.
pub async fn judge(probe: &Probe<'_>, proven: bool) -> Vec<Finding> {
    let key = probe.account.aes_keys.first();
    let asked = probe.ask(&probe.writer.push(probe.token, Dress::of(probe.mode, key))).await;
    let answer = match asked.answer {
        Ok(answer) => answer,
        Err(silence) => return vec![status::silent(Question::Push, &silence)],
    };
    let forged = probe.push(&nobodys_token(), Dress::of(probe.mode, key)).await;
    let receipt = receipt::read(probe.account, probe.mode, &answer.body, &answer.shown);
    let push = match (answer.status, receipt) {
        (200, Ok(receipt)) => status::timely(Question::Push, &answer, taken(receipt)),
        (_, receipt) => match status::speaks(Question::Push, &answer, probe.url) {
            Some(finding) if asked.reason.is_none() => finding,
            _ => cause(probe, &Refused { answer: &answer, forged: &forged, receipt, proven }, asked.reason).await,
        },
    };
    let good = push.good();
    let mut findings = vec![push.of(&answer), judge_forged(probe, &answer, forged)];
    if good && probe.mode == Mode::Secure {
        findings.push(clear_push(probe).await);
    }
    findings
}

fn taken(receipt: Receipt) -> Text {
    let (en, zh) = match receipt {
        Receipt::Nothing => ("an empty 200", "空的 200"),
        Receipt::Success => ("`success`", "`success`"),
        Receipt::Reply => ("a reply", "被动回复"),
    };
    say!("taken, answered with {en} (a VIEW event of {OPENID})"; "已接收，应答为{zh}（{OPENID} 的 VIEW 事件）")
}

/// A push with wrong signatures must not be taken.
fn judge_forged(probe: &Probe<'_>, good: &Answer, forged: Option<Answer>) -> Finding {
    let question = Question::ForgedPush;
    let refused = say!("wrong signatures are refused"; "错误的签名被拒绝");
    // To drop the connection is a refusal too.
    let Some(forged) = forged else { return Finding::ok(question, refused) };
    if probe.takes(&forged) {
        let what = say!(
            "a push with wrong signatures is taken: whoever knows the URL may invent messages";
            "签名错误的推送也被接收：知道 URL 的人都能伪造消息"
        );
        return Finding::failed(question, "forged_push", what)
            .next(say!(
                "check signature and msg_signature before anything else; answer 403 where they are wrong";
                "请先验证 signature 与 msg_signature；不符则返回 403"
            ))
            .of(&forged);
    }
    if forged.status == 200 && forged.alike(good) {
        let what = say!("cannot be told: it answers every push alike"; "无法判断：它对每个推送的应答都一样");
        return Finding::skipped(question, what).of(&forged);
    }
    Finding::ok(question, refused).of(&forged)
}

/// In secure mode a clear push is a forgery: its signature covers no body (reference 1.2).
async fn clear_push(probe: &Probe<'_>) -> Finding {
    let question = Question::ClearPush;
    match probe.push(probe.token, Dress::Clear).await {
        Some(answer) if probe.takes(&answer) => {
            let what = say!(
                "a clear push is taken in secure mode: whoever sees one signed query may invent messages under it";
                "安全模式下仍接收明文推送：看到一次带签名的查询串的人就能用它伪造消息"
            );
            Finding::warning(question, "clear_push", what)
                .next(say!(
                    "once the console is in 安全模式, refuse what has no encrypt_type=aes (in wxops: mode secure)";
                    "后台改为安全模式后，请拒绝没有 encrypt_type=aes 的推送（wxops：mode secure）"
                ))
                .of(&answer)
        }
        Some(answer) => Finding::ok(question, say!("a clear push is refused"; "明文推送被拒绝")).of(&answer),
        None => Finding::ok(question, say!("a clear push is refused"; "明文推送被拒绝")),
    }
}
