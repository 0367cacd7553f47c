//! How the copy of a token stands that other programs read.

use crate::cache::{Cache, Standing};
use crate::domain::account::Access;
use crate::error::{Error, Lang, Text};
use crate::say;
use serde_json::json;

/// The copy of an account's token, as Redis has it now.
pub(super) struct CopyState {
    layout: &'static str,
    key: String,
    standing: Result<Standing, Error>,
}

impl CopyState {
    /// Looks at it; `None` where none is configured. A Redis that does not answer is told, and is no failure.
    pub async fn of(cache: Option<&Cache>, account: &Access, now_ms: i64) -> Option<CopyState> {
        let layout = account.token_layout.as_ref()?;
        let standing = cache?.token_copy(account, now_ms).await;
        let key = layout.shown_key(account)?;
        Some(CopyState { layout: layout.name(), key, standing: standing.transpose()? })
    }

    /// The member `copy`.
    pub fn json(&self) -> serde_json::Value {
        let (state, error) = match &self.standing {
            Ok(standing) => (standing.as_str(), None),
            Err(error) => ("unknown", Some(error.what.in_lang(Lang::En))),
        };
        json!({ "layout": self.layout, "key": self.key, "state": state, "error": error })
    }

    /// One line.
    pub fn text(&self) -> Text {
        let (layout, key) = (self.layout, &self.key);
        let state = match &self.standing {
            Ok(Standing::Agrees) => say!("agrees"; "一致"),
            Ok(Standing::None) => say!("none to copy"; "没有可复制的 token"),
            Ok(Standing::Missing) => say!("missing, token refresh writes it"; "缺失，token refresh 会写入"),
            Ok(Standing::Behind) => {
                say!("differs: not the present one, token refresh writes it"; "不同：不是当前的，token refresh 会写入")
            }
            Ok(Standing::Foreign) => say!("differs: another program wrote it"; "不同：由另一个程序写入"),
            Err(error) => {
                let (en, zh) = (&error.what.en, &error.what.zh);
                say!("unknown: {en}"; "未知：{zh}")
            }
        };
        let (en, zh) = (&state.en, &state.zh);
        say!("copy        {en} ({layout}: {key})"; "副本    {zh}（{layout}：{key}）")
    }
}
