//! Rows that a new installation begins with.

use kit_pg::{Conn, Scope};

use crate::App;
use crate::domain::normalise::compared_name;
use crate::store::genres::{self, Genre};

/// Makes the genres that are missing; returns how many.
///
/// # Errors
/// When the database cannot be reached.
pub async fn seed_genres(app: &App, names: &[String]) -> kit::Result<usize> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let mut made = 0;
            for name in names {
                let row = Genre::new(name.clone(), compared_name(name), String::new(), now);
                made += usize::from(genres::insert_if_missing(conn, &row).await?);
            }
            Ok(made)
        })
        .await
}
