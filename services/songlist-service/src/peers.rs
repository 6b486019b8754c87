use std::time::Duration;

use kit::Error;
use kit::caller::Caller;
use kit::grpc::{Dialer, Peer, call};
use kit::ids::{TenantId, UserId};
use kit::metrics::Metrics;
use moka::sync::Cache;
use proto::auth::DescribeUsersRequest;
use proto::auth::users_client::UsersClient;
use proto::payments::GetSubscriptionRequest;
use proto::payments::subscriptions_client::SubscriptionsClient;
use uuid::Uuid;

use crate::config::Config;

const BUDGET: Duration = Duration::from_secs(1);

/// A user's name and address, which lists show with the user's id.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub name: String,
    pub email: String,
}

/// The services that this service calls.
pub(crate) struct Peers {
    auth: Peer,
    payments: Peer,
    /// By tenant and user: a name of one tenant is never shown to another.
    people: Cache<(TenantId, Uuid), Person>,
}

impl Peers {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let dialer = Dialer::new(&config.keys, metrics, proto::WITHOUT_EFFECT);
        Self {
            auth: dialer.connect("auth", &config.auth_targets),
            payments: dialer.connect("payments", &config.payments_targets),
            people: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
        }
    }

    /// Names and addresses of users of a tenant; one call reads all that are not cached. Unknown users are missing.
    ///
    /// # Errors
    /// `Unavailable` when auth-service cannot be asked.
    pub(crate) async fn people(&self, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<(Uuid, Person)>, Error> {
        let mut unknown: Vec<Uuid> =
            ids.iter().filter(|id| !self.people.contains_key(&(tenant, **id))).copied().collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            for (id, person) in self.describe(tenant, &unknown).await? {
                self.people.insert((tenant, id), person);
            }
        }
        Ok(ids.iter().filter_map(|id| Some((*id, self.people.get(&(tenant, *id))?))).collect())
    }

    async fn describe(&self, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<(Uuid, Person)>, Error> {
        let ids = ids.iter().map(ToString::to_string).collect();
        let request = DescribeUsersRequest { tenant_id: tenant.to_string(), ids };
        let request = call(&Caller::system("songlist"), BUDGET, request);
        let found = UsersClient::new(self.auth.clone()).describe(request).await?.into_inner();
        let person = |user: proto::auth::UserDescription| {
            Some((Uuid::try_parse(&user.id).ok()?, Person { name: user.name, email: user.email }))
        };
        Ok(found.users.into_iter().filter_map(person).collect())
    }

    /// True when the tenant has a live user with this id. A write depends on the answer, so nothing cached is used.
    ///
    /// # Errors
    /// `Unavailable` when auth-service cannot be asked.
    pub(crate) async fn user_exists(&self, tenant: TenantId, user: UserId) -> Result<bool, Error> {
        Ok(!self.describe(tenant, &[user.0]).await?.is_empty())
    }

    /// Whether a tenant is premium, and the version of its subscription.
    ///
    /// # Errors
    /// `Unavailable` when payments-service cannot be asked.
    pub(crate) async fn premium(&self, tenant: TenantId) -> Result<(bool, i64), Error> {
        let request = GetSubscriptionRequest { tenant_id: Some(tenant.to_string()) };
        let request = call(&Caller::system("songlist"), BUDGET, request);
        let found = SubscriptionsClient::new(self.payments.clone()).get(request).await?.into_inner();
        Ok((found.is_premium, found.version))
    }

    /// The channel to auth-service, which sends all mails and keeps the whole audit log.
    pub(crate) fn auth(&self) -> &Peer {
        &self.auth
    }
}
