//! Where a follower is (reference 2.2, LOCATION): at entering, or every 5 s. The last position counts. What people
//! point at on a map (location messages, location_select) is not where they are, and is not taken for it.

use crate::app::App;
use crate::domain::geo::Place;
use crate::error::Result;
use crate::store::{Leased, Position, Statement};

pub(super) fn effects(app: &App, row: &Leased, _now_ms: i64) -> Result<Vec<Statement>> {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<f64>().ok());
    let told = super::fields(row, ["Latitude", "Longitude", "Precision"])?;
    let Some([latitude, longitude, precision]) = told else { return Ok(Vec::new()) };
    let place = number(latitude.as_deref()).zip(number(longitude.as_deref()));
    let Some(place) = place.and_then(|(latitude, longitude)| Place::new(latitude, longitude)) else {
        tracing::warn!(id = row.id, account = &*row.account, "a LOCATION without a place on the globe was passed over");
        return Ok(Vec::new());
    };
    let keep_ms = i64::try_from(app.config.location_keep.as_millis()).unwrap_or(i64::MAX / 2);
    let expires_at = row.happened.timestamp_millis().saturating_add(keep_ms);
    let (account, openid) = (row.account.to_string(), row.openid.clone());
    let precision = number(precision.as_deref()).filter(|metres| (0.0..1e9).contains(metres));
    Ok(app.store.locate(&Position { account, openid, place, precision, at: row.happened, expires_at }))
}
