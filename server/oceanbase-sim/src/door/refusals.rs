//! The refusals of the protocol itself, as opposed to those of statements.

use crate::SqlError;

fn refusal(code: u16, state: &'static str, message: impl Into<String>) -> SqlError {
    SqlError {
        code,
        state,
        message: message.into(),
    }
}

pub(crate) fn too_many_connections() -> SqlError {
    refusal(1040, "08004", "Too many connections")
}

pub(crate) fn bad_handshake() -> SqlError {
    refusal(1043, "08S01", "Bad handshake")
}

pub(crate) fn unknown_command() -> SqlError {
    refusal(1047, "08S01", "Unknown command")
}

pub(crate) fn empty_query() -> SqlError {
    refusal(1065, "42000", "Query was empty")
}

pub(crate) fn packet_too_large() -> SqlError {
    refusal(
        1153,
        "08S01",
        "Got a packet bigger than 'max_allowed_packet' bytes",
    )
}

pub(crate) fn packets_out_of_order() -> SqlError {
    refusal(1156, "08S01", "Got packets out of order")
}

pub(crate) fn not_supported(what: &str) -> SqlError {
    refusal(1235, "0A000", format!("{what} not supported"))
}

pub(crate) fn unknown_statement(statement: u32, command: &str) -> SqlError {
    let text = format!("Unknown prepared statement handler ({statement}) given to {command}");
    refusal(1243, "HY000", text)
}

pub(crate) fn wrong_arguments(command: &str) -> SqlError {
    refusal(1210, "HY000", format!("Incorrect arguments to {command}"))
}

pub(crate) fn not_text() -> SqlError {
    refusal(1300, "HY000", "Invalid utf8mb4 character string")
}

pub(crate) fn too_many_statements(most: usize) -> SqlError {
    let text = format!(
        "Can't create more than max_prepared_stmt_count statements (current value: {most})"
    );
    refusal(1461, "42000", text)
}

/// The cluster itself failed, which is a fault of the simulation.
pub(crate) fn internal() -> SqlError {
    refusal(4016, "HY000", "Internal error")
}
