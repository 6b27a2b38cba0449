//! Log lines: to standard error, what somebody must act on or wants to know after the fact. Never secrets.

use crate::cli::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Environment variable with the filter, such as `debug` or `control=debug,warn`.
const FILTER_VARIABLE: &str = "TIDEMARK_LOG";
/// Without it: our own news, and of libraries only what went wrong.
const FILTER_DEFAULT: &str =
    "warn,server=info,control=info,store=info,storage=info,engine_embedded=info";

/// Starts logging for the process.
pub(crate) fn start(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true);
    // Fails only when logging has been started already, which is as good.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .try_init(),
    };
}
