//! Named points at which a test ends the process, as `kill -9` would at this moment. Builds for production have none.

#[cfg(debug_assertions)]
use std::sync::Arc;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicU64, Ordering};

use kit::env::Env;

/// Where the process ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crash {
    /// The name of the point, and how often it may still be passed.
    #[cfg(debug_assertions)]
    at: Option<(String, Arc<AtomicU64>)>,
}

impl Crash {
    #[cfg(debug_assertions)]
    pub(crate) fn from_env(env: &mut Env) -> Self {
        let setting = env.opt(
            "PAYMENTS_CRASH_AT",
            "Debug builds only: end at this point when it is passed for the n-th time, as name:n",
        );
        let read = |at: &str| {
            let (name, times) = at.split_once(':')?;
            Some((name.to_owned(), Arc::new(AtomicU64::new(times.parse().ok()?))))
        };
        let at = setting.as_deref().and_then(read);
        if setting.is_some() && at.is_none() {
            env.problem("PAYMENTS_CRASH_AT is not a name and a number, such as applying:1");
        }
        Self { at }
    }

    #[cfg(not(debug_assertions))]
    pub(crate) fn from_env(_: &mut Env) -> Self {
        Self {}
    }

    /// Passes a point.
    #[cfg(debug_assertions)]
    pub(crate) fn point(&self, name: &'static str) {
        if let Some((at, left)) = &self.at
            && at == name
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }

    #[cfg(not(debug_assertions))]
    #[expect(clippy::unused_self, reason = "the same signature as in debug builds")]
    pub(crate) fn point(&self, _: &'static str) {}
}
