//! Real connections: the MySQL text protocol and nothing else.
//!
//! No statement is sent by itself after signing in: several versions refuse what drivers like to set.

use crate::session::{Connector, SqlFailure, SqlSession, Table};
use async_trait::async_trait;
use domain::endpoint::Address;
use mysql_async::{
    Conn, DriverError, Error, IoError, OptsBuilder, Row, SslOpts, Value, prelude::Queryable,
};
use std::time::Duration;

/// How long signing in to one address may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Largest packet (`max_allowed_packet` of 4.x); given, so that the driver does not ask.
const PACKET_BYTES_MAX: usize = 16 << 20;
/// Seconds the server keeps an idle session (`wait_timeout`); given, so that the driver does not ask.
const IDLE_SECONDS: usize = 28_800;

/// Who signs in. Its password is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// As it is sent: `root@sys`, through a proxy `root@sys#cluster`.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// When the server offers it, without a proof of who the server is.
    WhenOffered,
    /// Never.
    Never,
}

/// Makes connections to the first address that answers.
#[derive(Debug, Clone)]
pub struct MysqlConnector {
    addresses: Vec<Address>,
    account: Account,
    encryption: Encryption,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl MysqlConnector {
    /// Connections to any of `addresses`, tried in order.
    pub fn new(addresses: Vec<Address>, account: Account, encryption: Encryption) -> Self {
        MysqlConnector {
            addresses,
            account,
            encryption,
        }
    }

    fn options(&self, address: &Address, tls: bool) -> OptsBuilder {
        let tls = tls.then(|| {
            SslOpts::default()
                .with_danger_accept_invalid_certs(true)
                .with_danger_skip_domain_validation(true)
        });
        OptsBuilder::default()
            .ip_or_hostname(address.host.clone())
            .tcp_port(address.port)
            .user(Some(self.account.user.clone()))
            .pass(Some(self.account.password.clone()))
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_BYTES_MAX))
            .wait_timeout(Some(IDLE_SECONDS))
            .stmt_cache_size(0)
            .ssl_opts(tls)
    }

    async fn reach(&self, address: &Address) -> Result<Conn, Error> {
        if self.encryption == Encryption::WhenOffered {
            match Conn::new(self.options(address, true)).await {
                Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) => {}
                other => return other,
            }
        }
        Conn::new(self.options(address, false)).await
    }
}

#[async_trait]
impl Connector for MysqlConnector {
    async fn connect(&self) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let mut reasons = Vec::new();
        for address in &self.addresses {
            let why = match tokio::time::timeout(CONNECT_LIMIT, self.reach(address)).await {
                Ok(Ok(conn)) => return Ok(Box::new(MysqlSession { conn })),
                // The same account is refused everywhere, and trying it more often may lock it.
                Ok(Err(Error::Server(refusal))) => {
                    return Err(SqlFailure::Refused {
                        code: refusal.code,
                        message: refusal.message,
                    });
                }
                Ok(Err(error)) => plain(&error),
                Err(_) => format!("no answer within {} s", CONNECT_LIMIT.as_secs()),
            };
            reasons.push(format!("{address}: {why}"));
        }
        Err(SqlFailure::NotConnected(reasons.join("; ")))
    }

    fn address(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        addresses.join(", ")
    }
}

struct MysqlSession {
    conn: Conn,
}

#[async_trait]
impl SqlSession for MysqlSession {
    async fn run(&mut self, sql: &str, limit: Duration) -> Result<Vec<Table>, SqlFailure> {
        match tokio::time::timeout(limit, tables(&mut self.conn, sql)).await {
            Ok(Ok(tables)) => Ok(tables),
            Ok(Err(Error::Server(refusal))) => Err(SqlFailure::Refused {
                code: refusal.code,
                message: refusal.message,
            }),
            Ok(Err(error)) => Err(SqlFailure::Unanswered(plain(&error))),
            Err(_) => Err(SqlFailure::Silent(limit)),
        }
    }
}

async fn tables(conn: &mut Conn, sql: &str) -> Result<Vec<Table>, Error> {
    let mut result = conn.query_iter(sql).await?;
    let mut tables = Vec::new();
    loop {
        let columns = result.columns_ref().iter();
        let columns = columns
            .map(|column| column.name_str().into_owned())
            .collect();
        let rows: Vec<Row> = result.collect().await?;
        let rows = rows
            .into_iter()
            .map(|row| row.unwrap().into_iter().map(text).collect());
        tables.push(Table {
            columns,
            rows: rows.collect(),
        });
        if result.is_empty() {
            return Ok(tables);
        }
    }
}

/// A value of the text protocol.
fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true)),
    }
}

/// An error of the driver without its own decoration.
fn plain(error: &Error) -> String {
    match error {
        Error::Io(IoError::Io(error)) => error.to_string(),
        Error::Driver(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let account = Account {
            user: "root@sys".to_owned(),
            password: "hunter2".to_owned(),
        };
        let address = Address {
            host: "db1".to_owned(),
            port: 2881,
        };
        let connector = MysqlConnector::new(vec![address], account, Encryption::Never);
        let shown = format!("{connector:?} {}", connector.address());
        assert!(shown.contains("root@sys") && shown.contains("db1:2881"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
