//! The one error that crosses the wire, and how it becomes an HTTP status.

use crate::language::{t, tf, told};
use domain::validate::{Violation, sentence};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Why a request was not done. The text is for people and says the way forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// There is no such thing.
    #[error("{}", tf("There is no {what} {id}.", &[("what", &told(what)), ("id", id)]))]
    NotFound {
        /// The kind of thing.
        what: String,
        /// What it was called.
        id: String,
    },
    /// Fields are wrong.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Violation>),
    /// The present state does not allow it.
    #[error("{}", told(.0))]
    Conflict(String),
    /// Nobody is signed in.
    #[error("{}", t("You are signed out. Reload the page to sign in again."))]
    SignedOut,
    /// The caller may not do this.
    #[error(
        "{}",
        t("You have no right to do this. Ask an administrator of this console.")
    )]
    Forbidden,
    /// Something this needs is out of reach for now.
    #[error("{}", told(.0))]
    Unavailable(String),
    /// A fault of the console itself.
    #[error("{}", told(.0))]
    Internal(String),
    /// The console did not answer.
    #[error("{}", tf("The console did not answer. {why}", &[("why", .0)]))]
    Transport(String),
}

fn sentences(violations: &[Violation]) -> String {
    let mut text = String::new();
    for violation in violations {
        if !text.is_empty() {
            text.push_str(". ");
        }
        let (field, allowed) = (told(&violation.field), told(&violation.allowed));
        let _ = write!(text, "{field} \"{}\": {allowed}", violation.value);
    }
    text
}

impl ApiError {
    /// What is wrong with `field`, if this error says so.
    pub fn of_field(&self, field: &str) -> Option<String> {
        match self {
            ApiError::Invalid(violations) => violations
                .iter()
                .find(|violation| violation.field.eq_ignore_ascii_case(field))
                .map(|violation| told(&sentence(&violation.allowed))),
            _ => None,
        }
    }

    /// Whether asking again can help without anybody doing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, ApiError::Unavailable(_) | ApiError::Transport(_))
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        ApiError::Transport(value.to_string())
    }
}

/// Answers the page being rendered with 404; does nothing in the browser.
pub fn set_not_found() {
    #[cfg(feature = "ssr")]
    set_status(404);
}

/// Answers the request with 401.
#[cfg(feature = "ssr")]
pub(super) fn set_signed_out() {
    set_status(401);
}

#[cfg(feature = "ssr")]
fn set_status(status: u16) {
    use leptos::prelude::use_context;
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = status.try_into()
    {
        response.set_status(status);
    }
}

#[cfg(feature = "ssr")]
impl From<control::Error> for ApiError {
    fn from(error: control::Error) -> Self {
        use control::ErrorKind as K;
        let (status, mapped) = match error.kind() {
            K::NotFound { what, id } => {
                let (what, id) = (what.to_string(), id.to_string());
                (404, ApiError::NotFound { what, id })
            }
            K::Invalid(violations) => (422, ApiError::Invalid(violations)),
            K::Conflict(text) => (409, ApiError::Conflict(text)),
            K::Forbidden => (403, ApiError::Forbidden),
            K::Unavailable(text) => {
                tracing::warn!("a request has to wait: {}", control::chain(&error));
                (503, ApiError::Unavailable(text))
            }
            K::Internal(text) => {
                let causes = control::chain(&error);
                tracing::error!("a request failed inside the console: {causes}");
                (500, ApiError::Internal(text))
            }
        };
        set_status(status);
        mapped
    }
}
