//! Whole messages, from a configuration to the bytes of a request.

#![allow(clippy::unwrap_used)]

use super::{Book, Plan};
use crate::config::{Config, Environment, Sources};
use crate::domain::notice::{Kind, Notice, Recipient, Via};
use crate::error::{Error, Then};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

const APP: &str =
    "[wecom.crm]\ncorp_id = 'ww1'\nagent_id = 1000002\nsecret = 's'\nto_user = 'zhang|Li'\nwebhook_key = 'k'\n";

/// A folder with a configuration and templates.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new(toml: &str) -> Scene {
        let scene = Scene(tempfile::tempdir().unwrap());
        scene.file("wxops.toml", toml)
    }

    fn file(self, name: &str, text: &str) -> Scene {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    fn book(&self) -> Result<Book, Error> {
        let dir = self.0.path();
        Book::open(&Config::load(&Sources {
            flags: Default::default(),
            env: Environment::default(),
            config: None,
            dir: dir.to_owned(),
            etc: dir.join("etc/wxops.toml"),
            uid: std::fs::metadata(dir).unwrap().uid(),
            container: false,
        })?)
    }

    /// What it is refused with: exit 78, with the folder's path as `DIR`.
    fn refused(&self) -> String {
        let error = self.book().unwrap_err();
        assert_eq!(error.kind.exit_code(), 78, "{error:?}");
        let next = error.next.map_or_else(String::new, |next| next.en);
        format!("{}; {next}", error.what.en).replace(&self.0.path().display().to_string(), "DIR")
    }
}

fn notice(id: i64, kind: Kind, payload: Value) -> Notice {
    Notice { id, member_id: 40 + id, kind, payload: payload.as_object().unwrap().clone(), created_ms: 0 }
}

fn member() -> Value {
    json!({
        "member_no": "A1", "nickname": "小明", "wechat": "xm_1", "phone": "13800138000", "type": "VIP", "gender": "male",
        "status": "ACTIVE", "remaining_matches": 3, "created_at": "2026-11-28 10:00:30.000000",
    })
}

/// The request that the plan of a notice leads to.
fn request(book: &Book, notice: &Notice) -> Value {
    let plan = book.plan(notice).unwrap();
    by(book, notice, &plan, plan.via)
}

