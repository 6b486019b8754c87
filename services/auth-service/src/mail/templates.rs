//! What mails say: one file per mail in `templates/`, each put into the layout for HTML and the one for plain text.

use kit::Secret;
use minijinja::{AutoEscape, Environment, context};

use super::Mail;

macro_rules! templates {
    ($($variant:ident $name:literal;)*) => {
        /// The mails that are sent. The names stand in messages of the outbox.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Template {
            $($variant,)*
        }

        impl Template {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn source(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("templates/", $name, ".jinja")),)* }
            }
        }
    };
}

templates! {
    EmailVerification "email_verification";
    LoginOtp "login_otp";
    PasswordResetOtp "password_reset_otp";
    Welcome "welcome";
    PasswordChanged "password_changed";
    SessionEnded "session_ended";
    SignInAttempts "sign_in_attempts";
    AccountExists "account_exists";
    AccountRestored "account_restored";
    RequestFulfilled "request_fulfilled";
    PaymentReceipt "payment_receipt";
    AuthenticatorAdded "authenticator_added";
    AuthenticatorRemoved "authenticator_removed";
}

impl Template {
    /// The template with this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        // As the release before this one wrote it.
        let name = if name == "token_reused" { Self::SessionEnded.name() } else { name };
        Self::ALL.iter().copied().find(|template| template.name() == name)
    }

    /// True for what tells an owner about the safety of the account or about money: it is always sent.
    pub(crate) fn is_always_sent(self) -> bool {
        matches!(
            self,
            Self::PaymentReceipt
                | Self::PasswordChanged
                | Self::SessionEnded
                | Self::SignInAttempts
                | Self::AuthenticatorAdded
                | Self::AuthenticatorRemoved
        )
    }
}

/// What a mail is filled with; what it has no use for stays empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// The organisation whose user it is; empty for the platform.
    pub organisation: String,
    pub username: String,
    /// First and last name, or the username.
    pub name: String,
    pub code: Secret,
    /// How long the code is good.
    pub minutes: u64,
    /// When it was asked for, and the network from where.
    pub time: String,
    pub place: String,
    pub title: String,
    pub artist: String,
    /// What was paid, with its currency, and the payment's reference.
    pub amount: String,
    pub reference: String,
    /// Where links lead.
    pub frontend: String,
}

/// The parsed templates.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    /// # Errors
    /// When a template is not well-formed.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut env = Environment::new();
        env.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
        env.add_template("layout.html", include_str!("templates/layout.html"))?;
        env.add_template("layout.txt", include_str!("templates/layout.txt"))?;
        for template in Template::ALL {
            for form in ["html", "txt"] {
                env.add_template_owned(format!("{}.{form}", template.name()), template.source())?;
            }
        }
        Ok(Self(env))
    }

    /// A mail to one address.
    ///
    /// # Errors
    /// When a template asks for something that does not exist.
    pub(super) fn render(&self, template: Template, to: String, params: &Params) -> anyhow::Result<Mail> {
        let organisation = as_name(&params.organisation);
        let fill = |layout: &str| {
            context! {
                layout,
                organisation => if organisation.is_empty() { "SongList" } else { &organisation },
                username => as_name(&params.username),
                name => as_name(&params.name),
                code => params.code.expose(),
                minutes => params.minutes,
                time => &params.time,
                place => &params.place,
                title => harmless(&params.title),
                artist => harmless(&params.artist),
                amount => harmless(&params.amount),
                reference => harmless(&params.reference),
                frontend => &params.frontend,
            }
        };
        let html = self.0.get_template(&format!("{}.html", template.name()))?.render(fill("layout.html"))?;
        let plain = self.0.get_template(&format!("{}.txt", template.name()))?;
        let mut plain = plain.render_captured(fill("layout.txt"))?;
        let subject = plain.with_state_mut(|state| state.render_block("subject"))?;
        let text = plain.output().trim_end().trim_end_matches(subject.as_str()).trim_end().to_owned();
        Ok(Mail { to, subject, text: format!("{text}\n"), html })
    }
}

