use std::fmt::Write as _;

use kit::Code;

/// `docs/errors.md`, made from the enum of codes.
pub fn errors_table() -> String {
    let mut text = String::from(
        "<!-- Made by `make docs` from crates/kit/src/code.rs; a test compares the two. -->\n\n\
         # Error codes\n\n\
         Branch on `code`, show `message`. A message may say more than the sentence here.\n\n\
         | code | status | what a client is told |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(text, "| `{}` | {} | {} |", code.name(), code.http(), code.text());
    }
    text
}
