//! Configuration from the environment and `.env`: typed, with all faults listed at once, and secrets never printed.
//!
//! A config type reads each variable with its default and a description. The same calls on [`Env::describing`] produce
//! `.env.example`, so that no variable is missing there.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::Secret;

/// The exit code for a wrong configuration (`EX_USAGE`).
pub const EXIT_USAGE: i32 = 64;

struct Declared {
    name: String,
    default: String,
    about: &'static str,
}

/// The variables of one process, and a list of those that were read.
#[derive(Default)]
pub struct Env {
    vars: BTreeMap<String, String>,
    declared: Vec<Declared>,
    problems: Vec<String>,
    /// The parts of development secrets, which are public.
    public: Vec<String>,
}

/// All faults of a configuration.
#[derive(Debug)]
pub struct ConfigError(Vec<String>);

impl Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the configuration is not usable:")?;
        self.0.iter().try_for_each(|problem| writeln!(f, "  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}

impl Env {
    /// The environment of the process; except in production, variables that are not set are read from `.env` in the
    /// working directory.
    pub fn process() -> Self {
        let mut vars: BTreeMap<String, String> = std::env::vars().collect();
        if vars.get("APP_ENV").is_none_or(|name| name != "production") {
            for (name, value) in dotenvy::dotenv_iter().into_iter().flatten().flatten() {
                vars.entry(name).or_insert(value);
            }
        }
        Self { vars, ..Self::default() }
    }

    /// Exactly these variables: for tests, and for a launcher that sets the environment of its child processes.
    pub fn of<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { vars: vars.into_iter().map(|(k, v)| (k.into(), v.into())).collect(), ..Self::default() }
    }

    /// No variables at all: for producing `.env.example`.
    pub fn describing() -> Self {
        Self::default()
    }

    /// True when `APP_ENV=production`: default and short secrets are refused.
    pub fn production(&self) -> bool {
        self.raw("APP_ENV").is_some_and(|name| name == "production")
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn declare(&mut self, name: &str, default: String, about: &'static str) {
        if !self.declared.iter().any(|declared| declared.name == name) {
            self.declared.push(Declared { name: name.to_owned(), default, about });
        }
    }

    /// Adds a fault that only the config type can find.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// A value with a default.
    pub fn get<T: FromStr + Display>(&mut self, name: &str, default: T, about: &'static str) -> T {
        self.declare(name, default.to_string(), about);
        match self.raw(name).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problem(format!("{name} is not a valid {}", kind_name::<T>()));
                default
            }
        }
    }

    /// A text with a default.
    pub fn text(&mut self, name: &str, default: &str, about: &'static str) -> String {
        self.get(name, default.to_owned(), about)
    }

    /// A text that may be missing.
    pub fn opt(&mut self, name: &str, about: &'static str) -> Option<String> {
        self.declare(name, String::new(), about);
        self.raw(name).map(str::to_owned)
    }

    /// A secret that may be missing; empty then.
    pub fn opt_secret(&mut self, name: &str, about: &'static str) -> Secret {
        self.declare(name, String::new(), about);
        Secret::new(self.raw(name).unwrap_or_default())
    }

    /// One of a few words.
    pub fn choice(&mut self, name: &str, words: &[&str], default: &str, about: &'static str) -> String {
        let value = self.text(name, default, about);
        if words.contains(&value.as_str()) {
            return value;
        }
        self.problem(format!("{name} must be one of {}", words.join(", ")));
        default.to_owned()
    }

    /// A secret. In production its default and values shorter than `min_chars` are refused.
    pub fn secret(&mut self, name: &str, default: &str, min_chars: usize, about: &'static str) -> Secret {
        self.development_secret(name, default, about);
        let value = self.raw(name).unwrap_or(default).to_owned();
        if self.production() {
            if value == default {
                self.problem(format!("{name} must be set in production: the default is public"));
            } else if value.chars().count() < min_chars {
                self.problem(format!("{name} is too short for production: at least {min_chars} characters"));
            } else if parts(&value).any(is_weak) {
                self.problem(format!("{name} is not random: make it with `openssl rand -hex 32`"));
            }
        }
        Secret::new(value)
    }

    /// Lists a secret that this process does not need because another variable replaces it. Its default is public too.
    pub fn development_secret(&mut self, name: &str, default: &str, about: &'static str) {
        self.declare(name, default.to_owned(), about);
        // Of `auth>songlist=key` only the key is secret; an address is none.
        let keys = default.split(',').map(|part| part.rsplit('=').next().unwrap_or_default().trim());
        self.public.extend(keys.filter(|key| key.len() >= 8 && !key.contains("://")).map(str::to_owned));
    }

    /// True when a plain connection to `host` is acceptable: on loopback, outside production, or when `ALLOW_PLAINTEXT`
    /// names the kind of server (`postgres`, `redis`, `smtp`).
    pub fn may_be_plain(&mut self, kind: &str, host: &str) -> bool {
        let about = "Servers that production may reach without TLS: postgres, redis, smtp; comma-separated";
        let allowed = self.opt("ALLOW_PLAINTEXT", about).unwrap_or_default();
        let loopback =
            host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        !self.production() || loopback || allowed.split(',').any(|name| name.trim() == kind)
    }

    /// Faults of all variables together.
    fn overall(&self) -> Vec<String> {
        let read = || self.declared.iter().filter_map(|declared| Some((&declared.name, self.raw(&declared.name)?)));
        if self.production() {
            let leaked = |value: &str| self.public.iter().any(|part| value.contains(part.as_str()));
            let found = read().filter(|(_, value)| leaked(value));
            return found.map(|(name, _)| format!("{name} contains a development secret, which is public")).collect();
        }
        if self.raw("APP_ENV").is_some() {
            return Vec::new();
        }
        // Whoever forgets APP_ENV must not serve the network with public keys.
        let open = |value: &str| value.parse::<SocketAddr>().is_ok_and(|addr| !addr.ip().is_loopback());
        let found = read().filter(|(name, value)| name.ends_with("_ADDR") && open(value));
        found.map(|(name, _)| format!("{name} is not on loopback: set APP_ENV to production or development")).collect()
    }

    /// # Errors
    /// All faults found so far.
    pub fn finish(&self) -> Result<(), ConfigError> {
        let mut problems = self.problems.clone();
        problems.extend(self.overall());
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems)) }
    }

    /// The variables that were read, as the text of `.env.example`.
    pub fn example(&self) -> String {
        let mut text = String::new();
        for declared in &self.declared {
            let _ = writeln!(text, "# {}\n{}={}\n", declared.about, declared.name, declared.default);
        }
        text
    }

    /// The names of the variables that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(|declared| declared.name.as_str())
    }
}

