//! The hostile run's oracle, tried on a plain SQLite file: it accepts what is right and sees what is not.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use rusqlite::Connection;
use std::path::Path;
use support::{
    now_ns,
    oracle::{EngineCommit, Moment, Witnesses},
    rules,
    writers::{Writer, schema},
};

fn new_tenant(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.execute_batch("PRAGMA journal_mode=WAL;").unwrap();
    db.execute_batch(&schema()).unwrap();
    db
}

/// Asks until it is so, for half a minute.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = now_ns() + 30_000_000_000;
    while !condition() {
        assert!(now_ns() < deadline, "waited 30 s for {what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn four_killed_writers_and_their_journals_agree() {
    let home = tempfile::TempDir::new().unwrap();
    let file = home.path().join("data.db");
    drop(new_tenant(&file));
    let mut writers = Writer::four(&file, home.path(), 2.0);
    for round in 0..4 {
        writers
            .iter_mut()
            .for_each(|writer| writer.start(60.0, round));
        let answered = |writer: &Writer| writer.lines_answered() > 8 * (round as usize + 1);
        wait_until("every writer's answers", || writers.iter().all(answered));
        if round < 3 {
            writers.iter_mut().for_each(Writer::kill);
        } else {
            writers.iter_mut().for_each(Writer::stop);
        }
    }
    let foreign: Vec<_> = writers.iter().map(Writer::journal).collect();
    assert!(
        foreign.iter().all(|journal| journal.answered() > 20),
        "{foreign:?}"
    );
    let witnesses = Witnesses {
        foreign,
        engine: Vec::new(),
    };
    assert_eq!(witnesses.judge_final(&file), Vec::<String>::new());

    // A file that is right is wrong for another moment.
    let middle = witnesses.foreign[0].transactions[10].begin - 1;
    let early = Moment {
        until: middle,
        foreign_from: middle,
    };
    let faults = witnesses.judge(&file, early);
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("after the moment")),
        "{faults:?}"
    );
}

#[test]
fn each_kind_of_wrong_row_is_seen() {
    let home = tempfile::TempDir::new().unwrap();
    let file = home.path().join("data.db");
    let db = new_tenant(&file);
    let mut witnesses = Witnesses::default();
    for seq in 1..=310 {
        let begin = now_ns();
        db.execute_batch(&rules::transaction(0, seq)).unwrap();
        let scn = now_ns();
        witnesses.engine.push(EngineCommit {
            begin,
            scn,
            ack: scn,
        });
    }
    let last = witnesses.engine[309].scn;
    let at = |until| Moment {
        until,
        foreign_from: until,
    };
    assert_eq!(witnesses.judge(&file, at(last)), Vec::<String>::new());
    assert_eq!(
        witnesses.judge(&file, at(last - 1)).len(),
        1,
        "one commit too many"
    );

    let wrong = [
        "UPDATE entries SET payload='x' WHERE seq=300",
        "DELETE FROM entries WHERE seq=200",
        "INSERT INTO entries VALUES(3,1,'x')",
        "UPDATE bulk SET i=300 WHERE i=299",
        "UPDATE accounts SET balance=balance+1 WHERE id=5",
        "UPDATE tally SET seq=309",
        "INSERT INTO phantom VALUES(1)",
        "DROP TABLE made_0",
        "CREATE TABLE made_4(x)",
    ];
    for sql in wrong {
        let copy = home.path().join("copy.db");
        std::fs::remove_file(&copy).ok();
        db.execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
            .unwrap();
        assert_eq!(witnesses.judge(&copy, at(last)), Vec::<String>::new());
        Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
        assert_ne!(
            witnesses.judge(&copy, at(last)),
            Vec::<String>::new(),
            "{sql}"
        );
    }
}
