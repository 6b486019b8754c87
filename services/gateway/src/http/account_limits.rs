use kit_redis::Limit;

use crate::app::App;
use crate::http::error::HttpError;

/// Charges limits that depend on the request's contents, such as those of an account.
pub(crate) async fn charge(app: &App, limits: &[Limit]) -> Result<(), HttpError> {
    let wait = match app.redis.check(limits, &[]).await {
        Ok(checked) => checked.wait,
        Err(_down) => app.local_limits.check(limits),
    };
    if wait.is_zero() { Ok(()) } else { Err(HttpError::rate_limited(wait)) }
}
