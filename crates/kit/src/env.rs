//! Configuration from the environment and `.env`: typed, with all faults listed at once, and secrets never printed.
//!
//! A config type reads each variable with its default and a description. The same calls on [`Env::describing`] produce
//! `.env.example`, so that no variable is missing there.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
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
        self.declare(name, default.to_owned(), about);
        let value = self.raw(name).unwrap_or(default).to_owned();
        if self.production() {
            if value == default {
                self.problem(format!("{name} must be set in production: the default is public"));
            } else if value.chars().count() < min_chars {
                self.problem(format!("{name} is too short for production: at least {min_chars} characters"));
            }
        }
        Secret::new(value)
    }

    /// # Errors
    /// All faults found so far.
    pub fn finish(&self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems.clone())) }
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
    fn the_example_holds_every_variable_with_its_default() {
        let mut env = Env::describing();
        env.get("A_PORT", 9001_u16, "gRPC port");
        assert_eq!(env.example(), "# gRPC port\nA_PORT=9001\n\n");
    }
}
