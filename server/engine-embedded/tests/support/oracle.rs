//! Says what is wrong with a recovered file, given the journals and the moment it was recovered to.

use super::{journal::Journal, rules};
use rusqlite::Connection;
use std::{collections::BTreeMap, path::Path};

/// A commit made through the engine and the stamp it was answered with.
#[derive(Debug, Clone, Copy)]
pub struct EngineCommit {
    pub begin: u64,
    pub scn: u64,
    pub ack: u64,
}

/// The writer number of commits made through the engine.
pub const ENGINE_WRITER: u64 = 0;

/// Everything that was written down during a run.
#[derive(Debug, Default)]
pub struct Witnesses {
    pub foreign: Vec<Journal>,
    pub engine: Vec<EngineCommit>,
}

/// What may be missing from a recovery.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Recovered to this.
    pub until: u64,
    /// Foreign transactions answered at or before this must be there: the start of the interval in
    /// which the first commit left out was made.
    pub foreign_from: u64,
}

impl Witnesses {
    pub fn transactions(&self) -> u64 {
        self.foreign.iter().map(Journal::answered).sum::<u64>() + self.engine.len() as u64
    }

    /// Everything wrong with a file recovered to `moment`; empty when it is right.
    pub fn judge(&self, file: &Path, moment: Moment) -> Vec<String> {
        let found = match State::read(file) {
            Ok(found) => found,
            Err(error) => return vec![format!("the file does not read: {error}")],
        };
        let mut faults = self.times(&found, moment);
        faults.extend(found.faults());
        faults
    }

    /// Everything wrong with a file that should hold every transaction that was ever answered.
    pub fn judge_final(&self, file: &Path) -> Vec<String> {
        let all = Moment {
            until: u64::MAX,
            foreign_from: u64::MAX,
        };
        self.judge(file, all)
    }

    fn times(&self, found: &State, moment: Moment) -> Vec<String> {
        let mut faults = Vec::new();
        for journal in &self.foreign {
            let writer = journal.writer;
            let seq = found.seq(writer);
            match journal.get(seq) {
                None if seq > 0 => faults.push(format!("writer {writer}: {seq} was never written")),
                Some(newest) if newest.begin > moment.until => faults.push(format!(
                    "writer {writer}: {seq} began {} ns after the moment",
                    newest.begin - moment.until
                )),
                _ => {}
            }
            let due = journal.answered_by(moment.until.min(moment.foreign_from));
            if seq < due {
                let ack = journal.get(due).and_then(|one| one.ack).unwrap_or(0);
                faults.push(format!(
                    "writer {writer}: {due} is lost (newest is {seq}); answered {} ns before the bound, {} ns before the moment",
                    moment.foreign_from.min(moment.until).saturating_sub(ack),
                    moment.until.saturating_sub(ack)
                ));
            }
        }
        let seq = found.seq(ENGINE_WRITER);
        let stamped = self
            .engine
            .iter()
            .filter(|one| one.scn <= moment.until)
            .count() as u64;
        if seq != stamped {
            faults.push(format!(
                "engine commits: {seq} found, {stamped} stamped at or before the moment"
            ));
        }
        if self
            .engine
            .iter()
            .any(|one| one.ack <= moment.until && one.scn > moment.until)
        {
            faults.push("an engine commit was answered before its own stamp".to_owned());
        }
        faults
    }
}

/// Everything a file holds.
struct State {
    tally: BTreeMap<u64, (u64, i64)>,
    entries: Vec<(u64, u64, String)>,
    bulk: Vec<(u64, u64, u64, String)>,
    balances: Vec<i64>,
    phantoms: u64,
    made: BTreeMap<String, Vec<u64>>,
    integrity: String,
}

impl State {
    fn read(file: &Path) -> rusqlite::Result<State> {
        let db = Connection::open(file)?;
        db.busy_timeout(std::time::Duration::from_secs(20))?;
        // One transaction: the live file may still be looked at by others.
        db.execute_batch("BEGIN")?;
        let mut made = BTreeMap::new();
        let tables = "SELECT name FROM sqlite_schema WHERE type='table' AND name LIKE 'made%'";
        for name in rows(&db, tables, |row| row.get::<_, String>(0))? {
            let content = rows(&db, &format!("SELECT x FROM {name}"), |row| number(row, 0))?;
            made.insert(name, content);
        }
        let tally = rows(&db, "SELECT writer, seq, total FROM tally", |row| {
            Ok((number(row, 0)?, (number(row, 1)?, row.get(2)?)))
        })?;
        let entries = "SELECT writer, seq, payload FROM entries ORDER BY 1, 2";
        let bulk = "SELECT writer, seq, i, payload FROM bulk ORDER BY 1, 2, 3";
        Ok(State {
            made,
            tally: tally.into_iter().collect(),
            entries: rows(&db, entries, |row| {
                Ok((number(row, 0)?, number(row, 1)?, row.get(2)?))
            })?,
            bulk: rows(&db, bulk, |row| {
                Ok((
                    number(row, 0)?,
                    number(row, 1)?,
                    number(row, 2)?,
                    row.get(3)?,
                ))
            })?,
            balances: rows(&db, "SELECT balance FROM accounts ORDER BY id", |row| {
                row.get(0)
            })?,
            phantoms: rows(&db, "SELECT count(*) FROM phantom", |row| number(row, 0))?[0],
            integrity: db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?,
        })
    }

    fn seq(&self, writer: u64) -> u64 {
        self.tally.get(&writer).map_or(0, |tally| tally.0)
    }

    /// Where the content is not what the transactions up to each writer's number make.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut differ = |what: &str, equal: bool| {
            if !equal {
                faults.push(format!(
                    "{what} are not those of whole transactions {:?}",
                    self.tally
                ));
            }
        };
        let mut entries = Vec::new();
        let mut bulk = Vec::new();
        let mut made = BTreeMap::new();
        let mut balances = vec![rules::OPENING_BALANCE; usize::try_from(rules::ACCOUNTS).unwrap()];
        let mut tally = BTreeMap::new();
        for writer in 0..rules::WRITERS {
            let seq = self.seq(writer);
            let mut total = 0;
            for done in 1..=seq {
                let (giver, taker, amount) = rules::transfer(writer, done);
                balances[usize::try_from(giver).unwrap()] -= amount;
                balances[usize::try_from(taker).unwrap()] += amount;
                total += amount;
            }
            tally.insert(writer, (seq, total));
            let kept = seq.saturating_sub(rules::KEPT_ENTRIES) + 1..=seq;
            entries.extend(kept.map(|kept| (writer, kept, rules::payload(writer, kept))));
            let last = seq - seq % rules::BULK_EVERY;
            if last > 0 {
                let rows = 0..rules::BULK_ROWS;
                bulk.extend(rows.map(|i| (writer, last, i, rules::bulk_payload(writer, last, i))));
            }
            let last = seq - seq % rules::DDL_EVERY;
            if last > 0 {
                made.insert(format!("made_{writer}"), vec![last]);
            }
        }
        differ("tallies", tally == self.tally);
        differ("entries", entries == self.entries);
        differ("bulk rows", bulk == self.bulk);
        differ("balances", balances == self.balances);
        differ("tables", made == self.made);
        differ("phantom rows", self.phantoms == 0);
        if self.integrity != "ok" {
            faults.push(format!("integrity check: {}", self.integrity));
        }
        faults
    }
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare(sql)?.query_map([], read)?.collect()
}

/// A column that a right file holds only numbers from 0 on in.
fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
