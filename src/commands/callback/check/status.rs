//! Statuses that say by themselves what is wrong: not the program behind the URL answers, or not its route.

use super::client::{Answer, Silence};
use super::finding::{Finding, Question};
use crate::error::Text;
use crate::say;
use reqwest::Url;
use std::time::Duration;

/// An answer later than this has little left of the 5 s.
const LATE: Duration = Duration::from_millis(2500);

/// The finding, where the status is enough.
pub fn speaks(question: Question, answer: &Answer, url: &Url) -> Option<Finding> {
    let status = answer.status;
    let (cause, what, next) = match status {
        300..=399 => redirect(answer, url),
        400 if answer.shown.contains("plain HTTP request was sent to HTTPS port") => (
            "tls_expected",
            say!("this port speaks TLS only"; "该端口只支持 TLS"),
            say!("write https:// instead of http://"; "请把 http:// 改为 https://"),
        ),
        403 | 419 if status == 419 || answer.shown.contains("CSRF") => (
            "csrf",
            say!("the framework refuses a POST without its CSRF token ({status})"; "框架拒绝了没有 CSRF 令牌的 POST（{status}）"),
            say!("take this path out of the CSRF protection"; "请对此路径取消 CSRF 保护"),
        ),
        404 | 410 => (
            "path",
            say!("nothing is found under this path ({status})"; "该路径下没有内容（{status}）"),
            say!(
                "the path of wxops is /wechat/event or /wechat/NAME/event, no slash behind it; the web server must pass it on as it is";
                "wxops 的路径是 /wechat/event 或 /wechat/NAME/event，末尾没有斜杠；Web 服务器须原样转发"
            ),
        ),
        405 | 501 => (
            "method",
            say!("the method is not allowed ({status})"; "不允许该请求方法（{status}）"),
            say!("GET and POST must both reach the program under the same path"; "同一路径的 GET 与 POST 都须到达程序"),
        ),
        408 => (
            "slow_request",
            say!("the server waited for the request in vain (408)"; "服务器没有等到完整的请求（408）"),
            say!("a proxy in between holds the body back: switch its buffering or its filter off here"; "中间的代理扣住了正文：请在此处关闭其缓冲或过滤"),
        ),
        411 | 413 | 414 => (
            "too_large",
            say!("the request is too large for the server ({status})"; "请求超过服务器的限制（{status}）"),
            say!("pushes are up to 30 kB: client_max_body_size 256k in nginx"; "推送可达 30 kB：nginx 请设 client_max_body_size 256k"),
        ),
        429 => (
            "rate_limited",
            say!("the server limits the rate (429)"; "服务器限制了请求频率（429）"),
            say!("take this path out of the limit: pushes come in bursts"; "请对此路径取消限流：推送会成批到来"),
        ),
        503 if question == Question::Push => (
            "not_stored",
            say!("the server cannot take a push now (503)"; "服务器现在无法接收推送（503）"),
            say!(
                "wxops answers so when its database takes no commit: see its log, and /readyz; another program may be stopped";
                "wxops 在数据库无法提交时如此应答：请看日志与 /readyz；若是别的程序，可能已停止"
            ),
        ),
        502..=504 | 520..=530 => (
            "bad_gateway",
            say!("a web server answers, the program behind it does not ({status})"; "Web 服务器有应答，但其后的程序没有（{status}）"),
            say!(
                "is the program running, and does it listen where the web server looks? systemctl status wxops; compare WXOPS_LISTEN";
                "程序是否在运行，监听地址与 Web 服务器的配置是否一致？systemctl status wxops；核对 WXOPS_LISTEN"
            ),
        ),
        401 | 407 => (
            "password",
            say!("a password is asked for ({status})"; "要求输入密码（{status}）"),
            say!("take this path out of the password protection: WeChat has none"; "请对此路径取消密码保护：微信没有密码"),
        ),
        _ => return None,
    };
    Some(Finding::failed(question, cause, what).next(next).of(answer))
}

