//! The cluster as the protocol sees it.

use crate::door::{Cluster, ClusterSession};
use crate::{Reply, Sim, SimSession, SqlError};

impl Cluster for Sim {
    type Session = SimSession;

    fn handshake_version(&self) -> String {
        "5.7.25".to_owned()
    }

    fn sign_in(&self, user: &str, proof: &dyn Fn(&str) -> bool) -> Result<Self::Session, SqlError> {
        self.enter(user, proof)
    }
}

impl ClusterSession for SimSession {
    fn run(&mut self, text: &str) -> Reply {
        SimSession::run(self, text)
    }

    fn prepare(&mut self, text: &str) -> Result<u16, SqlError> {
        SimSession::prepare(self, text)
    }

    fn use_database(&mut self, name: &str) -> Result<(), SqlError> {
        SimSession::use_database(self, name)
    }
}
