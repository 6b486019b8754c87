//! Fairness between tenants: none holds more than its share of the pool's connections, so that a tenant that searches or
//! writes as fast as it can leaves connections to the others.

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
    connections: u32,
    tenants: Arc<Mutex<HashMap<(TenantId, Work), Tenant>>>,
}

/// What a tenant wants a connection for. Each kind of work has a share of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// Reads of single rows and of pages that an index has in order, and writes.
    Plain,
    /// Reads that may look at many rows to find few. Each may keep a processor of Postgres busy for tens of
    /// milliseconds, in which the plain pages of others would wait.
    Search,
}

impl Work {
    /// The connections that one tenant may hold for it: three quarters, and for searches an eighth; at least one.
    fn share(self, connections: u32) -> u32 {
        match self {
            Self::Plain => (connections * 3 / 4).max(1),
            Self::Search => (connections / 8).max(1),
        }
    }
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
    of: (TenantId, Work),
    shares: Shares,
}

impl Shares {
    pub(crate) fn new(connections: u32) -> Self {
        Self { connections, tenants: Arc::default() }
    }

    /// Waits until the tenant may hold one more connection; refuses as soon as that is not expected within `budget`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn of(&self, tenant: TenantId, work: Work, budget: Duration) -> Result<Share, Error> {
        let own = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            let each = work.share(self.connections);
            let permits = usize::try_from(each).unwrap_or(1);
            let new = || Tenant { free: Arc::new(Semaphore::new(permits)), waiting: Waiting::new(each) };
            tenants.entry((tenant, work)).or_insert_with(new).clone()
        };
        let _place = own.waiting.enter(budget)?;
        let waited = tokio::time::timeout(budget, own.free.acquire_owned()).await;
        let permit =
            waited.map_err(|_late| Error::unavailable(anyhow::anyhow!("the tenant holds its share of connections")))?;
        Ok(Share { permit: permit.ok(), held: Some(own.waiting.held()), of: (tenant, work), shares: self.clone() })
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