/// A text of a user for a mail in our name: short, and nothing in it becomes a link.
fn harmless(text: &str) -> String {
    shortened(text, |word| if looks_like_link(word) { "…".to_owned() } else { word.to_owned() })
}

/// A name for a mail in our name. One such as `anna.kumar` stays readable: a word joiner, which is not seen, stands behind
/// each dot, so that no mail program makes a link of it.
fn as_name(text: &str) -> String {
    let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'));
    shortened(text, |word| match looks_like_link(word) {
        false => word.to_owned(),
        true if plain(word) => word.replace('.', ".\u{2060}"),
        true => "…".to_owned(),
    })
}

fn shortened(text: &str, word: impl Fn(&str) -> String) -> String {
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    let text = words.join(" ");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// True for addresses and for what mail programs make a link of: a name with a dot before two letters.
fn looks_like_link(word: &str) -> bool {
    let domain = word.split('.').skip(1).any(|part| part.chars().take_while(char::is_ascii_alphabetic).count() >= 2);
    word.contains("://") || word.contains('@') || domain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        Params {
            organisation: "Blue <b>Frog</b> & Co".to_owned(),
            username: "asha".to_owned(),
            name: "Asha Rao".to_owned(),
            code: Secret::new("012345"),
            minutes: 5,
            time: "27 Nov 2026, 09:30 UTC".to_owned(),
            place: "203.0.113.0/24".to_owned(),
            title: "Let <script>alert(1)</script> it be".to_owned(),
            artist: "see https://evil.example/".to_owned(),
            amount: "INR 999.00".to_owned(),
            reference: "sl-0123456789abcdef".to_owned(),
            frontend: "https://songs.example".to_owned(),
        }
    }

    fn mail(template: Template) -> Mail {
        Templates::new().unwrap().render(template, "asha@example.com".to_owned(), &params()).unwrap()
    }

    /// Writes a mail to `target/mails/`, where a person can open it in a browser.
    fn keep_to_look_at(name: &str, html: &str) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/mails");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
    }

    #[test]
    fn cf_05_every_mail_has_a_subject_a_text_and_html_in_which_nothing_of_a_user_is_a_tag_or_a_link() {
        for template in Template::ALL {
            let mail = mail(*template);
            let name = template.name();
            keep_to_look_at(name, &mail.html);
            assert!(
                mail.subject.contains("Blue <b>Frog</b> & Co") && !mail.subject.contains('\n'),
                "{name}: {}",
                mail.subject
            );
            assert!(
                !mail.text.contains(&mail.subject) && mail.text.contains("https://songs.example"),
                "{name}: {}",
                mail.text
            );
            assert!(
                mail.html.contains("Blue &lt;b&gt;Frog") && !mail.html.contains("<script"),
                "{name}: {}",
                mail.html
            );
            assert!(!mail.html.contains("evil.example") && !mail.text.contains("evil.example"), "{name}");
            assert_eq!(Template::of_name(name), Some(*template));
        }
    }

    #[test]
    fn the_subjects_of_codes_are_those_that_users_know_and_the_code_comes_first() {
        for (template, subject) in [
            (Template::EmailVerification, "Email Verification - "),
            (Template::LoginOtp, "Login OTP - "),
            (Template::PasswordResetOtp, "Password Reset OTP - "),
            (Template::Welcome, "Welcome to "),
        ] {
            assert!(mail(template).subject.starts_with(subject));
        }
        let mail = mail(Template::LoginOtp);
        assert!(mail.text.starts_with("Your sign-in code\n\n    012345\n"), "{}", mail.text);
        assert!(
            mail.text.contains("as asha") && mail.text.contains("203.0.113.0/24") && mail.text.contains("09:30 UTC")
        );
    }

    #[test]
    fn sf_07_a_title_in_a_mail_is_short_and_no_link() {
        assert_eq!(harmless("sign in at https://evil.example/ now"), "sign in at … now");
        assert_eq!(harmless("T.N.T."), "T.N.T.");
        assert_eq!(harmless("write to root@evil or evil.example"), "write to … or …");
        assert_eq!(harmless(&"x".repeat(100)).chars().count(), 61);
    }
}
