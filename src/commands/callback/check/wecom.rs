//! The same of a WeCom application: its console's GET, whose echostr is sealed, and a sealed POST, each also forged
//! (WeCom reference 5). Its one signature covers what is sealed, so that to the outside Token, key and CorpID can't be
//! told apart; a `serve` on this machine that counts reasons tells.

use super::client::{Answer, Deadline, Line, Silence};
use super::finding::{Finding, Question};
use super::letter::{echostr, nobodys_token};
use super::probe::{Asked, ask};
use super::wecom_letter::{USERID, Writer};
use super::witness::Witness;
use super::{Progress, echo, status, talk, target};
use crate::config::Config;
use crate::domain::account::{Platform, WeCom};
use crate::error::{Error, Result};
use crate::say;
use crate::wire::advice;
use reqwest::Url;
use std::net::SocketAddr;
use std::time::Duration;

/// The console waits for the echo no longer.
const ECHO_WITHIN: Duration = Duration::from_secs(1);

/// The applications that are checked: the one that was named, the only account there is, with `all` each that receives;
/// where nobody is named, whose callbacks arrive at this URL.
pub fn chosen<'a>(config: &'a Config, url: Option<&str>) -> Vec<&'a WeCom> {
    let url = url.filter(|_| config.account.is_none()).and_then(|url| Url::parse(url).ok());
    if let Some(url) = url.filter(|url| url.path().starts_with("/wecom/")) {
        let arrives = |wecom: &&WeCom| {
            wecom.receives()
                && [config.wecom_path(wecom), format!("/wecom/{}/event", wecom.name)]
                    .iter()
                    .any(|path| path == url.path())
        };
        return config.wecoms.iter().filter(arrives).collect();
    }
    if config.account.as_deref() == Some("all") {
        return config.wecoms.iter().filter(|wecom| wecom.receives()).collect();
    }
    let named = config.access(None).ok().map(|access| &access.name);
    config.wecoms.iter().filter(|wecom| Some(&wecom.name) == named).collect()
}

/// The URL of the application by the configuration.
pub fn configured(config: &Config, account: &WeCom) -> Result<Url> {
    target::below(config, &config.wecom_path(account))
}

/// Refuses an application whose callbacks nobody could sign.
pub fn signable(account: &WeCom) -> Result<()> {
    let name = &account.name;
    match account.receives() {
        true => Ok(()),
        false => Err(Error::config(say!(
            "application {name} has no Token and no EncodingAESKey";
            "应用 {name} 没有设置 Token 与 EncodingAESKey"
        ))
        .next(say!(
            "set WECOM_TOKEN and WECOM_AES_KEY, or token and aes_key in [wecom.{name}], as its console shows them (接收消息)";
            "请设置 WECOM_TOKEN 与 WECOM_AES_KEY，或 [wecom.{name}] 中的 token 与 aes_key，与应用“接收消息”页一致"
        ))),
    }
}

/// Everything that is said to an open port.
pub struct Talk<'a> {
    pub config: &'a Config,
    pub account: &'a WeCom,
    pub url: &'a Url,
    /// Its addresses that take connections.
    pub open: &'a [SocketAddr],
    pub deadline: Deadline,
    pub sign: &'a Progress,
}

impl Talk<'_> {
    /// Says it all; `no_post` leaves the pushes out.
    pub async fn all(&self, no_post: bool) -> Result<Vec<Finding>> {
        let now = self.config.clock.now();
        let round = Round {
            line: Line::to(self.url, self.open, self.deadline)?,
            url: self.url,
            writer: Writer::new(self.account, now.timestamp()),
            witness: Witness::find(self.config).await,
        };
        self.sign.of_life(Question::UrlCheck);
        let echostr = echostr();
        let first = round.ask(&round.writer.check(None, &echostr)).await;
        let (mut findings, go_on) = talk::tls((self.url, self.open), &round.line, &first, now).await;
        if !go_on {
            return Ok(findings);
        }
        let echoed = round.echoed(first, &echostr);
        let good = echoed.good();
        findings.push(echoed);
        if good {
            findings.push(round.forged_check().await);
        }
        if no_post {
            findings.push(Finding::skipped(Question::Push, say!("left out by --no-post"; "因 --no-post 未检查")));
        } else if good {
            self.sign.of_life(Question::Push);
            findings.extend(round.pushes().await);
        } else {
            let what = say!("not tried: the URL check comes first"; "未检查：须先通过 URL 校验");
            findings.push(Finding::skipped(Question::Push, what));
        }
        Ok(findings)
    }
}

/// What the questions share.
struct Round<'a> {
    line: Line,
    url: &'a Url,
    writer: Writer<'a>,
    witness: Option<Witness>,
}

