//! What a call is about, and what a refusal of the cluster means to the console.

use crate::{
    quote::{self, Unquotable},
    session::{BadValue, SqlFailure},
};
use ::engine::{EngineError, EngineErrorKind};

/// What a call was about, to tell its failures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) subject: &'a str,
}

impl Call<'_> {
    pub(crate) fn error(self, kind: EngineErrorKind, why: impl Into<String>) -> EngineError {
        EngineError::new(kind, self.operation, self.subject, why)
    }

    pub(crate) fn rejected(self, why: impl Into<String>) -> EngineError {
        self.error(EngineErrorKind::Rejected, why)
    }

    pub(crate) fn not_found(self, why: impl Into<String>) -> EngineError {
        self.error(EngineErrorKind::NotFound, why)
    }

    pub(crate) fn unquotable(self, why: Unquotable) -> EngineError {
        self.rejected(format!("the name or text cannot be sent: {why}"))
    }

    /// The condition `COLUMN = 'text'`.
    pub(crate) fn is(self, column: &str, text: &str) -> Result<String, EngineError> {
        let text = quote::literal(text).map_err(|why| self.unquotable(why))?;
        Ok(format!("{column} = {text}"))
    }

    pub(crate) fn bad_value(self, value: &BadValue) -> EngineError {
        self.error(EngineErrorKind::Protocol, value.to_string())
    }

    pub(crate) fn failed(self, failure: &SqlFailure) -> EngineError {
        let (kind, advice) = match failure {
            SqlFailure::Refused { code, .. } => meaning(*code),
            _ => (EngineErrorKind::Unreachable, ""),
        };
        let text = failure.to_string();
        match advice {
            "" => self.error(kind, text),
            advice => self.error(kind, format!("{text}; {advice}")),
        }
    }
}

/// What sort of refusal a code is, and what to do about it.
fn meaning(code: u16) -> (EngineErrorKind, &'static str) {
    use EngineErrorKind as K;
    match code {
        1045 => (
            K::Unreachable,
            "check user, tenant and password, and whether this host may sign in (ob_tcp_invited_nodes)",
        ),
        1142 | 1227 => (
            K::Rejected,
            "sign in as root of the tenant sys, or grant the account what it lacks",
        ),
        1146 | 1054 => (
            K::Protocol,
            "this version of the cluster is not known well enough",
        ),
        1235 => (K::Rejected, ""),
        4012 => (K::Unreachable, "the cluster is slow; it is tried again"),
        4023 | 4109 => (K::Unreachable, "the cluster asks to try again"),
        5157 => (K::NotFound, ""),
        9036 => (
            K::Unreachable,
            "another backup runs; it is tried again when that has ended",
        ),
        9070 => (
            K::Unreachable,
            "check that every server of the cluster reaches the destination",
        ),
        9071 | 9116 => (K::Rejected, "give the cluster the right to write there"),
        9080 | 9081 => (
            K::Rejected,
            "take an empty directory, or the one that this tenant used before",
        ),
        9082 => (K::Unreachable, "make room at the destination"),
        _ => (K::Rejected, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do_and_whether_to_try_again() {
        let call = Call {
            operation: "data backup",
            subject: "t1",
        };
        let refused = |code| SqlFailure::Refused {
            code,
            message: "said".to_owned(),
        };
        let busy = call.failed(&refused(9036));
        assert_eq!(busy.kind, EngineErrorKind::Unreachable);
        assert!(
            busy.to_string()
                .starts_with("data backup of t1: said (error 9036); another")
        );
        assert_eq!(call.failed(&refused(9040)).kind, EngineErrorKind::Rejected);
        let silent = SqlFailure::Silent(std::time::Duration::from_secs(30));
        assert!(call.failed(&silent).kind.is_transient());
    }
}
