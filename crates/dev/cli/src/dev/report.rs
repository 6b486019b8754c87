use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::children::Children;
use super::plan::Plan;
use super::servers::Servers;
use crate::say;
use crate::seed::{DEMO_PEOPLE, DEMO_ROOT, DEMO_TENANT};

fn urls(plan: &Plan) -> Vec<(&'static str, String)> {
    vec![
        ("gateway", plan.url("GATEWAY_HTTP_ADDR")),
        ("docs", format!("{}/docs/", plan.url("GATEWAY_HTTP_ADDR"))),
        ("webhook", plan.url("PAYMENTS_WEBHOOK_ADDR")),
        ("mailbox", plan.url("SANDBOX_WEB_ADDR")),
        ("smtp", format!("smtp://{}", plan.address("SANDBOX_SMTP_ADDR"))),
        ("razorpay", plan.url("SANDBOX_RAZORPAY_ADDR")),
    ]
}

/// What `songlist dev` prints about a running stack and writes to `demo.json`, which is removed when it ends.
pub(super) struct Report<'a> {
    folder: &'a Path,
    plan: &'a Plan,
    servers: &'a Servers,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        // Other commands use this file to find a running stack.
        let _ = fs::remove_file(self.folder.join("demo.json"));
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(folder: &'a Path, plan: &'a Plan, servers: &'a Servers) -> Self {
        Self { folder, plan, servers }
    }

    /// Writes `demo.json`: what scripts need to know about a running stack.
    pub(super) fn write(&self, children: &Children) -> anyhow::Result<()> {
        let Self { folder, plan, servers } = self;
        let urls: serde_json::Map<String, Value> =
            urls(plan).into_iter().map(|(name, url)| (name.to_owned(), json!(url))).collect();
        let root = json!({ "role": "SUPER_ADMIN", "tenant_id": null, "tenant_slug": null, "username": DEMO_ROOT.0,
                       "email": DEMO_ROOT.1, "password": DEMO_ROOT.2 });
        let people = DEMO_PEOPLE.iter().map(|person| {
            json!({ "role": person.role, "tenant_id": servers.demo_tenant, "tenant_slug": DEMO_TENANT.1,
                "username": person.username, "email": person.email, "password": person.password })
        });
        let logins: Vec<Value> = std::iter::once(root).chain(people).collect();
        let mut pids: serde_json::Map<String, Value> =
            children.pids().map(|(name, pid)| (name.to_owned(), json!(pid))).collect();
        pids.extend(servers.postgres.as_ref().map(|server| ("postgres".to_owned(), json!(server.pid()))));
        pids.extend(servers.redis.as_ref().map(|server| ("redis".to_owned(), json!(server.pid()))));
        let demo = json!({
            "urls": urls,
            "logins": logins,
            "razorpay": { "key_id": "rzp_test_sandbox0000001", "key_secret": "sandbox_key_secret_0001",
                          "webhook_secret": "sandbox_webhook_secret_0001" },
            "database_admin_url": servers.database_admin_url(),
            "redis_url": servers.redis_url(),
            "pids": pids,
        });
        // Renamed when it is complete, so that nobody reads half a file.
        let unfinished = folder.join("demo.json.new");
        fs::write(&unfinished, serde_json::to_string_pretty(&demo)?)?;
        fs::rename(unfinished, folder.join("demo.json"))?;
        Ok(())
    }

    /// Prints the table of addresses and logins.
    pub(super) fn print(&self) {
        let plan = self.plan;
        say("\nSongList runs.\n");
        for (name, url) in urls(plan) {
            say(&format!("  {name:<10} {url}"));
        }
        say("\n  demo logins (password, then the code from the mailbox)");
        say(&format!("  {:<12} {:<28} {}", "SUPER_ADMIN", DEMO_ROOT.1, DEMO_ROOT.2));
        for person in &DEMO_PEOPLE {
            say(&format!(
                "  {:<12} {:<28} {}   (tenant {})",
                person.role, person.email, person.password, DEMO_TENANT.1
            ));
        }
        let gateway = plan.url("GATEWAY_HTTP_ADDR");
        let [_, login] = &DEMO_PEOPLE;
        say("\n  try next");
        say(&format!("  curl {gateway}/api/v1/capabilities/"));
        say(&format!(
            "  curl -X POST {gateway}/api/v1/tenant/{}/auth/login/ -H 'content-type: application/json' -d '{{\"email\":\"{}\",\"password\":\"{}\"}}'",
            DEMO_TENANT.1, login.email, login.password
        ));
        say(&format!("  curl '{}/api/v1/search?query=to:{}'", plan.url("SANDBOX_WEB_ADDR"), login.email));
        let folder = self.folder.display();
        say(&format!(
            "\n  `make demo` in another terminal plays the whole journey. Logs are in {folder}/log, this table in {folder}/demo.json."
        ));
        say("  Ctrl-C stops everything.\n");
    }
}
