use super::Mail;

const HEAD: &str = "<!doctype html><meta charset=utf-8><title>Mailbox</title><style>body{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.4rem;border-bottom:1px solid #ddd}pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem}</style>";

pub(crate) fn list(mails: &[Mail]) -> String {
    let rows: String = mails
        .iter()
        .map(|mail| {
            format!(
                "<tr><td>{}<td>{}<td><a href=\"/mail/{}\">{}</a>",
                mail.received_at.format("%H:%M:%S"),
                escape(&mail.to.join(", ")),
                mail.id,
                escape(&mail.subject)
            )
        })
        .collect();
    format!(
        "{HEAD}<h1>Mailbox</h1><p>{} mails, the newest first. Reload to see more.<table><tr><th>At<th>To<th>Subject{rows}</table>",
        mails.len()
    )
}

pub(crate) fn one(mail: &Mail) -> String {
    format!(
        "{HEAD}<p><a href=\"/\">all mails</a><h1>{}</h1><p>From {} to {} at {}<pre>{}</pre>",
        escape(&mail.subject),
        escape(&mail.from),
        escape(&mail.to.join(", ")),
        mail.received_at.to_rfc3339(),
        escape(&mail.text)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
