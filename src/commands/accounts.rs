//! Verbs that work one account, or with `--account all` each of them.

use crate::config::Config;
use crate::domain::account::{Access, Official};
use crate::error::{Error, Kind, Result};

/// `--account all` is all of them, else the chosen one.
pub fn accounts(config: &Config) -> Result<Vec<&Official>> {
    if config.account.as_deref() == Some("all") {
        return Ok(config.officials.iter().collect());
    }
    Ok(vec![config.official(None)?])
}

/// The same for verbs that work accounts of every platform.
pub fn accesses(config: &Config) -> Result<Vec<&Access>> {
    if config.account.as_deref() == Some("all") {
        return Ok(config.accesses().collect());
    }
    Ok(vec![config.access(None)?])
}

/// With many accounts the exit code is the first present of 78, 4, 77, 1, 3, 69, 75.
pub fn worse(one: Option<Error>, other: Error) -> Error {
    const ORDER: [Kind; 7] =
        [Kind::Config, Kind::Unknown, Kind::Refused, Kind::Failed, Kind::Partial, Kind::Unavailable, Kind::Busy];
    let rank = |error: &Error| ORDER.iter().position(|kind| *kind == error.kind).unwrap_or(ORDER.len());
    match one {
        Some(one) if rank(&one) <= rank(&other) => one,
        _ => other,
    }
}
