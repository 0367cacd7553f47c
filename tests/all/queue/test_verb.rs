//! `queue test`: one message, made and sent as a notification would be, and no row of the queue.

use crate::drain::{CORP, Crm, stories};
use crate::stage::Stage;
use serde_json::Value;

const SEND: &str = "/cgi-bin/message/send";

stories! {
    a_message_goes_out_and_leaves_no_row,
    rules_columns_and_members_say_what_it_tells,
    who_is_not_reached_is_named,
    what_the_platform_says_is_the_exit_code,
    many_are_asked_for_first,
    the_pace_counts_it_like_any_message,
    a_robot_says_it_too,
}

/// A test with these arguments; its report.
async fn test(crm: &Crm, args: &[&str], code: i32) -> Value {
    let args = [&["--json", "queue", "test"], args].concat();
    crm.stage.verb(&args).await.expect_code(code).json().pop().unwrap_or_default()
}

/// What a refused test says on stderr.
async fn refused(crm: &Crm, args: &[&str], code: i32) -> String {
    let args = [&["queue", "test"], args].concat();
    crm.stage.verb(&args).await.expect_code(code).stderr
}

async fn rows(crm: &Crm) -> i64 {
    crm.stage.number("SELECT COUNT(*) FROM member_notification_queue").await
}

