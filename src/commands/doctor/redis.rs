//! Redis, where one is configured: whether it answers, what it lacks, and whether the copies of access_tokens stand.

use super::Patient;
use super::finding::{Check, Finding};
use crate::cache::{Cache, Standing};
use crate::domain::account::Access;
use crate::error::Result;
use crate::say;
use std::sync::Arc;

/// Copies that are a moment late are no finding.
const LATE: i64 = 1_000;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let Some(url) = patient.config.redis_url.clone() else { return Vec::new() };
    let Some(store) = patient.store().await else { return Vec::new() };
    let cache = Cache::new(url, store.clone());
    if let Err(error) = cache.ping().await {
        return vec![Finding::fail(Check::Redis, None, error)];
    }
    let mut findings = vec![match store.copies_due(LATE).await {
        Ok((late, gone)) if late >= LATE || gone >= LATE => Finding::warn(
            Check::Redis,
            None,
            say!(
                "answers, but lacks {LATE} positions or more; the database answers meanwhile";
                "可以应答，但缺少 {LATE} 条以上的位置；在此期间由数据库应答"
            ),
            say!("wxops serve copies them: see whether one runs with this REDIS_URL"; "由 wxops serve 复制：请确认有一个使用该 REDIS_URL 的 serve 在运行"),
        ),
        Ok(_) => Finding::ok(Check::Redis, None, say!("answers"; "可以应答")),
        Err(error) => Finding::fail(Check::Redis, None, error),
    }];
    let one = patient.config.account.as_deref().filter(|name| *name != "all");
    for account in patient.config.accesses().filter(|account| one.is_none_or(|name| account.name == name)) {
        findings.extend(copy(account, cache.token_copy(account, patient.now_ms()).await));
    }
    findings
}

/// The copy of an account's token for other programs.
fn copy(account: &Access, standing: Result<Option<Standing>>) -> Option<Finding> {
    let layout = account.token_layout.as_ref()?;
    let (name, layout, key) = (Some(account.name.as_str()), layout.name(), layout.shown_key(account)?);
    let mend = say!("wxops token refresh writes it; run it by a timer"; "wxops token refresh 会写入；请用定时器运行");
    Some(match standing {
        Err(error) => Finding::fail(Check::Redis, name, error),
        Ok(None | Some(Standing::None)) => return None,
        Ok(Some(Standing::Agrees)) => Finding::ok(
            Check::Redis,
            name,
            say!("the copy of the token stands ({layout}: {key})"; "token 副本正确（{layout}：{key}）"),
        ),
        Ok(Some(Standing::Missing)) => Finding::warn(
            Check::Redis,
            name,
            say!("the copy of the token is missing ({layout}: {key})"; "缺少 token 副本（{layout}：{key}）"),
            mend,
        ),
        Ok(Some(Standing::Behind)) => Finding::warn(
            Check::Redis,
            name,
            say!("the copy is not the present token, or ends with another ({layout}: {key})"; "副本不是当前 token，或有效期不同（{layout}：{key}）"),
            mend,
        ),
        Ok(Some(Standing::Foreign)) => Finding::warn(
            Check::Redis,
            name,
            say!("another program writes its own token to {key} ({layout})"; "另一个程序把自己的 token 写到 {key}（{layout}）"),
            say!(
                "switch its own refresh off: with /cgi-bin/token it makes ours die; then wxops token refresh";
                "请关闭它自己的刷新：用 /cgi-bin/token 会使本程序的 token 失效；然后运行 wxops token refresh"
            ),
        ),
    })
}
