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
    /// There is no cluster of this name.
    #[error("{}", no_cluster(name, known))]
    NoCluster {
        /// The name that was given.
        name: String,
        /// The clusters there are.
        known: Vec<String>,
    },
    /// Input that a person can correct.
    #[error("{}", list(.0))]
    Invalid(Vec<Violation>),
    /// Not possible now; the text says why and what to do.
    #[error("{0}")]
    Conflict(String),
    /// Not possible yet; passes by itself in a moment.
    #[error("{0}")]
    NotYet(String),
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
            Error::NoCluster { name, .. } => ErrorKind::NotFound {
                what: "cluster".to_owned(),
                id: name.clone(),
            },
            Error::Invalid(violations) => ErrorKind::Invalid(violations.clone()),
            Error::Conflict(text) | Error::NotYet(text) => ErrorKind::Conflict(text.clone()),
            Error::Forbidden { .. } => ErrorKind::Forbidden,
            Error::Unavailable(text) => ErrorKind::Unavailable(text.clone()),
            Error::Engine(error) => match error.kind {
                EngineErrorKind::Unreachable => ErrorKind::Unavailable(error.to_string()),
                EngineErrorKind::Protocol => ErrorKind::Internal(error.to_string()),
                EngineErrorKind::Rejected
                | EngineErrorKind::NotFound
                | EngineErrorKind::Unsupported => ErrorKind::Conflict(error.message.clone()),
            },
            Error::Store(error) if error.may_pass() => ErrorKind::Unavailable(error.to_string()),
            Error::Store(error) => ErrorKind::Internal(error.to_string()),
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

fn no_cluster(name: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!(
            "cluster \"{name}\" does not exist, and no other does yet; create the first one on \
             the console's page in a browser, or start the server with --demo"
        );
    }
    let known = known.join(", ");
    format!("cluster \"{name}\" does not exist; there is: {known}")
}

/// An error with its causes, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_is_not_there_is_quoted_beside_those_that_are() {
        let told = |known: &[&str]| {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            let name = "locla".to_owned();
            Error::NoCluster { name, known }.to_string()
        };
        assert_eq!(
            told(&["local", "other"]),
            "cluster \"locla\" does not exist; there is: local, other"
        );
        let first = told(&[]);
        assert!(
            first.contains("\"locla\"") && first.contains("--demo") && first.contains("browser"),
            "{first}"
        );
    }
}
