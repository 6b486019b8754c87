use std::time::Duration;

use kit::env::Env;

/// What takes the place of every limit when limits are switched off.
const UNLIMITED: u32 = 1_000_000;

/// How limits are set: on or off, for all services alike.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    /// Every limit is multiplied by this; tests and load measurements raise it.
    pub factor: u32,
    /// Sign-ins of one account from one network within the window.
    pub login_attempts: u32,
    pub login_window: Duration,
}

impl LimitSettings {
    /// Reads `RATE_LIMIT_ENABLE`, `RATE_LIMIT_FACTOR`, `RATE_LIMIT_LOGIN_ATTEMPTS` and `RATE_LIMIT_LOGIN_WINDOW`.
    pub fn from_env(env: &mut Env) -> Self {
        let words = ["1", "true", "0", "false"];
        let about = "0 or false switches every rate limit off";
        let enabled = !["0", "false"].contains(&env.choice("RATE_LIMIT_ENABLE", &words, "1", about).as_str());
        let factor = env.get("RATE_LIMIT_FACTOR", 1_u32, "Every rate limit times this");
        let login_attempts = env.get(
            "RATE_LIMIT_LOGIN_ATTEMPTS",
            5_u32,
            "Sign-ins of one account from one network within RATE_LIMIT_LOGIN_WINDOW",
        );
        let seconds = env.get("RATE_LIMIT_LOGIN_WINDOW", 60_u64, "The window of RATE_LIMIT_LOGIN_ATTEMPTS, in seconds");
        for (name, is_zero) in [
            ("RATE_LIMIT_FACTOR", factor == 0),
            ("RATE_LIMIT_LOGIN_ATTEMPTS", login_attempts == 0),
            ("RATE_LIMIT_LOGIN_WINDOW", seconds == 0),
        ] {
            if is_zero {
                env.problem(format!("{name} must be at least 1; RATE_LIMIT_ENABLE=0 switches limits off"));
            }
        }
        Self {
            factor: if enabled { factor.max(1) } else { UNLIMITED },
            login_attempts: login_attempts.max(1),
            login_window: Duration::from_secs(seconds.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_on_unless_they_are_switched_off_in_so_many_words() {
        let factor = |value: &str| {
            let mut env = Env::of([("RATE_LIMIT_ENABLE", value)]);
            let settings = LimitSettings::from_env(&mut env);
            env.finish().map(|()| settings.factor)
        };
        assert_eq!(LimitSettings::from_env(&mut Env::default()).factor, 1);
        for on in ["1", "true"] {
            assert_eq!(factor(on).unwrap(), 1);
        }
        for off in ["0", "false"] {
            assert_eq!(factor(off).unwrap(), UNLIMITED);
        }
        for odd in ["no", "False", "off", "2"] {
            assert!(factor(odd).is_err(), "{odd}");
        }
        let mut env = Env::of([("RATE_LIMIT_LOGIN_ATTEMPTS", "0")]);
        let _ = LimitSettings::from_env(&mut env);
        assert!(env.finish().is_err());
    }
}
