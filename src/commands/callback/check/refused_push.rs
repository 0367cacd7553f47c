//! A push that was not taken though the URL check passed: key, receive-id, mode, or something in between.

use super::client::Answer;
use super::finding::{Finding, Question};
use super::letter::{Dress, nobodys_key};
use super::probe::Probe;
use super::receipt::{self, Receipt};
use super::refusal;
use crate::domain::account::Mode;
use crate::say;
use crate::wire::reason::Reason;

/// What is known of a push that was not taken.
pub struct Refused<'a> {
    /// Its answer.
    pub answer: &'a Answer,
    /// The answer to a forged one.
    pub forged: &'a Option<Answer>,
    /// How the answer reads.
    pub receipt: Result<Receipt, receipt::Wrong>,
    /// The URL check has shown that the Token is right.
    pub proven: bool,
}

/// Asks until one cause is left, or says between which it can't tell.
pub async fn cause(probe: &Probe<'_>, known: &Refused<'_>, reason: Option<Reason>) -> Finding {
    if reason.is_none_or(|reason| reason == Reason::Decrypt)
        && probe.mode != Mode::Plain
        && let Some(finding) = old_key(probe).await
    {
        return finding;
    }
    if let Some(reason) = reason {
        return refusal::counted(Question::Push, reason);
    }
    if known.answer.is_page() && known.answer.status != 200 && known.as_forged() {
        return page(known.answer);
    }
    let as_stranger = as_stranger(probe, known).await;
    // What was opened is a matter of the AppID, whatever else the server takes.
    if (as_stranger || known.answer.status == 200)
        && let Some(finding) = other_mode(probe).await
    {
        return finding;
    }
    match &known.receipt {
        // An answer that is wrong in itself says that, unless it is kept for what can't be opened.
        Err(wrong) if known.answer.status == 200 && (!as_stranger || known.as_forged()) => {
            Finding::failed(Question::Push, wrong.cause, wrong.what.clone()).next(say!(
                "answer with nothing, or with `success`; else the follower reads 该公众号提供的服务出现故障";
                "请返回空内容或 `success`；否则用户会看到“该公众号提供的服务出现故障”"
            ))
        }
        _ => compared(probe, known, as_stranger),
    }
}

impl Refused<'_> {
    /// Whether a forged push is answered in the same way.
    fn as_forged(&self) -> bool {
        self.forged.as_ref().is_some_and(|forged| forged.alike(self.answer))
    }
}

/// Whether a push that nobody can open is answered in the same way; a clear one has only its signature.
async fn as_stranger(probe: &Probe<'_>, known: &Refused<'_>) -> bool {
    if probe.mode == Mode::Plain {
        return known.as_forged();
    }
    let key = nobodys_key();
    let answer = probe.push(probe.token, Dress::of(probe.mode, Some(&key))).await;
    answer.is_some_and(|other| other.alike(known.answer))
}

/// Whether a previous key opens it.
async fn old_key(probe: &Probe<'_>) -> Option<Finding> {
    let key = probe.account.aes_keys.get(1)?;
    let answer = probe.push(probe.token, Dress::of(probe.mode, Some(key))).await?;
    probe.takes(&answer).then(|| {
        let what = say!(
            "the server still has the old EncodingAESKey: WECHAT_AES_KEY_PREVIOUS opens, WECHAT_AES_KEY does not";
            "服务器仍在用旧 EncodingAESKey：WECHAT_AES_KEY_PREVIOUS 可解密，WECHAT_AES_KEY 不行"
        );
        Finding::failed(Question::Push, "aes_key_previous", what).next(say!(
            "give the server the new key beside the old one and restart it, before the console is changed";
            "请先让服务器同时配置新旧密钥并重启，再改后台"
        ))
    })
}

/// Whether it takes a push of the other kind: clear where we encrypted, encrypted where we did not.
async fn other_mode(probe: &Probe<'_>) -> Option<Finding> {
    let key = probe.account.aes_keys.first()?;
    let encrypted = probe.mode != Mode::Plain;
    let other = if encrypted { Dress::Clear } else { Dress::Sealed(key) };
    probe.push(probe.token, other).await.filter(|answer| probe.takes(answer))?;
    if !encrypted {
        let what = say!("the server takes encrypted pushes only: it is in secure mode"; "服务器只接受加密的推送：它处于安全模式");
        return Some(Finding::failed(Question::Push, "encrypts", what).next(say!(
            "choose 安全模式 in the console (and check with --mode secure), or set the server to plain";
            "请在后台选择安全模式（并用 --mode secure 检查），或把服务器改为明文模式"
        )));
    }
    let what = say!(
        "the server takes clear pushes and refuses ours encrypted: it has no EncodingAESKey (plain mode), or it takes both and has another key or AppID";
        "服务器接受明文推送而拒绝我们的加密推送：它没有 EncodingAESKey（明文模式），或两者都收而密钥或 AppID 不同"
    );
    Some(Finding::failed(Question::Push, "no_key", what).next(say!(
        "give it the EncodingAESKey of the console (WECHAT_AES_KEY) and restart it; if it has one, compare key and AppID";
        "请为它配置后台的 EncodingAESKey（WECHAT_AES_KEY）并重启；若已配置，请核对密钥与 AppID"
    )))
}

