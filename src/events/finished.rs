//! A mass send or a publication ended (reference 2.3): kept under its id, for whoever sent it to join. Any field may be
//! missing, empty, or hold nothing but line breaks.

use super::read;
use crate::app::App;
use crate::domain::event::{Element, Event};
use crate::error::Result;
use crate::store::{Leased, MassFinished, PublishFinished, Statement, Word};
use serde_json::{Map, Value};

/// MASSSENDJOBFINISH.
pub(super) fn mass(app: &App, row: &Leased, _: i64) -> Result<Vec<Statement>> {
    Ok(match read(row, mass_of)? {
        Some(told) => app.store.mass_finished(&word(row), &told),
        None => nameless(row, "MsgID"),
    })
}

/// PUBLISHJOBFINISH.
pub(super) fn publish(app: &App, row: &Leased, _: i64) -> Result<Vec<Statement>> {
    Ok(match read(row, publish_of)? {
        Some(told) => app.store.publish_finished(&word(row), &told),
        None => nameless(row, "publish_id"),
    })
}

fn word(row: &Leased) -> Word<'_> {
    Word { account: &row.account, event_id: row.id, at: row.happened }
}

/// Nothing can ever join it; the message itself stays in the inbox.
fn nameless(row: &Leased, id: &str) -> Vec<Statement> {
    tracing::warn!(id = row.id, account = &*row.account, kind = row.kind.as_str(), "it names no {id}: nothing to keep");
    Vec::new()
}

fn mass_of(event: &Event) -> Option<MassFinished> {
    let root = &event.root;
    let msg_id = text(root, "MsgID").or_else(|| text(root, "MsgId"))?;
    let good = (1..=20).contains(&msg_id.len()) && msg_id.bytes().all(|b| b.is_ascii_digit());
    let check = root.child("CopyrightCheckResult");
    let items = |result: Option<&Element>| result.and_then(|result| list(result.child("ResultList")?));
    good.then(|| MassFinished {
        msg_id,
        status: text(root, "Status"),
        total: number(root, "TotalCount"),
        filtered: number(root, "FilterCount"),
        sent: number(root, "SentCount"),
        errors: number(root, "ErrorCount"),
        check_state: check.and_then(|check| number(check, "CheckState")),
        copyright: items(check),
        article_urls: items(root.child("ArticleUrlResult")),
    })
}

fn publish_of(event: &Event) -> Option<PublishFinished> {
    let info = event.root.child("PublishEventInfo")?;
    let publish_id = text(info, "publish_id")?;
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let good = publish_id.len() <= 64 && publish_id.bytes().all(letter);
    // It repeats without anything around it.
    let failed =
        info.children.iter().filter(|child| child.name == "fail_idx").filter_map(|idx| idx.text.trim().parse().ok());
    let failed: Vec<i64> = failed.collect();
    good.then(|| PublishFinished {
        publish_id,
        status: number(info, "publish_status"),
        article_id: text(info, "article_id"),
        article_urls: info.child("article_detail").and_then(list),
        failed: (!failed.is_empty()).then(|| Value::from(failed).to_string()),
    })
}

fn text(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(element: &Element, name: &str) -> Option<i64> {
    text(element, name)?.parse().ok()
}

/// The `item`s as JSON, every leaf under the platform's own name.
fn list(element: &Element) -> Option<String> {
    let items = element.children.iter().filter(|child| child.name == "item");
    let object = |item: &Element| {
        let leaf = |leaf: &Element| (leaf.name.clone(), Value::from(leaf.text.trim()));
        Value::Object(item.children.iter().map(leaf).collect::<Map<_, _>>())
    };
    let items: Vec<Value> = items.map(object).collect();
    (!items.is_empty()).then(|| Value::from(items).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::push;

    fn event(fields: &str) -> Event {
        let head = "<ToUserName>gh_1</ToUserName><FromUserName>oSYSTEM</FromUserName><CreateTime>1700000000</CreateTime>\
                    <MsgType>event</MsgType>";
        push::read(&format!("<xml>{head}{fields}</xml>")).unwrap()
    }

    #[test]
    fn whatever_is_missing_is_not_known() {
        let blank = "<Event>MASSSENDJOBFINISH</Event><MsgID>18446744073709551615</MsgID><Status>err(20431)</Status>\
             <TotalCount></TotalCount><CopyrightCheckResult>\n\n</CopyrightCheckResult><ArticleUrlResult><Count>0</Count>\
             <ResultList>\n</ResultList></ArticleUrlResult>";
        let told = mass_of(&event(blank)).unwrap();
        let expected = MassFinished {
            msg_id: "18446744073709551615".into(),
            status: Some("err(20431)".into()),
            ..MassFinished::default()
        };
        assert_eq!(told, expected);
        assert_eq!(mass_of(&event("<Event>MASSSENDJOBFINISH</Event><MsgID>\n</MsgID>")), None);
        assert_eq!(mass_of(&event("<Event>MASSSENDJOBFINISH</Event><MsgID>1 2</MsgID>")), None);
        assert_eq!(publish_of(&event("<Event>PUBLISHJOBFINISH</Event>")), None);
    }

    #[test]
    fn lists_keep_the_platforms_names() {
        let fields = "<Event>PUBLISHJOBFINISH</Event><PublishEventInfo><publish_id>2247</publish_id>\
             <publish_status>0</publish_status><article_id>A1</article_id><article_detail><count>1</count>\
             <item><idx>1</idx><article_url>https://e/1?a=1&amp;b</article_url></item></article_detail>\
             <fail_idx>2</fail_idx><fail_idx>3</fail_idx></PublishEventInfo>";
        let told = publish_of(&event(fields)).unwrap();
        assert_eq!((told.publish_id.as_str(), told.status, told.failed.as_deref()), ("2247", Some(0), Some("[2,3]")));
        assert_eq!(told.article_urls.as_deref(), Some(r#"[{"article_url":"https://e/1?a=1&b","idx":"1"}]"#));
    }
}
