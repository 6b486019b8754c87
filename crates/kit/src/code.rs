//! Every `code` an error can have: one enum for all services, because clients branch on it. A code has one kind, which decides
//! the status, and one sentence that says what to do; `docs/errors.md` and the OpenAPI document list them.

use crate::Kind;

/// Declares the codes: variant, name on the wire, kind, sentence.
macro_rules! codes {
    ($($variant:ident $name:literal $kind:ident $text:literal;)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $text] $variant,)*
        }

        impl Code {
            /// Every code, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that clients see.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of every error with this code.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// The sentence for a client, unless the error has a more exact one.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    AccountDeletedByAdmin "account_deleted_by_admin" Forbidden "Your account has been deleted by admin. Please contact support.";
    AccountInactive "account_inactive" Forbidden "This account is not active. Please ask an administrator to activate it.";
    AlreadyLinked "already_linked" Conflict "This song is on the list already.";
    AlreadyPremium "already_premium" Conflict "This organisation is premium already; there is nothing to pay.";
    AlreadyPresent "already_present" Conflict "This song is in the playlist already.";
    BodyTooSlow "body_too_slow" Invalid "The body did not arrive in time. Please send it again.";
    Conflict "conflict" Conflict "The request conflicts with the current state. Load the object again before you change it.";
    EmailNotVerified "email_not_verified" Forbidden "Please verify your email address first, with the code that was mailed to it.";
    EmailTaken "email_taken" Conflict "A user with this e-mail exists already. Choose another one.";
    GenreExists "genre_exists" Conflict "A genre with this name exists already. Choose another name.";
    GenreInUse "genre_in_use" Conflict "Songs have this genre. Give them another one before you delete it.";
    IdempotencyKeyReused "idempotency_key_reused" KeyReused "This Idempotency-Key was used with another request. Send a new key.";
    IllegalTransition "illegal_transition" Conflict "This state does not allow the change. Load it again to see its state.";
    InternalError "internal_error" Internal "Something went wrong on our side. Please quote the request id when you report it.";
    InvalidCredentials "invalid_credentials" Unauthenticated "Wrong credentials. Check them and try again, or reset the password.";
    InvalidSignature "invalid_signature" Unauthenticated "The signature is wrong. Sign the raw body with the webhook secret.";
    MalformedJson "malformed_json" Invalid "The body is not well-formed JSON. Send one JSON object, nested at most 16 deep.";
    MethodNotAllowed "method_not_allowed" Invalid "This method is not allowed here; the Allow header lists those that are.";
    MissingSignature "missing_signature" Invalid "The signature is missing. Send it in X-Razorpay-Signature.";
    NotAuthenticated "not_authenticated" Unauthenticated "Please sign in and send the access token as Authorization: Bearer.";
    NotFound "not_found" NotFound "Not found: it does not exist, or you may not see it.";
    OtpInvalid "otp_invalid" Invalid "The code is not valid or has expired. Use the newest code, or ask for a new one.";
    PageOutOfRange "page_out_of_range" NotFound "That page does not exist. Request page 1 to see the count.";
    PayloadTooLarge "payload_too_large" Invalid "The body is too large. The OpenAPI document states the limit of each route.";
    PaymentGatewayUnavailable "payment_gateway_unavailable" Unavailable "Payments are not available now. Please try again.";
    PaymentNotRefundable "payment_not_refundable" Conflict "This cannot be refunded: nothing was paid, all of it goes back already, or Razorpay refuses.";
    PermissionDenied "permission_denied" Forbidden "Your role may not perform this action. The documentation lists the roles that may.";
    PlaylistExists "playlist_exists" Conflict "A playlist with this name exists already. Choose another name.";
    PlaylistFull "playlist_full" Conflict "The playlist is full: it holds at most 10,000 songs. Remove some before you add more.";
    PreconditionFailed "precondition_failed" Stale "Somebody changed it meanwhile. Load it again before you change it.";
    PreconditionRequired "precondition_required" Stale "Send If-Match with the ETag of what you have seen, so that nobody's change is lost.";
    PremiumRequired "premium_required" Forbidden "This needs a premium subscription. Create a payment link to buy it.";
    QuotaExceeded "quota_exceeded" Conflict "This is the most that may be stored. Remove something before you add more.";
    RateLimited "rate_limited" RateLimited "Too many requests. Wait as long as Retry-After says.";
    ReadOnlyField "read_only_field" Invalid "This field cannot be set. Leave it out, or send the value it has.";
    ReauthenticationRequired "reauthentication_required" Forbidden "You signed in a while ago. Send your password with the request, or sign in again.";
    RequestExists "request_exists" Conflict "This song was requested already; the request is still open.";
    RequestInProgress "request_in_progress" InProgress "A request with this Idempotency-Key is still being processed. Try again later.";
    ServiceBusy "service_busy" Unavailable "Too many sign-ins at once. Please try again.";
    ServiceUnavailable "service_unavailable" Unavailable "The service is temporarily unavailable. Please try again.";
    SlugTaken "slug_taken" Conflict "This slug is taken. Choose another one.";
    SongExists "song_exists" Conflict "This song exists already; details.id is its id when you may see it.";
    TenantExists "tenant_exists" Conflict "A tenant with this name exists already. Choose another name.";
    TenantHasUsers "tenant_has_users" Conflict "This tenant still has users. Delete them first.";
    TenantNotFound "tenant_not_found" NotFound "This tenant does not exist or is not active. Check its slug or id.";
    Timeout "timeout" Timeout "The request took too long. Please try again.";
    TokenNotValid "token_not_valid" Unauthenticated "The token is not valid or has expired. Refresh it or sign in again.";
    TokenReused "token_reused" Unauthenticated "This session was ended for your safety. Please sign in again.";
    TooManySongs "too_many_songs" Invalid "More than 50,000 songs match. Name fewer of them at once.";
    TooManyValues "too_many_values" Invalid "The query has too many values. Send fewer.";
    TotpChallenge "totp_challenge" Conflict "This sign-in waits for a code of the authenticator; none is mailed.";
    TotpEnabled "totp_enabled" Conflict "There is an authenticator already. Remove it before you add another one.";
    UnknownParameter "unknown_parameter" Invalid "A query parameter is not known. Leave it out.";
    UnsupportedMediaType "unsupported_media_type" Invalid "Send the body as application/json in UTF-8.";
    UseUsersMe "use_users_me" Invalid "Use /users/me/ for your own account.";
    UsernameTaken "username_taken" Conflict "This username is taken. Choose another one.";
    ValidationError "validation_error" Invalid "Validation failed; errors names each field and what is wrong with it.";
}

impl Code {
    /// The code of a name on the wire.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The general code of a kind, used for an unknown code: a peer of a newer release may have more codes.
    pub(crate) fn general(kind: Kind) -> Self {
        match kind {
            Kind::Invalid => Self::ValidationError,
            Kind::Unauthenticated => Self::NotAuthenticated,
            Kind::Forbidden => Self::PermissionDenied,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict | Kind::Precondition => Self::Conflict,
            Kind::RateLimited => Self::RateLimited,
            Kind::Stale => Self::PreconditionFailed,
            Kind::KeyReused => Self::IdempotencyKeyReused,
            Kind::InProgress => Self::RequestInProgress,
            Kind::Unavailable => Self::ServiceUnavailable,
            Kind::Timeout => Self::Timeout,
            Kind::Internal => Self::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_has_a_sentence() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.name()), "keep the table in alphabetical order");
        for code in Code::ALL {
            assert!(code.text().ends_with('.'), "{code:?}");
            assert_eq!(Code::of_name(code.name()), Some(*code), "{code:?}: two codes share a name");
        }
    }

    #[test]
    fn the_general_code_of_a_kind_is_of_that_kind() {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Precondition) {
            assert_eq!(Code::general(kind).kind(), kind);
        }
    }
}