/// Told by comparing with a push that nobody can open and with a forged one. Where a log must decide, the refusals
/// that this check itself causes stand in it too: the sentences leave them out.
fn compared(probe: &Probe<'_>, known: &Refused<'_>, as_stranger: bool) -> Finding {
    let failed = |cause, what| Finding::failed(Question::Push, cause, what);
    let code = known.answer.status;
    if code >= 500 && known.as_forged() {
        return failed(
            "program_error",
            say!("the program fails on every push ({code})"; "程序处理每个推送都失败（{code}）"),
        )
        .next(say!("look at its log of this moment"; "请看它此刻的日志"));
    }
    if !known.proven && known.as_forged() {
        let what = say!(
            "the push is refused as a forged one is ({code}): another Token, or another key; it echoes everything, so the URL check proves neither";
            "推送与伪造的一样被拒绝（{code}）：Token 或密钥不同；它对任何请求都返回 echostr，URL 校验证明不了什么"
        );
        return failed("token_or_aes_key", what).next(say!(
            "look at the server's log of this moment; in wxops a line of reason=decrypt is the EncodingAESKey, appid the AppID, nothing but signature the Token";
            "请看服务器此刻的日志；wxops 中有 reason=decrypt 是 EncodingAESKey，有 appid 是 AppID，只有 signature 是 Token"
        ));
    }
    match (probe.mode, as_stranger) {
        (Mode::Plain, _) => failed(
            "clear_refused",
            say!(
                "the Token is right, and a clear push is refused ({code}): the server expects encryption, or another original id (gh_…)";
                "Token 正确，但明文推送被拒绝（{code}）：服务器要求加密，或原始 ID（gh_…）不同"
            ),
        )
        .next(say!(
            "look at the server's log of this moment; in wxops reason=downgrade is the mode, foreign_account the original id";
            "请看服务器此刻的日志；wxops 中 reason=downgrade 是模式，foreign_account 是原始 ID"
        )),
        (_, true) => failed(
            "aes_key_or_receive_id",
            say!(
                "the Token is right, and the push is refused as one that nobody can open ({code}): another EncodingAESKey or another AppID; from outside they look the same";
                "Token 正确，但推送与无法解密的一样被拒绝（{code}）：EncodingAESKey 或 AppID 不同；从外面无法区分"
            ),
        )
        .next(say!(
            "look at the server's log of this moment; in wxops a line of reason=appid is the AppID, foreign_account the original id, no_key a missing key; without any of them reason=decrypt is the EncodingAESKey (signature and downgrade are this check's own forgeries)";
            "请看服务器此刻的日志；wxops 中有 reason=appid 是 AppID，有 foreign_account 是原始 ID，有 no_key 是缺少密钥；都没有时 reason=decrypt 是 EncodingAESKey（signature 与 downgrade 出自本检查的伪造请求）"
        )),
        (_, false) => failed(
            "receive_id",
            say!(
                "the server opens the push (it answers otherwise to one that nobody can open) and refuses it ({code}): another AppID, or another original id (gh_…)";
                "服务器能解密（对无法解密的推送应答不同），但拒绝接收（{code}）：AppID 或原始 ID（gh_…）不同"
            ),
        )
        .next(say!(
            "compare WECHAT_APP_ID, and WECHAT_ORIGINAL_ID where the server compares it, with the console";
            "请核对 WECHAT_APP_ID 与后台；若服务器比较原始 ID，也请核对 WECHAT_ORIGINAL_ID"
        )),
    }
}

fn page(answer: &Answer) -> Finding {
    let (code, shown) = (answer.status, &answer.shown);
    let what = say!(
        "a page answers every POST ({code}: {shown}): a filter in front, or another program";
        "每个 POST 都得到网页（{code}：{shown}）：前面有防护，或是别的程序"
    );
    Finding::failed(Question::Push, "page", what).next(say!(
        "let POST with an XML body pass on this path";
        "请在此路径上放行带 XML 正文的 POST"
    ))
}
