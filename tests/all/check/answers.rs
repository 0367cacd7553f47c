//! What came back instead: something around the echo, another status, another receipt, nothing.

use super::fake::{Fake, Reply, Request};
use super::program::Program;
use super::scene::{Scene, of};
use crate::signer::{Keys, Mode, encrypt, now, signature};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// What is made of an echostr, and the cause that is named.
type Case = (fn(&str) -> Reply, &'static str);

#[tokio::test]
async fn each_thing_around_the_echo_is_named() {
    let scene = Scene::new();
    let cases: [Case; 6] = [
        (|echo| Reply::text(200, format!("{echo}\n")), "echo_line_break"),
        (|echo| Reply::text(200, format!("\u{feff}{echo}")), "echo_bom"),
        (|echo| Reply::text(200, format!("\"{echo}\"")), "echo_quotes"),
        (|echo| Reply::text(200, format!("<html><body>{echo}</body></html>")), "echo_html"),
        (|echo| Reply::text(200, format!("{{\"code\":0,\"data\":\"{echo}\"}}")), "echo_json"),
        (|echo| Reply::text(200, format!("echo: {echo}")), "echo_text"),
    ];
    for (echo, cause) in cases {
        let server = Program { echo, ..Program::default() }.start().await;
        let finding = scene.wrong(&server.url(), "url_check", cause, 1).await;
        assert!(finding["message"].as_str().unwrap().starts_with("the echostr came back, but with "), "{finding}");
    }
}

#[tokio::test]
async fn no_echo_though_the_signature_was_taken() {
    let scene = Scene::new();
    let server = Program { echo: |_| Reply::text(200, "welcome"), ..Program::default() }.start().await;
    let finding = scene.wrong(&server.url(), "url_check", "no_echo", 1).await;
    assert!(finding["message"].as_str().unwrap().contains("welcome"));
}

#[tokio::test]
async fn statuses_name_themselves() {
    let scene = Scene::new();
    for (status, cause) in [
        (301, "redirect"),
        (308, "redirect"),
        (401, "password"),
        (404, "path"),
        (405, "method"),
        (413, "too_large"),
        (429, "rate_limited"),
        (502, "bad_gateway"),
        (503, "bad_gateway"),
    ] {
        // To everything, then to pushes only, in the same sentences.
        let all = Fake::start(move |request| moved(request, status)).await;
        let finding = scene.wrong(&all.url(), "url_check", cause, 1).await;
        assert_eq!(finding["http_status"], status);
        if status < 400 {
            let told = finding["message"].as_str().unwrap();
            assert!(told.contains("https://other.example.com/wechat/event (") && !told.contains('?'), "{told}");
        }
        let program = Program::default();
        let posts = Fake::start(move |request| match request.is_get() {
            true => program.answer(request),
            false => moved(request, status),
        })
        .await;
        match status {
            503 => scene.wrong(&posts.url(), "push", "not_stored", 1).await,
            _ => scene.named(&posts.url(), &[], "push", cause, 1).await,
        };
    }
}

fn moved(request: &Request, status: u16) -> Reply {
    let target = format!("https://other.example.com{}?{}", request.path, request.query);
    Reply::Answer(status, vec![("Location", target)], Vec::new())
}

#[tokio::test]
async fn filters_and_other_programs_are_named() {
    let scene = Scene::new();
    let page = "<html><head><title>405</title></head><body>blocked, request 7f00</body></html>";
    let everything = Fake::start(move |_| Reply::text(403, page)).await;
    scene.wrong(&everything.url(), "url_check", "page", 1).await;
    let home = Fake::start(move |_| Reply::text(200, page)).await;
    scene.wrong(&home.url(), "url_check", "page", 1).await;
    for (status, body, cause) in [
        (403, page, "page"),
        (403, "<h1>Forbidden</h1> CSRF verification failed. Request aborted.", "csrf"),
        (419, "", "csrf"),
        (500, "TypeError: undefined is not a function", "program_error"),
    ] {
        let program = Program::default();
        let posts = Fake::start(move |request| match request.is_get() {
            true => program.answer(request),
            false => Reply::text(status, body),
        })
        .await;
        scene.wrong(&posts.url(), "push", cause, 1).await;
    }
}

#[tokio::test]
async fn what_a_push_is_answered_with() {
    let scene = Scene::new();
    for (body, cause) in [
        ("success\n", "reply_around"),
        ("{\"code\":0}", "reply_text"),
        ("database is locked", "reply_text"),
        ("<xml><ToUserName>o</ToUserName><MsgType>text</MsgType></xml>", "reply_clear"),
    ] {
        let server = Program { receipt: Reply::text(200, body), ..Program::default() }.start().await;
        scene.wrong(&server.url(), "push", cause, 1).await;
    }
    // A handler that answers 200 and an error to everything, also to what is forged.
    let program = Program::default();
    let same = Fake::start(move |request| match request.is_get() {
        true => program.answer(request),
        false => Reply::text(200, "server error"),
    })
    .await;
    scene.wrong(&same.url(), "push", "reply_text", 1).await;
}

/// Nothing, `success` and a reply are all right; so is a reply that comes in pieces.
#[tokio::test]
async fn good_receipts() {
    let keys = Keys::default();
    let reply = |to: &str| {
        format!(
            "<xml><ToUserName>{to}</ToUserName><FromUserName>gh_0123456789ab</FromUserName>\
             <CreateTime>{}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>hi</Content></xml>",
            now()
        )
    };
    let (stamp, sealed) = (now().to_string(), encrypt(&keys, [9; 16], reply("o").as_bytes()));
    let signed = signature(&[&keys.token, &stamp, "n", &sealed]);
    let sealed = format!(
        "<xml><Encrypt>{sealed}</Encrypt><MsgSignature>{signed}</MsgSignature>\
         <TimeStamp>{stamp}</TimeStamp><Nonce>n</Nonce></xml>"
    );
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nsucc\r\n3\r\ness\r\n0\r\n\r\n";
    for (mode, receipt, told) in [
        (Mode::Plain, Reply::status(200), "an empty 200"),
        (Mode::Plain, Reply::text(200, reply("o")), "a reply"),
        (Mode::Compat, Reply::text(200, "success"), "`success`"),
        (Mode::Secure, Reply::text(200, sealed), "a reply"),
        (Mode::Secure, Reply::Raw(chunked.into()), "`success`"),
    ] {
        let mut scene = Scene::new();
        scene.mode = mode;
        let server = Program { receipt, mode, ..Program::default() }.start().await;
        let checks = scene.good(&server.url()).await;
        let push = of(&checks, "push");
        assert!(push["message"].as_str().unwrap().contains(told), "{push}");
        assert!(push["message"].as_str().unwrap().contains("VIEW event of oWXOPS_callback_check_nobody"), "{push}");
    }
}

/// The platform asks for no compression, and neither do we.
#[tokio::test]
async fn compression_is_not_asked_for() {
    let scene = Scene::new();
    let program = Program::default();
    let server = Fake::start(move |request| match program.answer(request) {
        Reply::Answer(200, _, _) if request.is_get() => {
            Reply::Answer(200, vec![("Content-Encoding", "gzip".into())], b"\x1f\x8b\x08\x00".to_vec())
        }
        reply => reply,
    })
    .await;
    scene.wrong(&server.url(), "url_check", "compressed", 1).await;
}

#[tokio::test]
async fn silence_is_exit_69() {
    let scene = Scene::new();
    let silent = Fake::start(|_| Reply::Hang(HOUR)).await;
    let finding = scene.wrong_with(&silent.url(), &["--timeout", "1s"], "url_check", "slow", 69).await;
    assert!(finding["message"].as_str().unwrap().contains("--timeout"), "{finding}");
}

#[tokio::test]
async fn a_slow_push_is_exit_69() {
    let scene = Scene::new();
    let program = Program::default();
    let slow = Fake::start(move |request| match request.is_get() {
        true => program.answer(request),
        false => Reply::Hang(HOUR),
    })
    .await;
    let done = scene.check(&["--json", "--timeout", "2s", &slow.url()]).await.expect_code(69);
    let checks = done.json()[0]["checks"].as_array().unwrap().clone();
    assert_eq!((&of(&checks, "push")["cause"], &of(&checks, "url_check")["verdict"]), (&"slow".into(), &"ok".into()));
}

#[tokio::test]
async fn nobody_there_is_exit_69() {
    let scene = Scene::new();
    let cut = Fake::start(|_| Reply::Cut).await;
    scene.wrong(&cut.url(), "url_check", "broken_off", 69).await;
    let closed = cut.url();
    drop(cut);
    scene.wrong(&closed, "connection", "refused", 69).await;
    scene.wrong("http://wxops-callback-check.invalid/wechat/event", "dns", "dns", 69).await;
}

/// The limit of the platform itself: 5 s.
#[tokio::test]
async fn an_answer_after_5_s_is_too_late() {
    let scene = Scene::new();
    let slow = Fake::start(|_| Reply::Hang(Duration::from_millis(5500))).await;
    let done = scene.check(&["--json", &slow.url()]).await.expect_code(69);
    let checks = done.json()[0]["checks"].as_array().unwrap().clone();
    let finding = of(&checks, "url_check");
    assert_eq!(finding["cause"], "slow");
    assert!(finding["message"].as_str().unwrap().contains("within 5 s"), "{finding}");
}

#[tokio::test]
async fn what_is_no_http_is_named() {
    let scene = Scene::new();
    let alert = Fake::start(|_| Reply::Raw(b"\x15\x03\x01\x00\x02\x02\x46".to_vec())).await;
    scene.wrong(&alert.url(), "url_check", "no_http", 1).await;
    let nginx = "<html><body>400 The plain HTTP request was sent to HTTPS port</body></html>";
    let tls = Fake::start(move |_| Reply::text(400, nginx)).await;
    scene.wrong(&tls.url(), "url_check", "tls_expected", 1).await;
}
