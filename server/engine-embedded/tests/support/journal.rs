//! What a foreign writer wrote down about its own transactions.

use std::{collections::BTreeMap, path::Path};

/// One transaction: when it began, and when it was known to be committed, if ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    pub begin: u64,
    pub ack: Option<u64>,
}

/// A writer's journal. Transactions are numbered from 1 without gaps.
#[derive(Debug, Default)]
pub struct Journal {
    pub writer: u64,
    pub transactions: Vec<Transaction>,
    /// Milliseconds of each explicit checkpoint, by mode.
    pub checkpoints: BTreeMap<String, Vec<f64>>,
    pub connections: u64,
    pub errors: Vec<String>,
}

impl Journal {
    pub fn read(writer: u64, path: &Path) -> Journal {
        // A killed process may leave half a line, and what it left may be any bytes.
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        Journal::parse(writer, &text)
    }

    pub fn parse(writer: u64, text: &str) -> Journal {
        let mut journal = Journal {
            writer,
            ..Journal::default()
        };
        let mut pending: Option<(u64, u64)> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [kind @ ("B" | "A" | "R" | "N"), seq, at] => {
                    let (Ok(seq), Ok(at)) = (seq.parse(), at.parse()) else {
                        continue;
                    };
                    journal.step(kind, seq, at, &mut pending);
                }
                ["C", mode, ms, _busy] => {
                    let times = journal.checkpoints.entry(mode.to_owned()).or_default();
                    times.push(ms.parse().unwrap());
                }
                ["O", ..] => journal.connections += 1,
                ["X", ..] => journal.errors.push(words[1..].join(" ")),
                _ => {}
            }
        }
        if let Some((seq, begin)) = pending {
            journal.add(seq, Transaction { begin, ack: None });
        }
        journal
    }

    fn step(&mut self, kind: &str, seq: u64, at: u64, pending: &mut Option<(u64, u64)>) {
        match (kind, pending.take()) {
            ("B", None) => *pending = Some((seq, at)),
            ("A" | "R", Some((begun, begin))) if begun == seq => {
                self.add(
                    seq,
                    Transaction {
                        begin,
                        ack: Some(at),
                    },
                );
            }
            ("N", Some((begun, _))) if begun == seq => {}
            (_, before) => panic!("writer {}: {kind} {seq} after {before:?}", self.writer),
        }
    }

    fn add(&mut self, seq: u64, transaction: Transaction) {
        assert_eq!(
            seq,
            self.transactions.len() as u64 + 1,
            "writer {}: a number is missing",
            self.writer
        );
        self.transactions.push(transaction);
    }

    pub fn get(&self, seq: u64) -> Option<Transaction> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.transactions.get(index).copied()
    }

    /// The newest transaction answered at or before `moment`; 0 when there is none.
    pub fn answered_by(&self, moment: u64) -> u64 {
        let answered = |one: &Transaction| one.ack.is_some_and(|ack| ack <= moment);
        self.transactions
            .iter()
            .rposition(answered)
            .map_or(0, |index| index as u64 + 1)
    }

    /// Transactions known to be committed.
    pub fn answered(&self) -> u64 {
        self.transactions
            .iter()
            .filter(|one| one.ack.is_some())
            .count() as u64
    }
}
