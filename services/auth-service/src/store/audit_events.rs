use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use ::audit::schema::audit_events;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub(crate) struct AuditEvent {
    pub id: Uuid,
    pub actor_id: Option<Uuid>,
    pub actor_role: Option<String>,
    pub action: String,
    pub target_id: Option<Uuid>,
    pub result: String,
    pub request_id: String,
    pub client_net: Option<String>,
    pub created_at: DateTime<Utc>,
    pub service: String,
}

/// The filters of the list; a row has to match one of the values of each filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub actors: Vec<Uuid>,
    pub actions: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// The events of a tenant; or those of the platform and what SUPER_ADMINs did to tenants.
fn filtered(tenant: Option<TenantId>, filter: &Filter) -> audit_events::BoxedQuery<'_, Pg> {
    let mut query = match tenant {
        Some(id) => audit_events::table.filter(of_tenant(audit_events::tenant_id, id)).into_boxed(),
        None => {
            let by_platform = audit_events::actor_role.eq("SUPER_ADMIN").assume_not_null();
            audit_events::table.filter(audit_events::tenant_id.is_null().or(by_platform)).into_boxed()
        }
    };
    if !filter.actors.is_empty() {
        query = query.filter(audit_events::actor_id.eq_any(&filter.actors));
    }
    if !filter.actions.is_empty() {
        query = query.filter(audit_events::action.eq_any(&filter.actions));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_events::created_at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::created_at.lt(until));
    }
    query
}

pub(crate) async fn count(mut conn: &Conn, tenant: Option<TenantId>, filter: &Filter) -> Result<i64, TxError> {
    Ok(filtered(tenant, filter).count().get_result(&mut conn).await?)
}

/// The events, the newest first.
pub(crate) async fn list(
    mut conn: &Conn,
    tenant: Option<TenantId>,
    filter: &Filter,
    (rows, offset): (i64, i64),
) -> Result<Vec<AuditEvent>, TxError> {
    let newest = filtered(tenant, filter).order((audit_events::created_at.desc(), audit_events::id.desc()));
    Ok(newest.limit(rows).offset(offset).select(AuditEvent::as_select()).load(&mut conn).await?)
}
