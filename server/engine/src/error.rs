//! The error of every engine call.

/// What sort of refusal it is; decides whether a retry makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineErrorKind {
    /// The cluster or its destination did not answer; may pass by itself.
    Unreachable,
    /// The order is not possible as given; the message says what would be.
    Rejected,
    /// The thing named does not exist.
    NotFound,
    /// This engine cannot do it at all.
    Unsupported,
    /// An answer that should not occur; somebody has to look.
    Protocol,
}

impl EngineErrorKind {
    /// Whether trying again may help.
    pub const fn is_transient(self) -> bool {
        matches!(self, EngineErrorKind::Unreachable)
    }
}

/// An engine call that failed: which operation, on what, why.
#[derive(Debug, thiserror::Error)]
#[error("{operation} of {subject}: {message}")]
pub struct EngineError {
    /// What sort of refusal.
    pub kind: EngineErrorKind,
    /// The operation, as a noun: `data backup`, `recovery`.
    pub operation: &'static str,
    /// What it was about: a tenant's or file's name.
    pub subject: String,
    /// Why, and what to do.
    pub message: String,
}

impl EngineError {
    /// An error of `kind` in `operation` on `subject`.
    pub fn new(
        kind: EngineErrorKind,
        operation: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        EngineError {
            kind,
            operation,
            subject: subject.into(),
            message: message.into(),
        }
    }
}
