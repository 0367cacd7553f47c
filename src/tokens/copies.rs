//! The copy for other programs follows the token in SQL. It never fails a token: what can't be written now is told, and
//! is written by the next `token refresh`, which looks at every copy whether its token is due or not.

use super::Keeper;
use crate::cache::{Cache, Standing};
use crate::domain::account::Access;
use std::sync::Arc;
use std::time::Duration;

/// A Redis that hangs keeps nobody waiting for a token longer.
const LIMIT: Duration = Duration::from_secs(3);

impl Keeper {
    /// Keeps copies there too.
    pub fn copying(self, cache: Option<Arc<Cache>>) -> Self {
        Keeper { cache, ..self }
    }

    /// Brings the account's copy in line with what SQL has now: nothing to do where it stands, or none is configured.
    pub async fn copy(&self, account: &Access) {
        let (Some(cache), Some(layout)) = (&self.cache, &account.token_layout) else { return };
        let (name, layout) = (account.name.as_str(), layout.name());
        match tokio::time::timeout(LIMIT, cache.copy_token(account, self.clock.now_ms())).await {
            Ok(Ok(Some(Standing::Foreign))) => tracing::warn!(
                account = name,
                layout,
                "another program had written its own token where the copy of ours stands; ours is there again"
            ),
            Ok(Ok(Some(Standing::Missing | Standing::Behind))) => {
                tracing::info!(account = name, layout, "copied the access_token for other programs");
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(
                account = name,
                layout,
                %error,
                "the copy of the access_token was not written; the next token refresh tries again"
            ),
            Err(_) => tracing::warn!(
                account = name,
                layout,
                "Redis does not answer, the copy of the access_token was not written; the next token refresh tries again"
            ),
        }
    }
}
