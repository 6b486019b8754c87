//! Fairness between tenants: none holds more than its share of the pool's connections, so that a tenant that searches or
//! imports as fast as it can leaves connections to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::Error;
use kit::ids::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::waiting::{Held, Waiting};

/// The share of each tenant. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    /// Connections that one tenant may hold.
    each: u32,
    tenants: Arc<Mutex<HashMap<TenantId, Tenant>>>,
}

#[derive(Clone, Debug)]
struct Tenant {
    free: Arc<Semaphore>,
    waiting: Waiting,
}

/// One connection of a tenant's share, given back when it is dropped.
pub(crate) struct Share {
    permit: Option<OwnedSemaphorePermit>,
    held: Option<Held>,
    of: TenantId,
    shares: Shares,
}

impl Shares {
    /// Three quarters of the connections for each tenant, at least one.
    pub(crate) fn new(connections: u32) -> Self {
        Self { each: (connections * 3 / 4).max(1), tenants: Arc::default() }
    }

    /// Waits until the tenant may hold one more connection; refuses as soon as that is not expected within `budget`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn of(&self, tenant: TenantId, budget: Duration) -> Result<Share, Error> {
        let own = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            let each = usize::try_from(self.each).unwrap_or(1);
            let new = || Tenant { free: Arc::new(Semaphore::new(each)), waiting: Waiting::new(self.each) };
            tenants.entry(tenant).or_insert_with(new).clone()
        };
        let _place = own.waiting.enter(budget)?;
        let waited = tokio::time::timeout(budget, own.free.acquire_owned()).await;
        let permit =
            waited.map_err(|_late| Error::unavailable(anyhow::anyhow!("the tenant holds its share of connections")))?;
        Ok(Share { permit: permit.ok(), held: Some(own.waiting.held()), of: tenant, shares: self.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        drop((self.permit.take(), self.held.take()));
        let mut tenants = self.shares.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the map has it: the tenant neither holds nor waits.
        if tenants.get(&self.of).is_some_and(|tenant| Arc::strong_count(&tenant.free) == 1) {
            tenants.remove(&self.of);
        }
    }
}