impl Round<'_> {
    async fn ask(&self, letter: &super::letter::Letter) -> Asked {
        ask(&self.line, self.witness.as_ref(), letter).await
    }

    /// What came back of the console's question.
    fn echoed(&self, asked: Asked, echostr: &str) -> Finding {
        let question = Question::UrlCheck;
        let answer = match &asked.answer {
            Ok(answer) => answer,
            Err(silence) => return status::silent(question, silence),
        };
        let Some(around) = echo::around(&answer.body, echostr).filter(|_| answer.status == 200) else {
            return self.refused(question, answer, &asked);
        };
        if let Some(finding) = echo::dressed(&around) {
            return finding.of(answer);
        }
        let came = say!("the echostr came back, opened"; "返回了解密后的 echostr");
        if answer.took > ECHO_WITHIN {
            let seconds = answer.took.as_secs_f64();
            let what = say!(
                "it came back after {seconds:.1} s only; WeCom's console waits 1 s";
                "{seconds:.1} 秒后才返回；企业微信后台只等 1 秒"
            );
            return Finding::failed(question, "slow", what).of(answer);
        }
        Finding::ok(question, came).of(answer)
    }

    /// Why a question or a push was not taken, as far as it can be told.
    fn refused(&self, question: Question, answer: &Answer, asked: &Asked) -> Finding {
        if let Some(reason) = asked.reason {
            let name = reason.as_str();
            let told = advice::of_reason(Platform::WeCom, reason);
            let (en, zh) = (told.cause.en, told.cause.zh);
            let what = say!("{en} (wxops serve on this machine counts reason={name})"; "{zh}（本机的 wxops serve 计入 reason={name}）");
            return Finding::failed(question, name, what).next(told.mend).of(answer);
        }
        if let Some(finding) = status::speaks(question, answer, self.url) {
            return finding;
        }
        let (status, shown) = (answer.status, &answer.shown);
        let what = match status {
            200 => say!("it answers with something else: {shown}"; "返回的是别的内容：{shown}"),
            _ => say!("it is refused ({status})"; "被拒绝（{status}）"),
        };
        Finding::failed(question, "refused", what)
            .next(say!(
                "compare Token, EncodingAESKey and CorpID there with those of this configuration; see that a proxy passes the query on as it came. The echostr must come back decrypted, and nothing else with it";
                "请核对那里的 Token、EncodingAESKey、CorpID 与此处的配置；确认代理原样转发查询串。须返回解密后的 echostr，且不含其他内容"
            ))
            .of(answer)
    }

    /// The question with a wrong signature must not be answered.
    async fn forged_check(&self) -> Finding {
        let (question, echostr) = (Question::ForgedCheck, echostr());
        let refused = say!("a wrong signature is refused"; "错误的签名被拒绝");
        let Ok(answer) = self.line.send(&self.writer.check(Some(&nobodys_token()), &echostr)).await else {
            return Finding::ok(question, refused);
        };
        if answer.status != 200 || echo::around(&answer.body, &echostr).is_none() {
            return Finding::ok(question, refused).of(&answer);
        }
        let what = say!(
            "it decrypts without checking the signature: anybody may try keys and texts on it";
            "不验证签名就解密：任何人都可以拿它试探"
        );
        Finding::failed(question, "reflector", what)
            .next(say!("check msg_signature first, decrypt only then"; "请先验证 msg_signature，再解密"))
            .of(&answer)
    }

    /// A push, and two that nobody should take.
    async fn pushes(&self) -> Vec<Finding> {
        let asked = self.ask(&self.writer.push(None)).await;
        let push = match &asked.answer {
            Err(silence) => return vec![status::silent(Question::Push, silence)],
            Ok(answer) if answer.status == 200 => {
                let taken = say!("taken (a view event of {USERID})"; "已接收（{USERID} 的 view 事件）");
                status::timely(Question::Push, answer, taken).of(answer)
            }
            Ok(answer) => self.refused(Question::Push, answer, &asked),
        };
        let forged = self.line.send(&self.writer.push(Some(&nobodys_token()))).await;
        let forged = not_taken(Question::ForgedPush, "forged_push", forged);
        let clear = not_taken(Question::ClearPush, "clear_push", self.line.send(&self.writer.clear()).await);
        vec![push, forged, clear]
    }
}

/// What nobody has signed, or sealed, must be refused. To drop the connection is a refusal too.
fn not_taken(question: Question, cause: &'static str, answer: Result<Answer, Silence>) -> Finding {
    let refused = say!("it is refused"; "被拒绝");
    let Ok(answer) = answer else { return Finding::ok(question, refused) };
    if answer.status != 200 {
        return Finding::ok(question, refused).of(&answer);
    }
    let what = say!(
        "it is taken, or answered as a good one: whoever knows the URL may invent messages";
        "也被接收，或应答与正常推送一样：知道 URL 的人都能伪造消息"
    );
    Finding::warning(question, cause, what)
        .next(say!("check msg_signature over Encrypt before anything else; answer 403 where it is wrong"; "请先用 Encrypt 验证 msg_signature；不符则返回 403"))
        .of(&answer)
}
