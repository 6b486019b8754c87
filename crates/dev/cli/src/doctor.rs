use std::net::TcpStream;
use std::time::Duration;

use kit::Clock;
use kit::env::Env;
use kit_pg::{Pool, bootstrap, migrate};

use crate::migrate::SERVICES;
use crate::say;

/// What was found, and what to do about it.
struct Finding {
    what: String,
    fault: Option<String>,
}

#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn note(&mut self, what: impl Into<String>, outcome: Result<(), String>) {
        self.0.push(Finding { what: what.into(), fault: outcome.err() });
    }
}

/// Checks everything that SongList needs; fails when there is a fault.
pub(crate) async fn run(env: &mut Env) -> anyhow::Result<()> {
    let mut report = Report::default();
    let auth = auth_service::Config::from_env(env);
    let songlist = songlist_service::Config::from_env(env);
    let payments = payments_service::Config::from_env(env);
    let scheduler = scheduler_service::Config::from_env(env);
    let gateway = gateway::Config::from_env(env);
    let email = (env.text("EMAIL_HOST", "127.0.0.1", "SMTP server"), env.get("EMAIL_PORT", 1025_u16, "SMTP port"));
    report.note("configuration and keys", env.finish().map_err(|problems| problems.to_string()));
    let pools = [&auth.pg, &songlist.pg, &payments.pg, &scheduler.pg];
    for ((_, name, migrations), config) in SERVICES.into_iter().zip(pools) {
        database(&mut report, name, config.url.expose()).await;
        let pending = migrate::pending(&Pool::new(config, &[]), &migrations).await;
        report.note(
            format!("{name}: migrations"),
            match pending {
                Ok(pending) if pending.is_empty() => Ok(()),
                Ok(pending) => Err(format!("pending: {}; run `songlist migrate {name}`", pending.join(", "))),
                Err(error) => Err(format!("{error:#}; run `songlist migrate {name}`")),
            },
        );
    }
    let redis = kit_redis::Redis::new(&gateway.redis)?;
    let policy = redis.eviction_policy().await;
    report.note(
        "Redis",
        match policy.as_deref() {
            Ok("noeviction") => Ok(()),
            Ok(other) => {
                Err(format!("maxmemory-policy is {other}: revocation marks could vanish; set it to noeviction"))
            }
            Err(_) => Err("does not answer at REDIS_URL; start it or mend the URL".to_owned()),
        },
    );
    let smtp = format!("{}:{}", email.0, email.1);
    report.note("SMTP", reachable(&smtp).map_err(|error| format!("{smtp}: {error}; mend EMAIL_HOST and EMAIL_PORT")));
    for (name, addr) in [("gateway", gateway.http_addr), ("webhook port", payments.webhook_addr)] {
        let outcome = reachable(&addr.to_string());
        say(&format!("      {name} {addr}: {}", if outcome.is_ok() { "somebody listens" } else { "nobody listens" }));
    }
    crate::doctor_replicas::tell(&gateway).await;
    if let Some(hint) = scheduling() {
        say(&format!("hint  {hint}"));
    }
    let mut faults = 0;
    for finding in &report.0 {
        match &finding.fault {
            None => say(&format!("ok    {}", finding.what)),
            Some(fault) => {
                faults += 1;
                say(&format!("FAULT {}: {fault}", finding.what));
            }
        }
    }
    anyhow::ensure!(faults == 0, "{faults} faults");
    Ok(())
}

/// Autogroups (`man 7 sched`) give every session the same share of the processors, whatever the priorities of its threads:
/// hashing then delays the sessions of PostgreSQL. Services in control groups are not in autogroups.
fn scheduling() -> Option<&'static str> {
    let setting = std::fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled").ok()?;
    (setting.trim() == "1").then_some(
        "kernel.sched_autogroup_enabled is 1: unless each service has a control group, many sign-ins at once delay reads; \
         set it to 0 with sysctl",
    )
}

fn reachable(addr: &str) -> Result<(), String> {
    use std::net::ToSocketAddrs;
    let target = addr.to_socket_addrs().map_err(|error| error.to_string())?.next().ok_or("no address")?;
    TcpStream::connect_timeout(&target, Duration::from_secs(2)).map(|_stream| ()).map_err(|error| error.to_string())
}

/// Connection, role, locale and clock of one service's database.
async fn database(report: &mut Report, name: &str, url: &str) {
    let client = match bootstrap::open(url).await {
        Ok(client) => client,
        Err(error) => {
            let fault = format!("{error:#}; start PostgreSQL, or mend {}_DATABASE_URL or DB_*", name.to_uppercase());
            report.note(format!("{name}: PostgreSQL"), Err(fault));
            return;
        }
    };
    report.note(format!("{name}: PostgreSQL"), Ok(()));
    let facts = client
        .query_one(
            "SELECT r.rolsuper OR r.rolbypassrls, d.datctype::text, extract(epoch FROM now())::bigint, current_schema()::text \
             FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()",
            &[],
        )
        .await;
    let Ok(row) = facts else {
        report.note(format!("{name}: role"), Err("its facts cannot be read".to_owned()));
        return;
    };
    let privileged = row.try_get::<_, bool>(0).unwrap_or(true);
    let role =
        if privileged { Err("it bypasses row-level security; connect as the _rw role".to_owned()) } else { Ok(()) };
    report.note(format!("{name}: role"), role);
    let ctype: String = row.try_get(1).unwrap_or_default();
    let locale = match ctype.as_str() {
        "C" | "POSIX" => {
            Err(format!("{ctype}: search finds nothing in Indian scripts; make the database with C.UTF-8"))
        }
        _ => Ok(()),
    };
    report.note(format!("{name}: locale"), locale);
    let functions = match client.query(migrate::LEAKING, &[]).await {
        Ok(rows) if rows.is_empty() => Ok(()),
        Ok(rows) => {
            let names: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
            Err(format!(
                "{} must be there and leakproof; run deploy/postgres/init.sql again, as a superuser",
                names.join(", ")
            ))
        }
        Err(error) => Err(error.to_string()),
    };
    report.note(format!("{name}: functions"), functions);
    let skew = (row.try_get::<_, i64>(2).unwrap_or(0) - Clock::system().now().timestamp()).abs();
    let clock = if skew > 5 { Err(format!("{skew} s apart from this machine's; run NTP on both")) } else { Ok(()) };
    report.note(format!("{name}: clock"), clock);
    let schema: Option<String> = row.try_get(3).ok();
    let found = if schema.is_some() {
        Ok(())
    } else {
        Err("no schema on search_path; run deploy/postgres/init.sql".to_owned())
    };
    report.note(format!("{name}: schema"), found);
}
