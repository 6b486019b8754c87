pub(crate) use ::audit::Event;
use kit::caller::Caller;
use kit_pg::{Conn, TxError};

use crate::App;

/// Records an event in the transaction of the change that it is about.
pub(crate) async fn record(conn: &mut Conn, app: &App, caller: &Caller, event: Event<'_>) -> Result<(), TxError> {
    ::audit::record_and_send(conn, "payments", caller, app.clock.now(), event).await
}
