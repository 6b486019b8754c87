use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// The contents of `demo.json` about the stack that `songlist dev` runs; it is rewritten when a process is restarted.
pub(crate) struct RunningStack(Value);

impl RunningStack {
    /// # Errors
    /// When no stack runs in that folder.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(folder.join("demo.json"))
            .with_context(|| format!("nothing runs in {}: type `make run` first", folder.display()))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    fn text(&self, pointer: &str) -> String {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn url(&self, name: &str) -> String {
        self.text(&format!("/urls/{name}"))
    }

    pub(crate) fn database_admin_url(&self) -> String {
        self.text("/database_admin_url")
    }

    pub(crate) fn redis_url(&self) -> String {
        self.text("/redis_url")
    }

    /// The process id of a program of the stack.
    pub(crate) fn pid(&self, program: &str) -> Option<u64> {
        self.0.pointer(&format!("/pids/{program}")).and_then(Value::as_u64)
    }
}
