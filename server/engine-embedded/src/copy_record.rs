//! What was copied to the second destination, as it is remembered there: `copied.json` of a tenant.

use crate::keys::TenantKeys;
use domain::Scn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::{Dest, StorageError};

/// Orders remembered; the console has long taken over the result of older ones.
const DONE_MAX: usize = 200;

/// An order that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The console's mark of the order.
    pub(crate) token: String,
    /// The set, for an order to copy one.
    pub(crate) set: Option<i64>,
    pub(crate) finished: Scn,
    /// What was done, in words.
    pub(crate) outcome: String,
}

/// `copied.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// For each round, the transaction up to which its log there was read back and proved right.
    pub(crate) proven: BTreeMap<i64, u64>,
    /// Orders carried out, oldest first.
    pub(crate) done: Vec<Done>,
}

/// The same as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    proven: Vec<(i64, u64)>,
    done: Vec<Done>,
}

impl Record {
    /// Reads it. One that is missing or damaged says nothing, so that all is proved again.
    pub(crate) fn load(dest: &Dest, keys: &TenantKeys) -> Result<Self, StorageError> {
        match dest.get_manifest::<Stored>(&keys.copied()) {
            Ok(stored) => Ok(Record {
                proven: stored.proven.into_iter().collect(),
                done: stored.done,
            }),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                if !error.is_not_found() {
                    tracing::warn!(%error, "what was copied is not remembered; it is proved again");
                }
                Ok(Record::default())
            }
        }
    }

    /// Writes it in place of the one there.
    pub(crate) fn save(&self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        let stored = Stored {
            format: 1,
            proven: self
                .proven
                .iter()
                .map(|(round, txn)| (*round, *txn))
                .collect(),
            done: self.done.clone(),
        };
        dest.replace_manifest(&keys.copied(), &stored)
    }

    /// Remembers an order.
    pub(crate) fn add(&mut self, done: Done) {
        self.done.retain(|other| other.token != done.token);
        self.done.push(done);
        let over = self.done.len().saturating_sub(DONE_MAX);
        self.done.drain(..over);
    }

    /// The order of this token.
    pub(crate) fn find(&self, token: &str) -> Option<&Done> {
        self.done.iter().find(|done| done.token == token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn it_reads_back_and_forgets_only_the_oldest() {
        let (dest, keys) = (Dest::memory(), TenantKeys::new(Uuid::nil(), Uuid::nil()));
        assert_eq!(Record::load(&dest, &keys).unwrap(), Record::default());
        let mut record = Record::default();
        record.proven.insert(3, 17);
        for n in 0..=DONE_MAX {
            record.add(Done {
                token: format!("t{n}"),
                set: Some(1),
                finished: Scn(5),
                outcome: "copied".to_owned(),
            });
        }
        record.save(&dest, &keys).unwrap();
        let read = Record::load(&dest, &keys).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.done.len(), DONE_MAX);
        assert!(read.find("t0").is_none() && read.find("t1").is_some());
        dest.replace(&keys.copied(), b"junk").unwrap();
        assert_eq!(Record::load(&dest, &keys).unwrap(), Record::default());
    }
}
