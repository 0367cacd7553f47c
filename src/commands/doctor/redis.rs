//! Redis, where one is configured: whether it answers, and what it lacks.

use super::Patient;
use super::finding::{Check, Finding};
use crate::cache::Cache;
use crate::say;
use std::sync::Arc;

/// Copies that are a moment late are no finding.
const LATE: i64 = 1_000;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let Some(url) = patient.config.redis_url.clone() else { return Vec::new() };
    let Some(store) = patient.store().await else { return Vec::new() };
    if let Err(error) = Cache::new(url, store.clone()).ping().await {
        return vec![Finding::fail(Check::Redis, None, error)];
    }
    match store.copies_due(LATE).await {
        Ok((late, gone)) if late >= LATE || gone >= LATE => vec![Finding::warn(
            Check::Redis,
            None,
            say!(
                "answers, but lacks {LATE} positions or more; the database answers meanwhile";
                "可以应答，但缺少 {LATE} 条以上的位置；在此期间由数据库应答"
            ),
            say!("wxops serve copies them: see whether one runs with this REDIS_URL"; "由 wxops serve 复制：请确认有一个使用该 REDIS_URL 的 serve 在运行"),
        )],
        Ok(_) => vec![Finding::ok(Check::Redis, None, say!("answers"; "可以应答"))],
        Err(error) => vec![Finding::fail(Check::Redis, None, error)],
    }
}
