//! `tidemark audit list`.

use super::{Client, Failure, Output, output::columns};
use crate::{
    cli::{Audit, AuditList, Common},
    http::{
        shape::Problem,
        user_shape::{AuditEntries, AuditEntry},
    },
};
use domain::{Scn, audit::AuditResult};

/// Lists the audit.
pub(super) fn run(common: &Common, order: &Audit, output: &Output) -> Result<(), Problem> {
    let Audit::List(order) = order;
    let query = query(order)?;
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let found: AuditEntries = Client::of_console(common)?.get_with(&["audit"], &query)?;
    output.show(&found, list)
}

fn query(order: &AuditList) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut query = vec![
        ("page", order.page.to_string()),
        ("size", order.size.to_string()),
    ];
    for (key, option, text) in [
        ("since", "--since", &order.since),
        ("until", "--until", &order.until),
    ] {
        if let Some(text) = text {
            let at = Scn::parse_rfc3339(text)
                .map_err(|bad| Failure::usage(format!("{option} {bad}")))?;
            query.push((key, at.0.to_string()));
        }
    }
    if let Some(code) = &order.result {
        if AuditResult::from_code(code).is_none() {
            let text = format!("--result \"{code}\": use ok, refused, failed or begun");
            return Err(Failure::usage(text));
        }
        query.push(("result", code.clone()));
    }
    for (key, text) in [
        ("actor", &order.actor),
        ("operation", &order.operation),
        ("cluster", &order.in_cluster),
        ("text", &order.text),
    ] {
        if let Some(text) = text {
            query.push((key, text.clone()));
        }
    }
    Ok(query)
}

fn list(found: &AuditEntries) -> String {
    if found.entries.is_empty() {
        return "No entry matches".to_owned();
    }
    let mut rows = vec![
        [
            "TIME", "WHO", "FROM", "WHAT", "CLUSTER", "TO WHAT", "RESULT",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    rows.extend(found.entries.iter().map(row));
    let shown = found.entries.len();
    format!("{}{shown} of {} entries", columns(&rows), found.total)
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let result = match &entry.cause {
        Some(cause) => format!("{}: {cause}", entry.result),
        None => entry.result.clone(),
    };
    vec![
        entry.at.clone(),
        entry.actor.clone(),
        or_dash(&entry.address),
        entry.operation.clone(),
        or_dash(&entry.cluster),
        [entry.subject.as_str(), entry.detail.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
        result,
    ]
}
