//! Log lines: to standard error, what somebody must act on or wants to know after the fact. Never secrets.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Environment variable with the filter, such as `debug` or `control=debug,warn`.
const FILTER_VARIABLE: &str = "TIDEMARK_LOG";
/// Without it: our own news, and of libraries only what went wrong.
const FILTER_DEFAULT: &str =
    "warn,server=info,control=info,store=info,storage=info,engine_embedded=info";

/// Starts logging for the process.
pub(crate) fn start() {
    let filter =
        EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    // Fails only when logging has been started already, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true)
        .try_init();
}
