//! A session: what belongs to one connection, and how a packet of SQL is carried out.

use crate::functions::Known;
use crate::login::Who;
use crate::query::Engine;
use crate::rows::{self, Row};
use crate::sim::Sim;
use crate::sql::statement::{SetValue, Setting};
use crate::sql::tokens::{Piece, Tok, scan, split};
use crate::sql::{Statement, parse};
use crate::translate::{Translated, translate};
use crate::variables::{Variables, version_text};
use crate::{Answer, Delivery, Reply, SqlError, error, exec, exec_legacy, show};

/// What one row of a view costs against the query timeout, in us.
const ROW_COST_US: i64 = 20;

/// A signed-in session.
pub struct SimSession {
    pub(crate) sim: Sim,
    pub(crate) who: Who,
    pub(crate) variables: Variables,
    pub(crate) database: Option<String>,
    /// Password of `SET ENCRYPTION`.
    pub(crate) encryption: Option<String>,
    /// Passwords of `SET DECRYPTION`.
    pub(crate) decryption: Vec<String>,
    /// Paths of `ADD RESTORE SOURCE`.
    pub(crate) source: Vec<String>,
    /// Rows of a restore preview until they are read.
    pub(crate) preview: Vec<Row>,
    /// How long the statement at hand takes, in us.
    pub(crate) takes_us: i64,
    engine: Option<Engine>,
}

impl SimSession {
    pub(crate) fn new(sim: Sim, who: Who) -> SimSession {
        let variables = Variables::new(&sim.lock().setup);
        SimSession {
            sim,
            who,
            variables,
            database: None,
            encryption: None,
            decryption: Vec::new(),
            source: Vec::new(),
            preview: Vec::new(),
            takes_us: 0,
            engine: None,
        }
    }

    /// Runs one packet of SQL text.
    pub fn run(&mut self, text: &str) -> Reply {
        let (delivery, mut delay_ns) = {
            let mut world = self.sim.lock();
            world.note_statement(text);
            world.faults.packet()
        };
        let mut answers = Vec::new();
        let limit = u64::try_from(self.variables.timeout_us()).unwrap_or(u64::MAX / 1000);
        if delivery == Delivery::LostBefore {
            return Reply {
                answers,
                delivery,
                delay_ns,
            };
        }
        if delay_ns > limit.saturating_mul(1000) {
            answers.push(Err(error::timeout(self.variables.timeout_us())));
            return Reply {
                answers,
                delivery,
                delay_ns: limit * 1000,
            };
        }
        match split(text, self.variables.backslash()) {
            Err(refusal) => answers.push(Err(refusal)),
            Ok(pieces) if pieces.is_empty() => {
                answers.push(Ok(Answer::Done { affected_rows: 0 }));
            }
            Ok(pieces) => {
                for piece in &pieces {
                    self.takes_us = 0;
                    let answer = self.one(piece);
                    delay_ns += u64::try_from(self.takes_us).unwrap_or(0) * 1000;
                    let refused = answer.is_err();
                    answers.push(answer);
                    if refused {
                        break;
                    }
                }
            }
        }
        Reply {
            answers,
            delivery,
            delay_ns,
        }
    }

    /// What preparing a statement gives: the number of its parameters, or a refusal.
    pub fn prepare(&mut self, text: &str) -> Result<u16, SqlError> {
        let version = self.sim.lock().version();
        if version.is_legacy() {
            return Err(error::not_supported(
                "while parameter _ob_enable_prepared_statement is disabled, prepared statement not \
                 supported",
            ));
        }
        let pieces = split(text, self.variables.backslash())?;
        let [piece] = pieces.as_slice() else {
            return Err(error::syntax(text));
        };
        let parameters = piece.tokens.iter().filter(|t| t.tok == Tok::Param).count();
        match parse(piece, version) {
            Ok(Statement::Select) => {
                let translated = self.translated(piece)?;
                self.fill(&translated)?;
                self.engine()?.check(&translated)?;
            }
            Ok(_) => {}
            // A parameter is a fine value of SET, which the parser knows only as a literal.
            Err(_) if parameters > 0 && is_plain_set(piece) => {}
            Err(refusal) => return Err(refusal),
        }
        u16::try_from(parameters).map_err(|_| error::syntax(text))
    }

    /// Changes the default database.
    pub fn use_database(&mut self, name: &str) -> Result<(), SqlError> {
        let known = ["oceanbase", "information_schema", "mysql", "test"];
        if known.iter().any(|k| k.eq_ignore_ascii_case(name)) {
            self.database = Some(name.to_ascii_lowercase());
            Ok(())
        } else {
            Err(error::unknown_database(name))
        }
    }

