//! A cluster of a few fixed answers, to try the protocol on.
#![allow(dead_code, reason = "each of the tests needs another part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use oceanbase_sim::{
    Answer, Column, ColumnType, Delivery, Reply, SqlError,
    door::{Cluster, ClusterSession, Door, Limits, OpenDoor},
};

pub(crate) const PASSWORD: &str = "geheim ß";
pub(crate) const MANY: usize = 100_000;

/// Remembers what was carried out.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) carried_out: Mutex<Vec<String>>,
}

pub(crate) struct FakeSession {
    cluster: Arc<Fake>,
    user: String,
    database: String,
}

/// The fake behind a door.
pub(crate) struct Served {
    pub(crate) fake: Arc<Fake>,
    pub(crate) door: OpenDoor,
}

impl Served {
    pub(crate) async fn open() -> Served {
        Served::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Served {
        let fake = Arc::new(Fake::default());
        let door = Door::new(Arc::new(Shared(fake.clone()))).with_limits(limits);
        let door = door.open("127.0.0.1:0").await.unwrap();
        Served { fake, door }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.door.address()
    }

    pub(crate) fn carried_out(&self) -> Vec<String> {
        self.fake.carried_out.lock().unwrap().clone()
    }
}

pub(crate) struct Shared(pub(crate) Arc<Fake>);

impl Cluster for Shared {
    type Session = FakeSession;

    fn handshake_version(&self) -> String {
        "5.7.25".to_owned()
    }

    fn sign_in(&self, user: &str, proof: &dyn Fn(&str) -> bool) -> Result<FakeSession, SqlError> {
        let known = match user {
            "root@t1" => proof(PASSWORD),
            "nobody" => proof(""),
            _ => false,
        };
        if !known {
            return Err(refusal(1045, "42000", "Access denied"));
        }
        Ok(FakeSession {
            cluster: self.0.clone(),
            user: user.to_owned(),
            database: String::new(),
        })
    }
}

pub(crate) fn refusal(code: u16, state: &'static str, message: &str) -> SqlError {
    SqlError {
        code,
        state,
        message: message.to_owned(),
    }
}

fn column(name: &str, kind: ColumnType, nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        nullable,
    }
}

fn one(value: &str) -> Answer {
    Answer::Rows {
        columns: vec![column("value", ColumnType::Varchar(64), true)],
        rows: vec![vec![Some(value.to_owned())]],
    }
}

fn types() -> Answer {
    let value = |text: &str| Some(text.to_owned());
    let decimal = ColumnType::Decimal {
        precision: 21,
        scale: 4,
    };
    Answer::Rows {
        columns: vec![
            column("small", ColumnType::TinyInt, false),
            column("scn", ColumnType::UnsignedBigInt, false),
            column("amount", decimal, false),
            column("missing", ColumnType::BigInt, true),
            column("name", ColumnType::Varchar(4096), true),
            column("long", ColumnType::LongText, true),
            column("at", ColumnType::DateTime, true),
        ],
        rows: vec![vec![
            value("-1"),
            value("18446744073709551615"),
            value("12345.6789"),
            None,
            value("Größe"),
            value(&"x".repeat(70_000)),
            value("2026-11-27 04:28:26.000000"),
        ]],
    }
}

fn many() -> Answer {
    Answer::Rows {
        columns: vec![
            column("id", ColumnType::BigInt, false),
            column("text", ColumnType::Varchar(64), true),
        ],
        rows: (0..MANY)
            .map(|id| {
                vec![
                    Some(id.to_string()),
                    (id % 2 == 0).then(|| format!("row {id}")),
                ]
            })
            .collect(),
    }
}

impl ClusterSession for FakeSession {
    fn run(&mut self, text: &str) -> Reply {
        let mut reply = Reply {
            answers: Vec::new(),
            delivery: Delivery::Whole,
            delay_ns: 0,
        };
        for statement in text
            .split(';')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if statement == "lost before" {
                reply.delivery = Delivery::LostBefore;
                return reply;
            }
            self.cluster
                .carried_out
                .lock()
                .unwrap()
                .push(statement.to_owned());
            match statement {
                "lost after" => reply.delivery = Delivery::LostAfter,
                "hang" => reply.delivery = Delivery::Hangs,
                "slow" => reply.delay_ns = 300_000_000,
                "panic" => panic!("on purpose"),
                _ => {}
            }
            let answer = match statement {
                "fail" => Err(refusal(9036, "HY000", "Backup is in progress")),
                "wrong" => Err(refusal(
                    1064,
                    "42000",
                    "You have an error in your SQL syntax",
                )),
                "types" => Ok(types()),
                "many" => Ok(many()),
                "user" => Ok(one(&self.user)),
                "database" => Ok(one(&self.database)),
                "change" => Ok(Answer::Done { affected_rows: 300 }),
                "length" => Ok(one(&text.len().to_string())),
                echoed => Ok(one(echoed)),
            };
            let refused = answer.is_err();
            reply.answers.push(answer);
            if refused {
                break;
            }
        }
        reply
    }

    fn prepare(&mut self, text: &str) -> Result<u16, SqlError> {
        match text {
            "ALTER SYSTEM ?" => Err(refusal(
                1064,
                "42000",
                "You have an error in your SQL syntax",
            )),
            "legacy" => Err(refusal(
                1235,
                "0A000",
                "while parameter _ob_enable_prepared_statement is disabled, prepared statement not supported",
            )),
            text => Ok(text.matches('?').count() as u16),
        }
    }

    fn use_database(&mut self, name: &str) -> Result<(), SqlError> {
        if name != "oceanbase" && name != "test" {
            return Err(refusal(1049, "42000", "Unknown database"));
        }
        name.clone_into(&mut self.database);
        Ok(())
    }
}
