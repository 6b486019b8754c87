use std::path::PathBuf;

/// The hint for a missing program.
const HINT: &str = "run `sh deploy/dev/install-servers.sh` (as root it installs what is missing)";

/// The path of a program of PostgreSQL: of the newest version that the distribution installed, else the one on PATH.
///
/// # Errors
/// When it is not installed; the message says how to install it.
pub fn postgres_program(name: &str) -> anyhow::Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name))))
        .filter(|(_, path)| path.is_file())
        .collect();
    versions.sort();
    match versions.pop() {
        Some((_, path)) => Ok(path),
        None => on_path(name).ok_or_else(|| anyhow::anyhow!("PostgreSQL's `{name}` was not found: {HINT}")),
    }
}

/// The path of the Redis server.
///
/// # Errors
/// When it is not installed; the message says how to install it.
pub fn redis_program() -> anyhow::Result<PathBuf> {
    on_path("redis-server").ok_or_else(|| anyhow::anyhow!("`redis-server` was not found: {HINT}"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
