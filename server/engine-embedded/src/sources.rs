//! Which copy a recovery reads: the first where that can be read and reaches the moment, else the second.

use crate::{absent::Archived, recovery::RecoveryError, registry::Inner, second::SecondCopy};
use domain::second_backup::Place;
use engine::{EngineError, TenantKey};
use std::sync::Arc;

/// The copies of one tenant's backups.
pub(crate) struct Sources {
    first: Arc<dyn Archived>,
    second: Option<Arc<SecondCopy>>,
}

impl Sources {
    /// Those of the tenant that `key` names.
    pub(crate) fn of(inner: &Inner, key: &TenantKey) -> Result<Self, EngineError> {
        let first = inner.archived(key)?;
        let second = inner.second().map(|second| second.of(&*first));
        Ok(Sources { first, second })
    }

    /// Whose they are.
    pub(crate) fn tenant(&self) -> &dyn Archived {
        &*self.first
    }

    /// Does `work` with the copy asked for, or with the first, and with the second if the first does not do.
    pub(crate) fn with<T>(
        &self,
        place: Option<Place>,
        work: impl Fn(Place, &dyn Archived) -> Result<T, RecoveryError>,
    ) -> Result<T, RecoveryError> {
        let second = self.second.as_ref();
        match (place, second) {
            (Some(Place::First), _) | (None, None) => work(Place::First, &*self.first),
            (Some(Place::Second), None) => Err(RecoveryError::NoSecond),
            (Some(Place::Second), Some(second)) => work(Place::Second, &**second),
            (None, Some(second)) => match work(Place::First, &*self.first) {
                Err(first) if first.is_of_backups() => {
                    let done = work(Place::Second, &**second);
                    done.map_err(|second| neither(first, second))
                }
                done => done,
            },
        }
    }
}

/// Why no copy does.
fn neither(first: RecoveryError, second: RecoveryError) -> RecoveryError {
    use RecoveryError::NotRecoverable;
    match (first, second) {
        (
            NotRecoverable {
                until,
                before,
                after,
            },
            NotRecoverable {
                before: earlier,
                after: later,
                ..
            },
        ) => NotRecoverable {
            until,
            before: before.max(earlier),
            after: [after, later].into_iter().flatten().min(),
        },
        (first, second) if second.is_of_backups() => RecoveryError::Neither {
            first: Box::new(first),
            second: Box::new(second),
        },
        // What is wrong has nothing to do with the copy.
        (_, second) => second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Scn;

    #[test]
    fn the_nearest_moments_are_those_of_both_copies() {
        let refused = |before: Option<u64>, after: Option<u64>| RecoveryError::NotRecoverable {
            until: Scn(50),
            before: before.map(Scn),
            after: after.map(Scn),
        };
        let nearest = |first, second| match neither(first, second) {
            RecoveryError::NotRecoverable { before, after, .. } => {
                (before.map(|it| it.0), after.map(|it| it.0))
            }
            other => panic!("{other}"),
        };
        let both = nearest(refused(Some(10), None), refused(Some(20), Some(70)));
        assert_eq!(both, (Some(20), Some(70)));
        let both = nearest(refused(None, Some(90)), refused(None, Some(70)));
        assert_eq!(both, (None, Some(70)));
        let text = neither(refused(Some(10), None), RecoveryError::NoSecond).to_string();
        assert!(text.contains("second"), "{text}");
    }
}
