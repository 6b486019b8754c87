use std::time::Duration;

use kit_redis::Limit;

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
    /// Files of whole lists, which are read page by page.
    Export,
    Webhook,
    /// Paths and methods that do not exist.
    Unknown,
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
            Self::Export => "export",
            Self::Webhook => "webhook",
            Self::Unknown => "unknown",
        }
    }

    fn per_minute(self) -> PerMinute {
        let (network, user) = match self {
            Self::Public => (600, 0),
            // Razorpay sends from a few addresses: three events for a payment, and those that could not be delivered for a day.
            Self::Webhook => (6_000, 0),
            // The guests of a venue share an address, so this is far above what one of them needs. Failures and mails have
            // smaller limits, which auth-service charges.
            Self::SignIn | Self::Refresh => (300, 0),
            Self::Mail | Self::Unknown => (60, 0),
            Self::Read => (1_200, 600),
            Self::Write => (600, 120),
            Self::Import | Self::Export => (60, 10),
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
}
