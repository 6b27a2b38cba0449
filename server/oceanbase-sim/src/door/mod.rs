//! The MySQL protocol in front of a simulated cluster.

mod connection;
mod handshake;
mod listener;
mod packet;
mod refusals;
mod resultset;
mod statements;
mod wire;

use crate::{Reply, SqlError};

pub use listener::{Door, Limits, OpenDoor, TlsError};

/// What the protocol needs of a cluster; the simulated cluster implements it.
pub trait Cluster: Send + Sync + 'static {
    /// A signed-in session.
    type Session: ClusterSession;

    /// The server version of the handshake.
    fn handshake_version(&self) -> String;

    /// Signs in. `user` is as it came (`root@t1`); `proof` tells whether a password is the one that was given,
    /// so that the password itself never has to be sent. A wrong tenant is the same 1045 as a wrong password.
    fn sign_in(&self, user: &str, proof: &dyn Fn(&str) -> bool) -> Result<Self::Session, SqlError>;
}

/// One session of a cluster.
pub trait ClusterSession: Send + 'static {
    /// Runs one packet of SQL text: one or more statements, up to the first that is refused.
    fn run(&mut self, text: &str) -> Reply;

    /// What `COM_STMT_PREPARE` of `text` is answered with: the number of its parameters, or the refusal.
    fn prepare(&mut self, text: &str) -> Result<u16, SqlError>;

    /// Changes the default database (`COM_INIT_DB`).
    fn use_database(&mut self, name: &str) -> Result<(), SqlError>;
}
