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

/// Ports below the range that Linux uses for outgoing connections (from 32768), which could take a port before it is
/// used.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;
/// The distance between the first ports that two consecutive processes try, so that they do not choose the same one.
const STRIDE: u32 = 41;

/// A port on which nothing listens now, and which this process has not chosen before.
///
/// # Errors
/// When no port is free.
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
