//! Why a use case did not happen, in words a person can act on.

use domain::{access::Role, validate::Violation};
use engine::{EngineError, EngineErrorKind};
use store::StoreError;

/// A use case that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing named does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What sort of thing.
        what: &'static str,
        /// How it was named.
        id: String,
    },
    /// Input that a person can correct.
    #[error("{}", list(.0))]
    Invalid(Vec<Violation>),
    /// Not possible now; the text says why and what to do.
    #[error("{0}")]
    Conflict(String),
    /// The actor's role is too low.
    #[error("{actor} may not do this; it takes the role of {needed:?} or a higher one")]
    Forbidden {
        /// Who.
        actor: String,
        /// The lowest role that may.
        needed: Role,
    },
    /// Something needed does not answer; may pass by itself.
    #[error("{0}")]
    Unavailable(String),
    /// The engine refused.
    #[error("{0}")]
    Engine(#[source] EngineError),
    /// The control database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a caller has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing named does not exist.
    NotFound {
        /// What sort of thing.
        what: String,
        /// How it was named.
        id: String,
    },
    /// Input that a person can correct.
    Invalid(Vec<Violation>),
    /// Not possible now.
    Conflict(String),
    /// The actor's role is too low.
    Forbidden,
    /// Something needed does not answer.
    Unavailable(String),
    /// Somebody has to look.
    Internal(String),
}

impl Error {
    /// The sort of error, with the text to show.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::NotFound { what, id } => ErrorKind::NotFound {
                what: (*what).to_owned(),
                id: id.clone(),
            },
            Error::Invalid(violations) => ErrorKind::Invalid(violations.clone()),
            Error::Conflict(text) => ErrorKind::Conflict(text.clone()),
            Error::Forbidden { .. } => ErrorKind::Forbidden,
            Error::Unavailable(text) => ErrorKind::Unavailable(text.clone()),
            Error::Engine(error) => match error.kind {
                EngineErrorKind::Unreachable => ErrorKind::Unavailable(error.to_string()),
                EngineErrorKind::Protocol => ErrorKind::Internal(error.to_string()),
                EngineErrorKind::Rejected
                | EngineErrorKind::NotFound
                | EngineErrorKind::Unsupported => ErrorKind::Conflict(error.message.clone()),
            },
            Error::Store(error) => ErrorKind::Internal(error.to_string()),
        }
    }

    /// There is no cluster of this name.
    pub(crate) fn no_cluster(name: &str) -> Error {
        Error::NotFound {
            what: "cluster",
            id: name.to_owned(),
        }
    }

    /// One wrong field.
    pub(crate) fn invalid(field: &str, value: &str, allowed: impl Into<String>) -> Error {
        Error::Invalid(vec![Violation::new(field, value, allowed)])
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        Error::Engine(error)
    }
}

fn list(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::to_string).collect();
    texts.join("; ")
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
