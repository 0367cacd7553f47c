//! A URL check without an echo, where the status alone does not say why: Token, query, or another program.

use super::client::Answer;
use super::echo;
use super::finding::{Finding, Question};
use super::letter::{bare, echostr, nobodys_token};
use super::probe::Probe;
use super::refusal;
use crate::say;
use crate::wire::reason::Reason;

/// Known Tokens that are tried when the current one is refused.
const TRIES: usize = 4;

/// Asks until one cause is left, or says between which it can't tell.
pub async fn cause(probe: &Probe<'_>, answer: &Answer, reason: Option<Reason>) -> Finding {
    if reason.is_none_or(|reason| reason == Reason::Signature)
        && let Some(finding) = another_token(probe).await
    {
        return finding;
    }
    match reason {
        Some(reason) => refusal::counted(Question::UrlCheck, reason),
        None => compared(probe, answer).await,
    }
}

/// Whether a Token that we know, but not the current one, is taken.
async fn another_token(probe: &Probe<'_>) -> Option<Finding> {
    let previous = probe.account.tokens.iter().skip(1).map(|token| (token, None));
    let others = probe.others.iter().flat_map(|other| other.tokens.iter().map(|token| (token, Some(&other.name))));
    for (token, name) in previous.chain(others).take(TRIES) {
        let echostr = echostr();
        let Ok(answer) = probe.line.send(&probe.writer.check(token, &echostr)).await else { continue };
        if answer.status == 200 && echo::around(&answer.body, &echostr).is_some() {
            return Some(match name {
                None => old_token(),
                Some(name) => others_token(name),
            });
        }
    }
    None
}

fn old_token() -> Finding {
    let what = say!(
        "the server still has the old Token: WECHAT_TOKEN_PREVIOUS is taken, WECHAT_TOKEN is not";
        "服务器仍在用旧 Token：WECHAT_TOKEN_PREVIOUS 可通过，WECHAT_TOKEN 不行"
    );
    Finding::failed(Question::UrlCheck, "token_previous", what).next(say!(
        "give the server the new Token beside the old one and restart it, before the console is changed";
        "请先让服务器同时配置新旧 Token 并重启，再改后台"
    ))
}

fn others_token(name: &str) -> Finding {
    let what =
        say!("this URL belongs to the account {name}: its Token is taken"; "此 URL 属于账号 {name}：它的 Token 可通过");
    Finding::failed(Question::UrlCheck, "other_account", what).next(say!(
        "use --account {name}, or the path of the account: /wechat/NAME/event";
        "请用 --account {name}，或该账号自己的路径 /wechat/NAME/event"
    ))
}

/// Told by comparing: the good signature, a wrong one, no query.
async fn compared(probe: &Probe<'_>, answer: &Answer) -> Finding {
    let failed = |cause, what| Finding::failed(Question::UrlCheck, cause, what);
    let (code, shown) = (answer.status, &answer.shown);
    if answer.encoding.is_some() {
        return failed(
            "compressed",
            say!("the answer is compressed though nobody asked for it"; "未要求压缩，应答却被压缩"),
        )
        .next(say!(
            "switch compression off for this path";
            "请对此路径关闭压缩"
        ));
    }
    let wrong = probe.line.send(&probe.writer.check(&nobodys_token(), &echostr())).await;
    let none = probe.line.send(&bare()).await;
    let as_wrong = wrong.is_ok_and(|other| other.alike(answer));
    let as_none = none.is_ok_and(|other| other.alike(answer));
    if as_wrong && as_none && answer.is_page() {
        let what = say!(
            "a page answers, whatever is asked ({code}: {shown}): a filter in front, another program, or one that says so to every refusal";
            "无论请求什么都返回网页（{code}：{shown}）：前面的防护、别的程序，或对所有拒绝都如此应答的程序"
        );
        return failed("page", what).next(say!(
            "is it the right path, and does the web server pass it on? Is there a filter that lets only browsers pass? If the page is the program's own, look at its log: Token, or no query";
            "路径是否正确、Web 服务器是否已转发？是否有只放行浏览器的防护？若网页出自程序本身，请看其日志：Token 不符，或没有查询串"
        ));
    }
    match (as_wrong, as_none) {
        (true, false) => failed(
            "token",
            say!(
                "the server refuses our signature as it refuses a wrong one: it has another Token ({code})";
                "服务器拒绝我们的签名，与拒绝错误签名一样：其 Token 不同（{code}）"
            ),
        )
        .next(say!(
            "compare the Token of the server, of this configuration and of the console, letter by letter; restart the server after a change";
            "请逐字核对服务器、这里的配置与后台三处的 Token；修改后重启服务器"
        )),
        (true, true) => failed(
            "token_or_query",
            say!(
                "the server answers {code} to our signature, to a wrong one and to no query alike: another Token, or a proxy that drops or doubles the query; from outside they look the same";
                "无论签名正确、错误或没有查询串，服务器都返回 {code}：Token 不同，或代理丢掉、重复了查询串；从外面无法区分"
            ),
        )
        .next(say!(
            "look at the server's log of this moment; in wxops a line of reason=duplicate_parameter is a doubled query, one of reason=signature the Token, nothing but missing_parameter a dropped query";
            "请看服务器此刻的日志；wxops 中有 reason=duplicate_parameter 是查询串重复，有 reason=signature 是 Token，只有 missing_parameter 是查询串丢失"
        )),
        (false, _) => failed(
            "no_echo",
            say!(
                "the signature was taken, as it is not answered like a wrong one, but no echostr came back ({code}: {shown})";
                "签名已通过（应答与错误签名不同），但没有返回 echostr（{code}：{shown}）"
            ),
        )
        .next(say!("answer the bare echostr of the query with 200"; "请以 200 原样返回查询串中的 echostr")),
    }
}
