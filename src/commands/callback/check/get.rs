//! The GET of the console, and its forged twin.

use super::echo;
use super::finding::{Finding, Question};
use super::letter::{echostr, nobodys_token};
use super::probe::{Asked, Probe};
use super::refused_check::cause;
use super::status;
use crate::say;

/// What the URL check found.
pub struct Checked {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Whether the echostr came back: pushes may be tried.
    pub echoed: bool,
    /// Whether a wrong signature is refused, so that the echo proves the Token.
    pub proven: bool,
}

/// Judges the answer to the first GET, and asks further.
pub async fn judge(probe: &Probe<'_>, asked: Asked, echostr: &str) -> Checked {
    let answer = match asked.answer {
        Ok(answer) => answer,
        Err(silence) => return ended(status::silent(Question::UrlCheck, &silence)),
    };
    let Some(around) = echo::around(&answer.body, echostr).filter(|_| answer.status == 200) else {
        let finding = match status::speaks(Question::UrlCheck, &answer, probe.url) {
            Some(finding) if asked.reason.is_none() => finding,
            _ => cause(probe, &answer, asked.reason).await,
        };
        return ended(finding.of(&answer));
    };
    let came = say!("the echostr came back"; "返回了 echostr");
    let first = echo::dressed(&around).unwrap_or_else(|| status::timely(Question::UrlCheck, &answer, came)).of(&answer);
    let forged = forged(probe).await;
    let proven = forged.good();
    Checked { findings: vec![first, forged], echoed: true, proven }
}

fn ended(finding: Finding) -> Checked {
    Checked { findings: vec![finding], echoed: false, proven: false }
}

/// A GET with a wrong signature: never echo before the check (reference 1.1).
async fn forged(probe: &Probe<'_>) -> Finding {
    let (question, echostr) = (Question::ForgedCheck, echostr());
    let refused = say!("a wrong signature is refused"; "错误的签名被拒绝");
    // To drop the connection is a refusal too.
    let Ok(answer) = probe.line.send(&probe.writer.check(&nobodys_token(), &echostr)).await else {
        return Finding::ok(question, refused);
    };
    if answer.status != 200 || echo::around(&answer.body, &echostr).is_none() {
        return Finding::ok(question, refused).of(&answer);
    }
    let what = say!(
        "it echoes without checking the signature: so the echo proves no Token, and anybody may have any text echoed";
        "不验证签名就原样返回：因此无法证明 Token 正确，且任何人都能让它返回任意文字"
    );
    Finding::failed(question, "reflector", what)
        .next(say!("check the signature first, echo only then"; "请先验证签名，再返回 echostr"))
        .of(&answer)
}