fn redirect(answer: &Answer, url: &Url) -> (&'static str, Text, Text) {
    let status = answer.status;
    let target = answer.location.as_deref().and_then(|location| url.join(location).ok());
    let next = match &target {
        Some(target) if target.scheme() != url.scheme() && target.path() == url.path() => say!(
            "serve this path on http and https alike, without a redirect; or write the target into the console";
            "请让此路径在 http 与 https 上都直接服务，不要跳转；或在后台填写跳转后的地址"
        ),
        _ => say!(
            "take the redirect away for this path, or write the target into the console";
            "请对此路径取消跳转，或在后台填写跳转后的地址"
        ),
    };
    let to = target.as_ref().map_or_else(|| "?".to_owned(), super::target::shown);
    let what = say!("it is redirected to {to} ({status}) instead of answered"; "没有应答，而是跳转到 {to}（{status}）");
    ("redirect", what, next)
}

/// Why no answer came.
pub fn silent(question: Question, silence: &Silence) -> Finding {
    match silence {
        Silence::TimedOut(limit) if *limit >= super::client::PATIENCE => Finding::unreachable(
            question,
            "slow",
            say!("no answer within 5 s: WeChat hangs up there and sends again"; "5 秒内没有应答：微信到此断开并重发"),
        )
        .next(faster()),
        Silence::TimedOut(limit) => {
            let seconds = limit.as_secs_f64();
            let what = say!(
                "no answer within {seconds:.1} s, all the time that was left (--timeout, else 30 s in all); WeChat waits 5 s";
                "剩余的 {seconds:.1} 秒内没有应答（--timeout，否则总共 30 秒）；微信等待 5 秒"
            );
            Finding::unreachable(question, "slow", what).next(faster())
        }
        Silence::Broken(why) if why.contains("HTTP version") || why.contains("HTTP header") => {
            Finding::failed(question, "no_http", say!("what answers there is no HTTP: {why}"; "应答的不是 HTTP：{why}"))
                .next(say!("is it a port for TLS? Then write https://"; "该端口是否使用 TLS？若是请写 https://"))
        }
        Silence::Broken(why) | Silence::Tls(why) => Finding::unreachable(
            question,
            "broken_off",
            say!("the connection ends without an answer: {why}"; "连接中断，没有应答：{why}"),
        )
        .next(say!(
            "a firewall or filter cut it, or the program died: look at the logs of both";
            "被防火墙或防护切断，或程序崩溃：请查看两者的日志"
        )),
    }
}

/// An answer that came, or nearly too late.
pub fn timely(question: Question, answer: &Answer, what: Text) -> Finding {
    if answer.took < LATE {
        return Finding::ok(question, what).of(answer);
    }
    let (seconds, en, zh) = (answer.took.as_secs_f64(), what.en, what.zh);
    let what = say!(
        "{en}, but only after {seconds:.1} s; WeChat hangs up at 5 s";
        "{zh}，但用了 {seconds:.1} 秒；微信在 5 秒断开"
    );
    Finding::warning(question, "late", what).next(faster()).of(answer)
}

fn faster() -> Text {
    say!(
        "answer first, work later: store the push, answer 200, then do the rest";
        "先应答再处理：存下推送，返回 200，其余稍后执行"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_warned_of() {
        let after = |took| Answer {
            status: 200,
            location: None,
            encoding: None,
            body: Vec::new(),
            shown: String::new(),
            took,
            certificate: None,
        };
        let finding = |took| timely(Question::Push, &after(took), say!("taken"; "已接收"));
        assert_eq!(finding(Duration::from_millis(2400)).cause, None);
        let late = finding(Duration::from_millis(3200));
        assert_eq!(late.cause, Some("late"));
        assert!(late.good() && late.next.is_some());
        assert_eq!(late.what.en, "taken, but only after 3.2 s; WeChat hangs up at 5 s");
    }
}