fn by(book: &Book, notice: &Notice, plan: &Plan, via: Via) -> Value {
    let body = book.body(notice, plan, via, &plan.to).unwrap();
    assert_eq!(body, book.body(notice, plan, via, &plan.to).unwrap(), "the same bytes");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn without_a_rule_all_that_is_known_is_told() {
    let book = Scene::new(APP).book().unwrap();
    let plan = book.plan(&notice(7, Kind::New, member())).unwrap();
    assert_eq!((plan.via, plan.fallback), (Via::App, None));
    assert_eq!(
        request(&book, &notice(7, Kind::New, member())),
        json!({
            "touser": "zhang|Li", "agentid": 1_000_002, "msgtype": "text", "enable_duplicate_check": 1, "duplicate_check_interval": 14400,
            "text": { "content": "新会员登记\n编号：A1\n昵称：小明\n微信：xm_1\n电话：138****8000\n类型：VIP\n性别：男\n状态：ACTIVE\n\
                剩余次数：3\n登记时间：2026-11-28 10:00\n通知号 7" },
        })
    );
    // Two members of whom nothing is known differ, and so do two changes to the same.
    let empty =
        |id| request(&book, &notice(id, Kind::Status, json!({})))["text"]["content"].as_str().unwrap().to_owned();
    assert_eq!(empty(8), "会员状态变更\n会员 ID：48\n通知号 8");
    assert_ne!(request(&book, &notice(8, Kind::Status, member())), request(&book, &notice(9, Kind::Status, member())));
}

#[test]
fn the_forms_that_are_built_in() {
    let markdown = Scene::new(&format!("{APP}[queue]\nmessage = 'markdown'\nfields = ['member_no', 'phone']\n"));
    let content = &request(&markdown.book().unwrap(), &notice(7, Kind::New, member()))["markdown"]["content"];
    assert_eq!(
        content,
        "**新会员登记**\n> 编号：<font color=\"info\">A1</font>\n> 电话：138****8000\n<font color=\"comment\">通知号 7</font>"
    );
    let v2 = "[queue]\nmessage = 'markdown_v2'\nvia = 'robot'\nfields = ['member_no', 'nickname']\n";
    let robot = request(&Scene::new(&format!("{APP}{v2}")).book().unwrap(), &notice(7, Kind::New, member()));
    assert_eq!(
        robot,
        json!({ "msgtype": "markdown_v2", "markdown_v2": { "content": "**新会员登记**\n- 编号：A1\n- 昵称：小明\n通知号 7" } })
    );
}

#[test]
fn the_examples_of_the_repository_work() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let read = |name: &str| std::fs::read_to_string(examples.join(name)).unwrap();
    let toml = read("queue.toml").replace("/etc/wxops/", "");
    let mut scene = Scene::new(&toml).file("wecom-secret", "s\n").file("webhook-key", "k\n");
    for name in ["templates/vip.card", "templates/member.card", "templates/change.md"] {
        scene = scene.file(name, &read(name));
    }
    let book = scene.book().unwrap();
    let vip = notice(7, Kind::New, member());
    let plan = book.plan(&vip).unwrap();
    let to: Vec<String> = plan.to.iter().map(ToString::to_string).collect();
    assert_eq!((to, plan.fallback), (vec!["user:boss".to_owned(), "party:2".to_owned()], Some(Via::Robot)));
    let sent = request(&book, &vip);
    assert_eq!(
        (&sent["touser"], &sent["toparty"], &sent["msgtype"]),
        (&json!("boss"), &json!("2"), &json!("textcard"))
    );
    assert_eq!(
        sent["textcard"],
        json!({
            "title": "VIP 登记：A1", "url": "https://crm.example.com/members/47", "btntxt": "查看",
            "description": "<div class=\"gray\">2026-11-28 10:00</div>\n<div class=\"highlight\">小明</div>\n\
                <div class=\"normal\">微信 xm_1，电话 138****8000</div><div class=\"gray\">通知号 7</div>",
        })
    );
    assert_eq!(
        by(&book, &vip, &plan, Via::Robot),
        json!({ "msgtype": "text", "text": { "content": "VIP 登记：A1\n2026-11-28 10:00\n小明\n微信 xm_1，电话 138****8000\nhttps://crm.example.com/members/47\n通知号 7" } }),
        "a robot has no text card"
    );
    let mut few = member();
    few["remaining_matches"] = json!("2");
    few["member_no"] = json!("A 1&x");
    few["phone"] = Value::Null;
    let sent = request(&book, &notice(8, Kind::New, few));
    assert_eq!(
        sent["template_card"],
        json!({
            "card_type": "text_notice", "source": { "desc": "会员系统" }, "main_title": { "title": "新会员登记", "desc": "A 1&x" },
            "emphasis_content": { "title": "2", "desc": "剩余次数" }, "sub_title_text": "通知号 8",
            "horizontal_content_list": [
                { "keyname": "昵称", "value": "小明" }, { "keyname": "微信", "value": "xm_1" },
                { "keyname": "性别", "value": "男" }, { "keyname": "状态", "value": "ACTIVE" },
            ],
            "card_action": { "type": 1, "url": "https://crm.example.com/search?q=A%201%26x" },
        })
    );
    let mut normal = member();
    normal["type"] = json!("NORMAL");
    let changed = request(&book, &notice(9, Kind::Status, normal.clone()));
    let content = changed["markdown"]["content"].as_str().unwrap();
    assert!(
        content.starts_with("**会员状态变更** A1\n> 状态：<font color=\"warning\">ACTIVE</font>\n> 编号：A1\n"),
        "{content}"
    );
    normal["phone"] = json!("");
    let plan = book.plan(&notice(9, Kind::New, normal)).unwrap();
    assert_eq!((plan.via, plan.fallback), (Via::Robot, None), "a fall-back on itself is none");
}

