//! One message that tells of many: a line for each, as many as there is room for.

use super::shown::{self, rows};
use super::{Escape, escape};
use crate::domain::notice::{Form, Kind, Notice};

/// Letters of a value in a line.
const LETTERS: usize = 16;
/// Bytes of a line: so much says who it is, and leaves room for others.
const LINE: usize = 240;

/// The text that tells of the first of these notices, how many they are, and what closes it. `room` is what the platform
/// takes, in bytes, all in all.
pub fn text(notices: &[&Notice], fields: &[String], form: Form, room: usize) -> (String, String, usize) {
    let escape = if form == Form::Text { Escape::Plain } else { Escape::Marks };
    let mut lines = Vec::new();
    let mut told = 0;
    let mut used = 0;
    for (at, notice) in notices.iter().enumerate() {
        let line = super::cut::to_bytes(&format!("{}. {}", at + 1, line(notice, fields, escape)), LINE, false);
        // What stands above and below depends on how many there are.
        let (head, tail) = (head(&notices[..=at], form), tail(&notices[..=at]));
        let frame = head.len() + tail.len() + FRAME;
        if at > 0 && used + line.len() + 1 + frame > room {
            break;
        }
        used += line.len() + 1;
        told += 1;
        lines.push(line);
    }
    let notices = &notices[..told];
    (format!("{}\n{}", head(notices, form), lines.join("\n")), tail(notices), told)
}

/// The tags and line breaks around head and tail.
const FRAME: usize = 40;

fn line(notice: &Notice, fields: &[String], escape: Escape) -> String {
    let value = |row: shown::Row| escape::value(&escape::cut(&row.value, LETTERS), escape);
    let values: Vec<String> = rows(notice, fields).into_iter().map(value).collect();
    let what = match notice.kind {
        Kind::New => "",
        Kind::Changed => "（资料变更）",
        Kind::Status => "（状态变更）",
    };
    format!("{}{what}", values.join("，"))
}

/// `新会员登记 12 条`, with the other kinds there are.
fn head(notices: &[&Notice], form: Form) -> String {
    let counts = Kind::ALL.map(|kind| (kind, notices.iter().filter(|notice| notice.kind == kind).count()));
    let told = counts.iter().filter(|(_, count)| *count > 0);
    let text =
        told.map(|(kind, count)| format!("{} {count} 条", shown::headline(*kind))).collect::<Vec<_>>().join("，");
    if form == Form::Text { text } else { format!("**{text}**") }
}

/// By which rows it can be found, and told from every other message.
fn tail(notices: &[&Notice]) -> String {
    match notices {
        [first, .., last] => format!("通知号 {} 至 {}，共 {} 条", first.id, last.id, notices.len()),
        [only] => format!("通知号 {}", only.id),
        [] => String::new(),
    }
}
