//! How mass sends and publications ended: one row each, whatever comes twice, late or half empty.

use crate::messages::event_at;
use crate::signer;
use crate::stage::Stage;
use crate::stories::stories;

stories! {
    a_mass_send_is_one_row,
    a_publication_is_one_row,
}

/// The helper that speaks for the platform.
const HELPER: &str = "oSYSTEM0000000000000000000001";

fn mass(created: i64, fields: &str) -> String {
    event_at("MASSSENDJOBFINISH", HELPER, created, fields)
}

async fn a_mass_send_is_one_row(stage: Stage) {
    let serve = stage.serve().await;
    let now = signer::now();
    let whole = "<MsgID>9223372036854775807</MsgID><Status><![CDATA[send success]]></Status><TotalCount>100</TotalCount>\
        <FilterCount>80</FilterCount><SentCount>75</SentCount><ErrorCount>5</ErrorCount><CopyrightCheckResult><Count>1</Count>\
        <ResultList><item><ArticleIdx>1</ArticleIdx><AuditState>2</AuditState></item></ResultList><CheckState>2</CheckState>\
        </CopyrightCheckResult><ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>\
        <ArticleUrl><![CDATA[https://mp.example/s?a=1&b=2]]></ArticleUrl></item></ResultList></ArticleUrlResult>";
    assert_eq!(serve.push(&mass(now, whole)).await.status, 200);
    assert_eq!(serve.push(&mass(now, whole)).await.status, 200);
    stage.settled().await;
    let row = "SELECT status, total_count, sent_count, check_state, article_urls, event_id FROM mass_finished WHERE \
        account = 'main' AND msg_id = '9223372036854775807'";
    let rows = stage.rows(row).await;
    let urls = r#"[{"ArticleIdx":"1","ArticleUrl":"https://mp.example/s?a=1&b=2"}]"#;
    let shown: Vec<Option<&str>> = rows[0].iter().map(Option::as_deref).collect();
    assert_eq!(
        (rows.len(), &shown[..5]),
        (1, &[Some("send success"), Some("100"), Some("75"), Some("2"), Some(urls)][..])
    );
    let id = stage.number("SELECT id FROM inbox_event").await;
    assert_eq!(shown[5], Some(id.to_string().as_str()));

    // A newer word with fields that hold nothing but line breaks, then an older one that comes late.
    let newer = "<MsgID>9223372036854775807</MsgID><Status><![CDATA[send success]]></Status><SentCount>76</SentCount>\
        <CopyrightCheckResult>\n\n</CopyrightCheckResult><ArticleUrlResult>\n</ArticleUrlResult>";
    assert_eq!(serve.push(&mass(now + 5, newer)).await.status, 200);
    let older = "<MsgID>9223372036854775807</MsgID><Status><![CDATA[send fail]]></Status><SentCount>1</SentCount>";
    assert_eq!(serve.push(&mass(now - 60, older)).await.status, 200);
    // A refusal that is on no list, and one that names nothing to join.
    let refused = "<MsgID>7</MsgID><Status><![CDATA[err(20431)]]></Status><TotalCount>0</TotalCount>";
    assert_eq!(serve.push(&mass(now, refused)).await.status, 200);
    assert_eq!(serve.push(&mass(now, "<Status><![CDATA[send success]]></Status>")).await.status, 200);
    stage.settled().await;
    let rows = stage.rows(row).await;
    let shown: Vec<Option<&str>> = rows[0].iter().map(Option::as_deref).collect();
    assert_eq!(&shown[..5], [Some("send success"), Some("100"), Some("76"), Some("2"), Some(urls)]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM mass_finished").await, 2);
    let refused = stage.rows("SELECT status FROM mass_finished WHERE msg_id = '7'").await;
    assert_eq!(refused[0][0].as_deref(), Some("err(20431)"));
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'dead'").await, 0);
    let told = serve.log().lines().filter(|line| line.contains("names no MsgID")).count();
    assert_eq!(told, 1, "{}", serve.log());
}

async fn a_publication_is_one_row(stage: Stage) {
    let serve = stage.serve().await;
    let now = signer::now();
    let publish = |created: i64, inside: &str| {
        let info = format!("<PublishEventInfo><publish_id>2247503051</publish_id>{inside}</PublishEventInfo>");
        event_at("PUBLISHJOBFINISH", HELPER, created, &info)
    };
    let done = "<publish_status>0</publish_status><article_id><![CDATA[A-1]]></article_id><article_detail><count>1</count>\
        <item><idx>1</idx><article_url><![CDATA[https://mp.example/s]]></article_url></item></article_detail>";
    assert_eq!(serve.push(&publish(now, done)).await.status, 200);
    assert_eq!(serve.push(&publish(now - 9, "<publish_status>1</publish_status>")).await.status, 200);
    stage.settled().await;
    let row = "SELECT status, article_id, article_urls, failed FROM publish_finished WHERE publish_id = '2247503051'";
    let told = stage.rows(row).await;
    let urls = r#"[{"article_url":"https://mp.example/s","idx":"1"}]"#;
    let shown: Vec<Option<&str>> = told[0].iter().map(Option::as_deref).collect();
    assert_eq!(shown, [Some("0"), Some("A-1"), Some(urls), None]);

    let failed = "<publish_status>2</publish_status><fail_idx>1</fail_idx><fail_idx>2</fail_idx>";
    assert_eq!(serve.push(&publish(now + 9, failed)).await.status, 200);
    stage.settled().await;
    let told = stage.rows(row).await;
    assert_eq!((told.len(), told[0][0].as_deref(), told[0][3].as_deref()), (1, Some("2"), Some("[1,2]")));
}