#[test]
fn the_first_rule_that_fits_counts() {
    let rules = "[queue]\nkinds = ['new', 'status']\n\
        [[queue.rule]]\nwhen = 'type = \"VIP\"'\nto = 'boss'\n\
        [[queue.rule]]\nkinds = 'status'\nto = ['tag:3', '@all']\n\
        [[queue.rule]]\nwhen = '''remaining_matches < 2\n and nickname != \"x\"'''\nto = 'wang'\n";
    let book = Scene::new(&format!("{APP}{rules}")).book().unwrap();
    let to = |kind, kind_of, left: Value| {
        let payload = json!({ "type": kind_of, "remaining_matches": left });
        let plan = book.plan(&notice(1, kind, payload)).unwrap();
        plan.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(to(Kind::New, "VIP", json!(1)), "user:boss");
    assert_eq!(to(Kind::Status, "VIP", json!(1)), "user:boss");
    assert_eq!(to(Kind::Status, "NORMAL", json!(1)), "tag:3 all");
    assert_eq!(to(Kind::New, "NORMAL", json!("1")), "user:wang");
    assert_eq!(to(Kind::New, "NORMAL", Value::Null), "user:zhang user:Li");
    let all = notice(1, Kind::Status, json!({}));
    assert_eq!(request(&book, &all)["touser"], "@all");
    assert!(request(&book, &all).get("totag").is_none(), "beside @all nobody looks at the others");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let queue = |lines: &str| Scene::new(&format!("{APP}[queue]\n{lines}\n")).refused();
    for (lines, says) in [
        ("message = 'textcard'", "needs a template"),
        ("message = 'news'", "queue.message (line 8 of DIR/wxops.toml): must be one of text, markdown"),
        ("message = 'markdown_v2'", "queue.message (line 8 of DIR/wxops.toml): via = \"app\" has no markdown_v2"),
        ("via = 'mail'", "queue.via (line 8 of DIR/wxops.toml): must be app or robot"),
        ("account = 'crn'", "queue.account (line 8 of DIR/wxops.toml): there is no [wecom.crn]; did you mean crm?"),
        ("digest = '1s'", "must be off, or 10s to 1d"),
        ("monitor_interval = 0", "must be 1 to 1440 minutes"),
        ("in_serve = 'maybe'", "must be true or false"),
        ("template = 'gone.txt'", "queue.template (line 8 of DIR/wxops.toml): there is no file DIR/gone.txt"),
        ("[[queue.rule]]", "queue.rule.when (line 8 of DIR/wxops.toml): the rule says nothing"),
        ("[[queue.rule]]\nwhn = 'x'", "queue.rule.whn (line 9 of DIR/wxops.toml): unknown key; did you mean when?"),
        (
            "[[queue.rule]]\n\nwhen = 'tpye = \"VIP\"'",
            "queue.rule.when (line 10 of DIR/wxops.toml): the filter at column 1: there is no field tpye; did you mean type?",
        ),
        (
            "[[queue.rule]]\nto = ['zhang', 'part:2']",
            "queue.rule.to (line 9 of DIR/wxops.toml): \"part:2\" is no recipient; did you mean party:2?",
        ),
        ("[[queue.rule]]\nto = 3", "must be text in quotes, or a list of such"),
        ("[[queue.rule]]\nkinds = ['gone']", "queue.rule.kinds (line 9 of DIR/wxops.toml): may hold only new"),
        (
            "[[queue.rule]]\nmessage = 'textcard'\nvia = 'robot'",
            "queue.rule.message (line 9 of DIR/wxops.toml): via = \"robot\" has no textcard",
        ),
        (
            "[[queue.rule]]\ntemplate = 'gone.txt'",
            "queue.rule.template (line 9 of DIR/wxops.toml): there is no file DIR/gone.txt",
        ),
        ("rule = 3", "must be a list of tables, each begun with [[queue.rule]]"),
    ] {
        let said = queue(lines);
        assert!(said.contains(says), "{lines}: {said}");
    }
    for (toml, says) in [
        ("", "no WeCom application is configured; set WECOM_CORP_ID"),
        ("[queue]\nvia = 'robot'\n", ""),
        (
            "[wecom.a]\ncorp_id = 'ww1'\nagent_id = 1\nsecret = 's'\n[wecom.b]\ncorp_id = 'ww1'\nagent_id = 2\nsecret = 's'\n",
            "several WeCom applications: a, b",
        ),
        (
            "[wecom.a]\ncorp_id = 'ww1'\nagent_id = 1\nsecret = 's'\n",
            "nobody is to be told of members; set WECOM_TO_USER",
        ),
        (
            "[wecom.a]\ncorp_id = 'ww1'\nagent_id = 1\nsecret = 's'\n[[queue.rule]]\nmessage = 'markdown'\n",
            "the [[queue.rule]] of line 5 names nobody",
        ),
        ("[wecom.a]\ncorp_id = 'ww1'\nwebhook_key = 'k'\nto_user = 'x'\n", "a can't send"),
        (
            "[wecom.a]\ncorp_id = 'ww1'\nagent_id = 1\nsecret = 's'\nto_user = 'zhang,li'\n",
            "wecom.a.to_user (line 5 of DIR/wxops.toml): \"zhang,li\" is no userid",
        ),
    ] {
        let scene = Scene::new(toml);
        match says {
            "" => drop(scene.book().unwrap()),
            says => assert!(scene.refused().contains(says), "{toml}: {}", scene.refused()),
        }
    }
}

#[test]
fn a_wrong_template_is_told_with_its_line() {
    for (form, source, says) in [
        ("text", "ok\n{{ nickname", "line 2 of DIR/t: syntax error"),
        (
            "text",
            "{% if phone %}\n{{ nick_name }}\n{% endif %}",
            "line 2 of DIR/t: there is no field nick_name in [queue] fields; did you mean nickname?",
        ),
        ("text", "nickname\n{{ nickname|shout }}", "line 2 of DIR/t: unknown filter"),
        ("text", "{{ nickname|safe }}", "unknown filter"),
        ("text", "\n{{ notice.number }}", "line 2 of DIR/t: notice has no number; it has id kind member_id"),
        ("text", "{% for row in rows %}\n{{ row.lable }}{% endfor %}", "line 2 of DIR/t: undefined value"),
        ("text", "{% include 'x' %}", "line 1 of DIR/t"),
        ("text", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "ran out of fuel"),
        (
            "textcard",
            "{% block title %}x{% endblock %}\n{% block descripton %}x{% endblock %}",
            "line 2 of DIR/t: a textcard has no block descripton; did you mean description?",
        ),
        (
            "textcard",
            "{% block title %}x{% endblock %}{% block description %}x{% endblock %}",
            "line 1 of DIR/t: a textcard needs a {% block url %}",
        ),
    ] {
        let toml = format!("{APP}[queue]\nmessage = '{form}'\ntemplate = 't'\n");
        let said = Scene::new(&toml).file("t", source).refused();
        assert!(said.starts_with("queue.template (line 9 of DIR/wxops.toml): "), "{source}: {said}");
        assert!(said.contains(says), "{source}: {said}");
    }
    let big = Scene::new(&format!("{APP}[queue]\ntemplate = 't'\n")).file("t", &"x".repeat(70_000)).refused();
    assert!(big.contains("has 70000 bytes, 65536 are allowed"), "{big}");
}

#[test]
fn a_template_has_columns_filters_and_no_surprises() {
    let source = "{{ nickname }} {{ phone|mask }} {{ wechat|upper }} {{ created_at|minute }} {{ gender|word(male='男') }} \
        {{ type|cut(2) }} {{ remaining_matches + 1 }} {{ status }} {% set bold %}[{{ nickname }}]{% endset %}{{ bold }} \
        {{ nickname|urlencode }} {{ notice.kind }} {{ headline|replace('会员', '') }}";
    let toml = format!("{APP}[queue]\ntemplate = 't'\n");
    let book = Scene::new(&toml).file("t", source).book().unwrap();
    let mut payload = member();
    payload["status"] = Value::Null;
    payload["nickname"] = json!("<b>{{ 7*7 }}");
    let sent = request(&book, &notice(7, Kind::New, payload));
    assert_eq!(
        sent["text"]["content"],
        "＜b＞{{ 7*7 }} 138****8000 XM_1 2026-11-28 10:00 男 VI… 4 — [＜b＞{{ 7*7 }}] %3Cb%3E%7B%7B%207%2A7%20%7D%7D new 新登记\n通知号 7"
    );
    // What a template can't do with one row makes that row dead, and says why.
    let error = {
        let broken = notice(8, Kind::New, json!({ "remaining_matches": null }));
        let plan = book.plan(&broken).unwrap();
        book.body(&broken, &plan, Via::App, &plan.to).unwrap_err()
    };
    assert_eq!(error.then, Then::Never);
    assert!(error.what.en.starts_with("notice 8 can't be put into words: line 1 of "), "{error}");
    assert!(error.next.unwrap().en.contains("wxops queue retry 8"));
}

#[test]
fn nobody_to_be_told_is_an_error_of_the_row() {
    let toml = "[wecom.a]\ncorp_id = 'ww1'\nagent_id = 1\nsecret = 's'\n[[queue.rule]]\nwhen = 'type = \"VIP\"'\nto = 'boss'\n";
    let book = Scene::new(toml).book().unwrap();
    let error = book.plan(&notice(3, Kind::New, json!({ "type": "NORMAL" }))).unwrap_err();
    assert_eq!(error.then, Then::Never);
    assert!(error.what.en.contains("nobody is to be told of notice 3: no rule fits"), "{error}");
    assert!(book.plan(&notice(3, Kind::New, json!({ "type": "VIP" }))).is_ok());
}

#[test]
fn a_digest_tells_of_as_many_as_fit() {
    let book = Scene::new(APP).book().unwrap();
    let to = [Recipient::User("zhang".into())];
    let members: Vec<Notice> = (1..=60)
        .map(|id| {
            let mut payload = member();
            payload["member_no"] = json!(format!("A{id}"));
            notice(id, if id == 2 { Kind::Status } else { Kind::New }, payload)
        })
        .collect();
    let mut rest: Vec<&Notice> = members.iter().collect();
    let (mut told, mut messages) = (0, 0);
    while !rest.is_empty() {
        let (body, count) = book.digest(&rest, &book.plan(rest[0]).unwrap(), Via::App, &to).unwrap();
        let sent: Value = serde_json::from_str(&body).unwrap();
        let text = sent["text"]["content"].as_str().unwrap();
        assert!(count >= 1 && text.len() <= 2048, "{count} {}", text.len());
        for notice in &rest[..count] {
            assert!(text.contains(&format!(". {}，", notice.payload["member_no"].as_str().unwrap())), "{text}");
        }
        assert!(!text.contains('…') && !text.contains("13800138000"), "{text}");
        let (first, last) = (rest[0].id, rest[count - 1].id);
        assert!(text.ends_with(&format!("通知号 {first} 至 {last}，共 {count} 条")), "{text}");
        if messages == 0 {
            assert!(
                text.starts_with(&format!("新会员登记 {} 条，会员状态变更 1 条\n1. A1，小明，", count - 1)),
                "{text}"
            );
            assert!(count > 10, "{count} in the first");
        }
        rest.drain(..count);
        (told, messages) = (told + count, messages + 1);
    }
    assert_eq!(told, 60);
    let (body, count) = book.digest(&[&members[0]], &book.plan(&members[0]).unwrap(), Via::Robot, &[]).unwrap();
    assert_eq!(count, 1);
    assert!(body.starts_with(r#"{"msgtype":"text","text":{"content":"新会员登记 1 条\n1. A1"#), "{body}");
    let markdown = Scene::new(&format!("{APP}[queue]\nmessage = 'markdown'\n")).book().unwrap();
    let (body, count) = markdown
        .digest(&members.iter().collect::<Vec<_>>(), &markdown.plan(&members[0]).unwrap(), Via::Robot, &[])
        .unwrap();
    let sent: Value = serde_json::from_str(&body).unwrap();
    let text = sent["markdown"]["content"].as_str().unwrap();
    assert!(text.len() <= 4096 && count > 25 && !text.contains('…'), "{count} {}", text.len());
}

/// What people and programs have put into columns.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<@all>",
        "<font color=\"warning\">",
        "</font>",
        "[点我](http://evil.example)",
        "# ",
        "**",
        "`",
        "{{ phone }}",
        "{% raw %}",
        "\n",
        "\r\n",
        "\"",
        "\\",
        "'",
        "😀",
        "👨‍👩‍👧",
        "🇨🇳",
        "长",
        "a",
        "1",
        " ",
        "<div class=\"gray\">",
        "</div>",
        "|",
        ":",
        "：",
        "\u{0}",
        "\u{202e}",
        "www.evil.example",
        "&lt;",
        "---",
        "> ",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat()),
        Just("长😀".repeat(5_000)),
        "\\PC{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in the columns: one line a value, nothing but the template's own marks, and within the limit.
    #[test]
    fn no_column_breaks_a_message(values in prop::collection::vec(nasty(), 9)) {
        let fields = ["member_no", "nickname", "wechat", "phone", "type", "gender", "status", "remaining_matches", "created_at"];
        let payload: Map<String, Value> = fields.iter().map(|name| (*name).to_owned()).zip(values.into_iter().map(Value::from)).collect();
        let notice = Notice { id: 7, member_id: 1, kind: Kind::New, payload, created_ms: 0 };
        for (form, via, most) in
            [("text", "app", 2048), ("markdown", "app", 2048), ("markdown", "robot", 4096), ("markdown_v2", "robot", 4096)]
        {
            let book = Scene::new(&format!("{APP}[queue]\nmessage = '{form}'\nvia = '{via}'\n")).book().unwrap();
            let sent = request(&book, &notice);
            let content = sent[form]["content"].as_str().unwrap();
            prop_assert!(content.len() <= most, "{}", content.len());
            prop_assert!(content.contains("通知号 7"), "{}", content);
            prop_assert!(content.lines().count() <= 12, "{}", content);
            let own = ["<font color=\"info\">", "<font color=\"comment\">", "</font>"];
            let opened = own.iter().map(|tag| content.matches(tag).count()).sum::<usize>();
            prop_assert_eq!(content.matches('<').count(), opened, "{}", content);
            prop_assert_eq!(content.matches("<font").count(), content.matches("</font>").count());
            prop_assert!((form == "text" || !content.contains("](")) && !content.contains("://") && !content.contains("www.evil"), "{}", content);
            if form != "text" {
                prop_assert!(!content.lines().any(|line| line.starts_with('#')) && !content.contains('`'), "{}", content);
            }
        }
        let cards = "{% block title %}{{ member_no }}{{ nickname }}{% endblock %}{% block description %}<div class=\"gray\">{{ nickname }}</div>\
            {{ wechat }}{{ type }}{{ gender }}{{ status }}{% endblock %}{% block url %}https://crm.example/{{ nickname }}{% endblock %}";
        let toml = format!("{APP}[queue]\nmessage = 'textcard'\ntemplate = 't'\n");
        let book = Scene::new(&toml).file("t", cards).book().unwrap();
        let plan = book.plan(&notice).unwrap();
        match book.body(&notice, &plan, Via::App, &plan.to) {
            Ok(body) => {
                let sent: Value = serde_json::from_str(&body).unwrap();
                let card = &sent["textcard"];
                let description = card["description"].as_str().unwrap();
                prop_assert!(card["title"].as_str().unwrap().chars().count() <= 128);
                prop_assert!(description.chars().count() <= 512);
                prop_assert_eq!(description.matches("<div").count(), description.matches("</div>").count(), "{}", description);
                prop_assert!(description.ends_with("<div class=\"gray\">通知号 7</div>"));
                prop_assert!(card["url"].as_str().unwrap().len() <= 2048);
            }
            // An address that is too long, or no title at all.
            Err(error) => prop_assert_eq!(error.then, Then::Never),
        }
    }
}

/// Whoever registers may have written the column: it tells persons, and never everybody.
#[test]
fn a_column_names_persons_alone() {
    let rule = "[queue]\nfields = ['member_no', 'wechat']\n[[queue.rule]]\nto_column = 'wechat'\n";
    let book = Scene::new(&format!("{APP}{rule}")).book().unwrap();
    let to = |text: &str| book.plan(&notice(1, Kind::New, json!({ "member_no": "A1", "wechat": text }))).unwrap().to;
    assert_eq!(to("wang|Zhao"), [Recipient::User("wang".into()), Recipient::User("zhao".into())]);
    let otherwise = [Recipient::User("zhang".into()), Recipient::User("li".into())];
    for text in ["", "@all", "wang|@all", "party:1", "tag:2", "no userid"] {
        assert_eq!(to(text), otherwise, "{text}");
    }
    assert_eq!(book.plan(&notice(1, Kind::New, json!({ "member_no": "A1", "wechat": null }))).unwrap().to, otherwise);
    let wrong = Scene::new(&format!("{APP}{}", rule.replace("to_column = 'wechat'", "to_column = 'phone'"))).refused();
    assert!(wrong.contains("phone") && wrong.contains("line"), "{wrong}");
}
