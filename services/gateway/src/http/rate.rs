use std::time::Duration;

use kit_redis::Limit;
use ring::digest::{SHA256, digest};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// How often a route may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Health, documents, keys.
    Public,
    /// Requests with a password or a code.
    SignIn,
    /// Requests that send a mail.
    Mail,
    Refresh,
    Read,
    Write,
    /// Imports of a file.
    Import,
    Webhook,
}

/// Requests per minute from one network and by one user (0: not counted).
struct PerMinute {
    network: u32,
    user: u32,
}

impl Rate {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignIn => "sign-in",
            Self::Mail => "mail",
            Self::Refresh => "refresh",
            Self::Read => "read",
            Self::Write => "write",
            Self::Import => "import",
            Self::Webhook => "webhook",
        }
    }

    fn per_minute(self) -> PerMinute {
        let (network, user) = match self {
            Self::Public | Self::Webhook => (600, 0),
            Self::SignIn | Self::Refresh => (30, 0),
            Self::Mail => (10, 0),
            Self::Read => (1_200, 600),
            Self::Write => (600, 120),
            Self::Import => (60, 10),
        };
        PerMinute { network, user }
    }

    /// The limits as text for documents: `30/min per network`.
    pub(crate) fn text(self) -> String {
        let PerMinute { network, user } = self.per_minute();
        let by_user = if user == 0 { String::new() } else { format!(", {user}/min per user") };
        format!("{}: {network}/min per network{by_user}", self.name())
    }

    /// The limits of one request.
    pub(crate) fn limits(self, network: &str, user: Option<&str>, factor: u32) -> Vec<Limit> {
        let PerMinute { network: by_network, user: by_user } = self.per_minute();
        let limit = |kind: &str, whose: &str, burst: u32| Limit {
            key: format!("{}:{kind}:{whose}", self.name()),
            burst: burst.saturating_mul(factor.max(1)),
            per: Duration::from_secs(60),
        };
        let mut limits = vec![limit("net", network, by_network)];
        if let Some(user) = user.filter(|_| by_user > 0) {
            limits.push(limit("user", user, by_user));
        }
        limits
    }

    /// The limit on one account, whether it exists or not. The identifier is hashed, so that no key contains an e-mail.
    pub(crate) fn account_limit(self, tenant: &str, identifier: &str, factor: u32) -> Limit {
        // All spellings of an account have the same limit; they are compared as in auth-service.
        let identifier = identifier.trim().nfkc().collect::<String>().to_lowercase();
        let tenant = Uuid::try_parse(tenant).map_or_else(|_slug| tenant.to_lowercase(), |id| id.to_string());
        let hashed = hex::encode(digest(&SHA256, format!("{tenant}|{identifier}").as_bytes()));
        let (burst, minutes) = match self {
            Self::Mail => (3, 60),
            _ => (10, 5),
        };
        let per = Duration::from_secs(60 * minutes);
        Limit { key: format!("{}:account:{hashed}", self.name()), burst: burst * factor.max(1), per }
    }
}
