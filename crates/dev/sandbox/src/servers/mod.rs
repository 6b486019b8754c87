//! Private PostgreSQL and Redis servers of one owner: they listen on loopback, keep their data in a folder of their own and
//! end with the process that started them, even when it is killed.

mod postgres;
mod programs;
mod redis;
mod spawn;

pub use postgres::{Postgres, PostgresOptions};
pub use programs::{postgres_program, redis_program};
pub use redis::{Redis, RedisOptions};
pub use spawn::spawn_until_we_end;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Ports below the range that Linux gives to outgoing connections (from 32768), which could take one between choice and use.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;
/// Each process begins its search this far from the next one's, so that two at once do not choose the same.
const STRIDE: u32 = 41;

/// A port nobody listens on now, and that this process has not been given before.
///
/// # Errors
/// When loopback has none.
pub fn free_port() -> anyhow::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(STRIDE);
    for _ in 0..COUNT {
        let port = FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(port)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port is free on loopback")
}