    fn one(&mut self, piece: &Piece) -> Result<Answer, SqlError> {
        let version = self.sim.lock().version();
        match parse(piece, version)? {
            Statement::Select => self.select(piece),
            Statement::Show(what) => show::show(self, what),
            Statement::Use(name) => self.use_database(&name).map(|()| done()),
            Statement::Set(settings) => self.set(&settings).map(|()| done()),
            Statement::Nothing => Ok(done()),
            Statement::SetEncryption(password) => {
                self.encryption = Some(password);
                Ok(done())
            }
            Statement::SetDecryption(passwords) => {
                if self.who.tenant != 1 {
                    return Err(error::no_privilege());
                }
                self.decryption = passwords;
                Ok(done())
            }
            other => {
                if self.who.monitor {
                    return Err(error::no_privilege());
                }
                if version.is_legacy() {
                    exec_legacy::run(self, other)?;
                } else {
                    exec::run(self, other)?;
                }
                Ok(done())
            }
        }
    }

    fn set(&mut self, settings: &[Setting]) -> Result<(), SqlError> {
        for setting in settings {
            let Setting::Variable(name, value) = setting else {
                continue;
            };
            let user = name.starts_with('@');
            if !user && self.variables.get(name).is_none() && !name.starts_with("ob_") {
                return Err(error::unknown_variable(name));
            }
            match value {
                SetValue::Literal(value) => {
                    if name == "time_zone" && crate::calendar::offset(value).is_none() {
                        return Err(error::coded(
                            1298,
                            format!("Unknown or incorrect time zone: '{value}'"),
                        ));
                    }
                    self.variables.set(name, value);
                }
                SetValue::Appended(from, more) => {
                    let base = self
                        .variables
                        .get(from)
                        .ok_or_else(|| error::unknown_variable(from))?;
                    let value = format!("{base}{more}");
                    self.variables.set(name, &value);
                }
                SetValue::SubQuery => {}
                SetValue::Default => self.variables.reset(name),
            }
        }
        Ok(())
    }

    fn translated(&self, piece: &Piece) -> Result<Translated, SqlError> {
        translate(
            piece,
            &self.sim.contract,
            &self.variables,
            self.database.as_deref(),
            self.who.tenant,
        )
    }

    fn select(&mut self, piece: &Piece) -> Result<Answer, SqlError> {
        let translated = self.translated(piece)?;
        let count = self.fill(&translated)?;
        let limit = self.variables.timeout_us();
        if count.saturating_mul(ROW_COST_US) > limit {
            self.takes_us = limit;
            return Err(error::timeout(limit));
        }
        let contract = self.sim.contract.clone();
        self.engine()?.select(&contract, &translated)
    }

    fn engine(&mut self) -> Result<&mut Engine, SqlError> {
        match &mut self.engine {
            Some(_) => {}
            empty => *empty = Some(Engine::new()?),
        }
        self.engine
            .as_mut()
            .ok_or_else(|| error::coded(4016, "Internal error"))
    }

    /// Brings the tables of the named views up to date; gives the number of rows they have.
    fn fill(&mut self, translated: &Translated) -> Result<i64, SqlError> {
        let offset = self.variables.offset();
        let tenant = self.who.tenant;
        let contract = self.sim.contract.clone();
        let mut fresh = Vec::new();
        let known;
        let stamp;
        let mut count = 0;
        self.engine()?;
        {
            let world = self.sim.lock();
            stamp = (world.change, world.now_us, offset);
            for name in &translated.views {
                let Some(view) = contract.view(name) else {
                    continue;
                };
                if self
                    .engine
                    .as_ref()
                    .is_some_and(|e| e.is_fresh(name, stamp))
                {
                    continue;
                }
                let rows = rows::rows(&world, name, tenant);
                count += i64::try_from(rows.len()).unwrap_or(0);
                fresh.push((view, rows));
            }
            known = Known {
                now_us: world.now_us,
                offset,
                user: format!("{}@%", self.who.name),
                database: self.database.clone(),
                ob_version: world.version().full(),
                version: version_text(&world.setup),
                connection: 3_221_487_617,
                tenant_name: self.who.tenant_name.clone(),
            };
        }
        let engine = self.engine()?;
        engine.tell(known);
        for (view, rows) in fresh {
            engine.fill(view, &rows, stamp)?;
        }
        Ok(count)
    }
}

fn is_plain_set(piece: &Piece) -> bool {
    let word = |at: usize| match piece.tokens.get(at).map(|t| &t.tok) {
        Some(Tok::Word(w)) => w.to_ascii_uppercase(),
        _ => String::new(),
    };
    word(0) == "SET"
        && !matches!(word(1).as_str(), "ENCRYPTION" | "DECRYPTION")
        && scan(&piece.text, true).is_ok()
}

pub(crate) fn done() -> Answer {
    Answer::Done { affected_rows: 0 }
}

impl std::fmt::Debug for SimSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimSession")
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}
