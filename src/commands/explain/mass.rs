//! `err(n)`: how a mass send ended that the check refused (reference 2.3, Status of MASSSENDJOBFINISH).

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who, Words};
use crate::say;
use serde_json::json;

const KINDS: [(u32, Words); 14] = [
    (10001, Words { en: "advertising", zh: "涉嫌广告" }),
    (20001, Words { en: "politics", zh: "涉嫌政治" }),
    (20002, Words { en: "pornography", zh: "涉嫌色情" }),
    (20004, Words { en: "social", zh: "涉嫌社会" }),
    (20006, Words { en: "crime", zh: "涉嫌违法犯罪" }),
    (20008, Words { en: "fraud", zh: "涉嫌欺诈" }),
    (20013, Words { en: "copyright", zh: "涉嫌版权" }),
    (21000, Words { en: "other", zh: "涉嫌其他" }),
    (22000, Words { en: "mutual promotion", zh: "涉嫌互推" }),
    (
        30001,
        Words {
            en: "the originality check failed, and reprints are not allowed by us",
            zh: "原创校验失败，且未允许转载",
        },
    ),
    (30002, Words { en: "the originality check says that it must not be sent", zh: "原创校验判定不能群发" }),
    (30003, Words { en: "a reprint, and reprints are not allowed by us", zh: "判定为转载，且未允许转载" }),
    (40001, Words { en: "the administrator refused", zh: "管理员拒绝" }),
    (40002, Words { en: "the administrator did not answer for 30 minutes", zh: "管理员 30 分钟内未操作" }),
];

const EVENT: Step =
    Step::shell(Who::Operator, "wxops events list --kind event.mass_finished", "how the sends ended", "查看群发结果");

/// Explains a Status; the list is not closed, and any `err(n)` is a refusal.
pub(super) fn explain(number: u32) -> Explained {
    let kind = KINDS.iter().find(|(known, _)| *known == number);
    let title =
        kind.map_or_else(|| say!("a kind that no document names"; "文档未列出的类别"), |(_, words)| Text::from(*words));
    Explained {
        kind: "mass_status",
        name: format!("err({number})"),
        title,
        cause: say!(
            "no errcode: the Status of a mass send (MASSSENDJOBFINISH) that was refused; nobody got it";
            "不是 errcode，而是群发结果（MASSSENDJOBFINISH 的 Status）：未通过，无人收到"
        ),
        does: say!("stores the event"; "存储该事件"),
        mend: say!("change the content, or speak to the administrator; then send anew"; "修改内容，或与管理员沟通，之后重新群发"),
        step: EVENT,
        command: EVENT.command.map(str::to_owned),
        rid: None,
        known: kind.is_some(),
        more: json!({}),
        also: None,
    }
}
