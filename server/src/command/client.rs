//! The commands' side of their API: finds the server of the home and asks it.

use super::FAILED;
use crate::{
    cli::Common,
    home::{Door, find_door},
    http::shape::{Problem, Trouble},
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use ureq::{Agent, Body, http::Response};

/// How long the server may take to accept a connection; it is on this machine.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What stands in place of a cluster where none is meant; no cluster can be called so.
const CONSOLE: &str = "-";
/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A connection to the running server of a home.
pub(super) struct Client {
    agent: Agent,
    door: Door,
    cluster: String,
}

impl Client {
    /// Finds the server.
    pub(super) fn connect(common: &Common) -> Result<Client, Problem> {
        let door = find_door(&common.home)
            .map_err(|error| Problem::new("unavailable", error.to_string()))?;
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT_MAX))
            .http_status_as_error(false)
            // Proxies named in the environment are for other machines.
            .proxy(None)
            .build()
            .new_agent();
        Ok(Client {
            agent,
            door,
            cluster: common.cluster.clone(),
        })
    }

    /// The same for what belongs to no single cluster.
    pub(super) fn of_console(common: &Common) -> Result<Client, Problem> {
        let client = Client::connect(common)?;
        Ok(Client {
            cluster: CONSOLE.to_owned(),
            ..client
        })
    }

    /// Asks for what is at `path` of the cluster.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Problem> {
        self.answer(
            self.agent
                .get(self.url(path))
                .header("authorization", self.bearer())
                .call(),
        )
    }

    /// Asks for what is at `path` of the cluster and matches `query`.
    pub(super) fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Problem> {
        let request = self
            .agent
            .get(self.url(path))
            .header("authorization", self.bearer());
        self.answer(request.query_pairs(query.iter().copied()).call())
    }

    /// Orders something at `path` of the cluster.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        order: &impl Serialize,
    ) -> Result<T, Problem> {
        let request = self
            .agent
            .post(self.url(path))
            .header("authorization", self.bearer());
        self.answer(request.send_json(order))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.door.token)
    }

    fn url(&self, path: &[&str]) -> String {
        let mut url = format!(
            "http://{}/cli/v1/{}",
            self.door.address,
            escaped(&self.cluster)
        );
        for part in path {
            url.push('/');
            url.push_str(&escaped(part));
        }
        url
    }

    fn answer<T: DeserializeOwned>(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<T, Problem> {
        let silent = |error: ureq::Error| {
            let address = self.door.address;
            Problem::new(
                "unavailable",
                format!(
                    "the server at {address} does not answer ({error}); see whether it still runs, and start it again"
                ),
            )
        };
        let mut answer = answer.map_err(silent)?;
        let good = answer.status().is_success();
        let text = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_string()
            .map_err(silent)?;
        if good {
            return serde_json::from_str(&text).map_err(|error| {
                let sentence = format!("the server's answer was not understood ({error}); use the tidemark command of the server's version");
                Problem::new(FAILED, sentence)
            });
        }
        Err(match serde_json::from_str::<Trouble>(&text) {
            Ok(trouble) => trouble.error,
            Err(_) => Problem::new(
                FAILED,
                format!("the server refused ({}): {}", answer.status(), text.trim()),
            ),
        })
    }
}

/// Makes any text one segment of a path.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn any_text_stays_one_path_segment() {
        assert_eq!(escaped("orders_2"), "orders_2");
        assert_eq!(escaped("../a b/ü?#"), "%2E%2E%2Fa%20b%2F%C3%BC%3F%23");
    }
}