async fn a_message_goes_out_and_leaves_no_row(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    let shown = test(&crm, &["-n"], 0).await;
    assert_eq!(
        (&shown["dry_run"], &shown["sent"], &shown["recipients"][0]),
        (&true.into(), &false.into(), &"user:zhang".into())
    );
    assert_eq!(
        (&shown["request"]["touser"], &shown["request"]["enable_duplicate_check"]),
        (&"zhang".into(), &1.into())
    );
    assert!(crm.platform.calls(SEND).await.is_empty() && crm.received().await.is_empty());

    // Twice the same is two messages: the platform takes neither for a repetition.
    for count in 1..=2 {
        let sent = test(&crm, &[], 0).await;
        assert_eq!(
            (&sent["sent"], &sent["via"], &sent["rule_line"]),
            (&true.into(), &"app".into(), &Value::Null),
            "{sent}"
        );
        assert!(sent["msgid"].as_str().is_some_and(|id| !id.is_empty()), "{sent}");
        assert_eq!(crm.received().await.len(), count);
    }
    let (who, said) = crm.received().await.remove(0);
    assert_eq!(who, "zhang");
    assert!(said.contains("TEST001") && said.contains("测试会员") && said.contains("138****8000"), "{said}");
    assert_eq!(rows(&crm).await, 0, "no row was made");

    let text = crm.stage.verb(&["queue", "test"]).await.expect_code(0).stdout;
    assert!(text.contains("none fits: as [queue] says") && text.contains("sent       msgid "), "{text}");
    let zh = crm.stage.verb(&["--lang", "zh", "queue", "test"]).await.expect_code(0).stdout;
    assert!(zh.contains("没有规则符合") && zh.contains("已发送  msgid "), "{zh}");
    let quiet = crm.stage.verb(&["-q", "queue", "test"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

async fn rules_columns_and_members_say_what_it_tells(stage: Stage) {
    let rule = "[[queue.rule]]\nwhen = 'type = \"VIP\"'\nto = [\"li\"]\n[[queue.rule]]\nkinds = [\"status\"]\nto = [\"wang\"]\n";
    let crm = Crm::new(stage, &[], "zhang", rule).await;
    let whom = async |args: &[&str]| {
        let shown = test(&crm, &[&["-n"], args].concat(), 0).await;
        (shown["recipients"][0].as_str().unwrap().to_owned(), shown["rule_line"].is_null())
    };
    assert_eq!(whom(&[]).await, ("user:zhang".into(), true));
    assert_eq!(whom(&["--set", "type=VIP"]).await, ("user:li".into(), false));
    assert_eq!(whom(&["--kind", "status"]).await, ("user:wang".into(), false));
    assert_eq!(whom(&["--set", "type=VIP", "--to", "zhao"]).await, ("user:zhao".into(), false));
    let near = refused(&crm, &["-n", "--set", "nicknam=x"], 2).await;
    assert!(near.contains("no column nicknam is told of") && near.contains("did you mean nickname?"), "{near}");
    let wrong = refused(&crm, &["-n", "--to", "part:2"], 2).await;
    assert!(wrong.contains("did you mean party:2?"), "{wrong}");
    let shop = test(&crm, &["--set", "nickname=<@all> [x](http://y)", "--set", "wechat=NULL"], 0).await;
    assert!(shop["sent"] == true && !shop["request"].to_string().contains("<@all>"), "{shop}");

    // A real member is only read.
    crm.register(1, 1).await;
    let before = crm.stage.rows("SELECT * FROM members").await;
    let real = test(&crm, &["--member", "1"], 0).await;
    assert!(real["request"].to_string().contains("member 0"), "{real}");
    let none = refused(&crm, &["--member", "99"], 1).await;
    assert!(none.contains("has no member 99"), "{none}");
    assert_eq!((crm.stage.rows("SELECT * FROM members").await, rows(&crm).await), (before, 1));
}

async fn who_is_not_reached_is_named(stage: Stage) {
    let crm = Crm::new(stage, &["--wecom-invalid", "gone"], "zhang|gone", "").await;
    let done = crm.stage.verb(&["--json", "queue", "test"]).await.expect_code(3);
    let shown = done.json().remove(0);
    assert_eq!((&shown["sent"], &shown["invalid_users"][0]), (&true.into(), &"gone".into()), "{shown}");
    assert!(done.stderr.contains("invaliduser: gone"), "{}", done.stderr);
    let nobody = refused(&crm, &["--to", "gone"], 1).await;
    assert!(nobody.contains("errcode 81013"), "{nobody}");
    // What was refused takes nothing from the pace.
    assert_eq!(crm.stage.number("SELECT COUNT(*) FROM send_pace WHERE recipient = 'gone'").await, 1);
}

async fn what_the_platform_says_is_the_exit_code(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    for (fault, code, words) in [
        ("lost-answer@/cgi-bin/message/send=1", 4, "another test is another message"),
        ("ip-not-listed@wecom=1", 77, "60020"),
        ("busy@/cgi-bin/message/send=1", 69, "errcode -1"),
        ("quota@/cgi-bin/message/send=1", 69, "45009"),
    ] {
        crm.platform.faults(&[fault]).await;
        let says = refused(&crm, &[], code).await;
        assert!(says.contains(words), "{fault}: {says}");
    }
    crm.platform.faults(&[]).await;
    let calls = crm.platform.calls(SEND).await.len();
    let paused = refused(&crm, &[], 69).await;
    assert!(paused.contains("message/send is paused until"), "{paused}");
    assert_eq!(crm.platform.calls(SEND).await.len(), calls, "a way that is paused is not asked");
    crm.stage.execute("DELETE FROM channel").await;
    test(&crm, &[], 0).await;

    crm.app = String::new();
    crm.configure();
    let nobody = refused(&crm, &[], 78).await;
    assert!(nobody.contains("nobody is to be told") && nobody.contains("WECOM_TO_USER"), "{nobody}");
    test(&crm, &["--to", "zhang"], 0).await;
    crm.stage.execute("DROP TABLE member_notification_queue").await;
    let gone = refused(&crm, &["--to", "zhang"], 78).await;
    assert!(gone.contains("wxops queue install"), "{gone}");
    test(&crm, &["--to", "zhang", "-n"], 0).await;
}

async fn many_are_asked_for_first(stage: Stage) {
    let crm = Crm::new(stage, &[], "party:2", "").await;
    for args in [&[][..], &["--to", "@all"], &["--to", "zhang|tag:3"]] {
        let asks = refused(&crm, args, 2).await;
        assert!(asks.contains("a test message goes to") && asks.contains("--yes"), "{asks}");
    }
    assert!(crm.platform.calls(SEND).await.is_empty());
    test(&crm, &["--to", "@all", "-n"], 0).await;
    let sent = test(&crm, &["--to", "tag:3", "--yes"], 0).await;
    assert_eq!(sent["request"]["totag"], "3");
    assert_eq!(crm.platform.codes(SEND).await, [0]);
}

async fn the_pace_counts_it_like_any_message(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    test(&crm, &[], 0).await;
    let mine = format!("SELECT COUNT(*) FROM send_pace WHERE app = '{CORP}:1000002' AND recipient = 'zhang'");
    assert_eq!(crm.stage.number(&mine).await, 1);
    // With 29 more the minute is full.
    for id in 1..30 {
        let sql = "INSERT INTO send_pace (app, recipient, queue_id, sent_at) SELECT app, recipient";
        crm.stage.execute(&format!("{sql}, {id}, sent_at FROM send_pace WHERE queue_id > 1000 LIMIT 1")).await;
    }
    let spent = refused(&crm, &[], 69).await;
    assert!(spent.contains("the pace of zhang is spent") && spent.contains("may go out in"), "{spent}");
    assert_eq!((crm.received().await.len(), crm.stage.number(&mine).await), (1, 30));
    test(&crm, &["--to", "li"], 0).await;
    crm.pass_time(62).await;
    test(&crm, &[], 0).await;
    assert_eq!(crm.told().await["dropped"], 0);
}

async fn a_robot_says_it_too(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    let none = refused(&crm, &["--via", "robot"], 78).await;
    assert!(none.contains("webhook_key"), "{none}");
    crm.with_robot();
    let said = test(&crm, &["--via", "robot"], 0).await;
    assert_eq!((&said["via"], &said["sent"]), (&"robot".into(), &true.into()), "{said}");
    assert_eq!(crm.told().await["robot"]["received"], 1);
    assert_eq!(crm.stage.number("SELECT COUNT(*) FROM send_pace WHERE recipient = 'robot'").await, 1);
    let key = crm.app.split("webhook_key = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(!said.to_string().contains(&key));
}