/// The parts of a secret that may be a list of named keys.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', '=', '>', ' ']).map(str::trim).filter(|part| !part.is_empty())
}

/// True for a long key of hardly any different characters.
fn is_weak(part: &str) -> bool {
    let mut seen: Vec<char> = part.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    part.len() >= 32 && seen.len() < 6
}

fn kind_name<T>() -> &'static str {
    std::any::type_name::<T>().rsplit("::").next().unwrap_or("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_listed_at_once_and_no_secret_is_printed() {
        let mut env =
            Env::of([("APP_ENV", "production"), ("A_PORT", "ninety"), ("A_KEY", "tooshort"), ("A_MODE", "x")]);
        env.get("A_PORT", 1_u16, "a port");
        env.secret("A_KEY", "dev", 32, "a key");
        env.secret("B_KEY", "dev", 32, "a key");
        env.choice("A_MODE", &["smtp", "file"], "smtp", "a mode");
        let text = env.finish().unwrap_err().to_string();
        for name in ["A_PORT", "A_KEY", "B_KEY", "A_MODE"] {
            assert!(text.contains(name), "{name} is missing in {text}");
        }
        assert!(!text.contains("tooshort"));
    }

    #[test]
    fn sf_12_production_refuses_every_part_of_a_development_secret_wherever_it_stands() {
        const PAIRS: &str =
            "gateway>auth=74b8526f5b534674a63e0a3ca1c82d01,auth>gateway=053af1e8379ac207a00fd7377f263dfa";
        let faults = |name: &'static str, value: &'static str| {
            let mut env = Env::of([("APP_ENV", "production"), (name, value)]);
            env.secret("KEYS", PAIRS, 32, "keys");
            env.development_secret("PASSWORD", "auth_rw_dev", "a password");
            env.opt("URL", "a URL");
            env.finish().map_err(|error| error.to_string()).err().unwrap_or_default()
        };
        assert!(faults("KEYS", "gateway>auth=74b8526f5b534674a63e0a3ca1c82d01").contains("KEYS"), "one pair of it");
        assert!(faults("KEYS", "a=00000000000000000000000000000001").contains("not random"));
        let good = "a=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(faults("KEYS", good), "");
        let named = "gateway>songlist=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let mut env = Env::of([("APP_ENV", "production"), ("KEYS", named), ("URL", "http://songlist:9002")]);
        env.secret("KEYS", "gateway>songlist=74b8526f5b534674a63e0a3ca1c82d01", 32, "keys");
        env.opt("URL", "a URL");
        assert!(env.finish().is_ok(), "names of services are no secrets");
        let mut env = Env::of([("APP_ENV", "production"), ("KEYS", good), ("URL", "postgres://a:auth_rw_dev@db/x")]);
        env.secret("KEYS", PAIRS, 32, "keys");
        env.development_secret("PASSWORD", "auth_rw_dev", "a password");
        env.opt("URL", "a URL");
        assert!(env.finish().unwrap_err().to_string().contains("URL contains"));
    }

    #[test]
    fn sf_12_without_app_env_nothing_leaves_loopback() {
        let listens = |vars: &[(&str, &str)]| {
            let mut env = Env::of(vars.iter().copied());
            env.get("A_ADDR", SocketAddr::from(([127, 0, 0, 1], 1)), "an address");
            env.finish().is_ok()
        };
        assert!(listens(&[]) && listens(&[("A_ADDR", "127.0.0.1:80")]) && listens(&[("A_ADDR", "[::1]:80")]));
        assert!(!listens(&[("A_ADDR", "0.0.0.0:80")]));
        assert!(listens(&[("A_ADDR", "0.0.0.0:80"), ("APP_ENV", "development")]));
    }

    #[test]
    fn sf_32_a_plain_connection_in_production_must_be_allowed_by_name() {
        let plain = |vars: &[(&str, &str)], host: &str| Env::of(vars.iter().copied()).may_be_plain("postgres", host);
        let production = ("APP_ENV", "production");
        assert!(plain(&[], "db.example") && plain(&[production], "127.0.0.1") && !plain(&[production], "db.example"));
        assert!(plain(&[production, ("ALLOW_PLAINTEXT", "redis, postgres")], "db.example"));
        assert!(!plain(&[production, ("ALLOW_PLAINTEXT", "redis")], "db.example"));
    }

    #[test]
    fn the_example_holds_every_variable_with_its_default() {
        let mut env = Env::describing();
        env.get("A_PORT", 9001_u16, "gRPC port");
        assert_eq!(env.example(), "# gRPC port\nA_PORT=9001\n\n");
    }
}
