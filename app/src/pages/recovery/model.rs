//! What the form proposes, refuses and says: plain functions.

use crate::api::ApiError;
use crate::language::{t, tf, told};
use crate::pages::backup_recovery::calendar::time::{self, Zone};
use crate::pages::backup_recovery::calendar::view;
use domain::backup::BackupKind;
use domain::page::{Period, TenantPeriod};
use domain::recovery::{PlannedSet, Precision, RecoveryPlan};
use domain::tenant::TenantState;
use domain::validate::{self, NAME_LENGTH_MAX, Violation, sentence};
use domain::{Scn, TenantId, size};

/// The label of the name's field; violations carry it.
pub const NAME_FIELD: &str = "New tenant name";

/// The tenant an address asks for, by name or number; else the first that has a period.
pub fn asked_tenant(period: &Period, asked: Option<&str>) -> Option<TenantId> {
    asked
        .and_then(|asked| view::find(period, asked))
        .or_else(|| {
            let usable = period
                .tenants
                .iter()
                .filter(|tenant| !tenant.ranges.is_empty());
            usable.min_by_key(|tenant| tenant.state == TenantState::Offline)
        })
        .or_else(|| period.tenants.first())
        .map(|tenant| tenant.tenant)
}

/// `orders (online)`, as an option of the source tenant.
pub fn option_text(tenant: &TenantPeriod) -> String {
    let state = match tenant.state {
        TenantState::Online => "online",
        TenantState::Offline => "offline",
        TenantState::Faulty => "faulty",
    };
    let none = if tenant.ranges.is_empty() {
        t(", no recovery period yet")
    } else {
        ""
    };
    tf(
        "{name} (id {tenant}, {state}{none})",
        &[
            ("name", &tenant.name),
            ("tenant", &tenant.tenant),
            ("state", &state),
            ("none", &none),
        ],
    )
}

/// Whether a tenant of that name is in the cluster.
pub fn is_taken(period: &Period, name: &str) -> bool {
    period
        .tenants
        .iter()
        .any(|tenant| tenant.state != TenantState::Offline && tenant.name == name)
}

/// A free name that says what it is: `orders_20261123_1405`.
pub fn suggestion(period: &Period, tenant: &str, at: Scn, zone: Zone) -> String {
    let (date, time) = (zone.day(at).to_string(), zone.hour_minute(at));
    let stamp = format!("_{}_{}", date.replace('-', ""), time.replace(':', ""));
    // Room for a number behind it.
    let room = NAME_LENGTH_MAX - stamp.len() - 3;
    let stem: String = tenant.chars().take(room).collect();
    let base = format!("{stem}{stamp}");
    (2..)
        .map(|number| format!("{base}_{number}"))
        .take(98)
        .fold(None, |found, next| {
            found.or_else(|| (!is_taken(period, &next)).then_some(next))
        })
        .filter(|_| is_taken(period, &base))
        .unwrap_or(base)
}

/// What is wrong with a name for the new tenant.
pub fn name_problem(period: &Period, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(t("Name the tenant to make.").to_owned());
    }
    if let Err(violation) = validate::name(NAME_FIELD, name) {
        return Some(sentence(&violation.allowed));
    }
    is_taken(period, name).then(|| {
        tf(
            "{name} exists. A recovery always makes a new tenant.",
            &[("name", &name)],
        )
    })
}

/// A line of "What is read".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLine {
    /// `full`, `inc` or `log`.
    pub kind: &'static str,
    /// `Full, set 40`.
    pub title: String,
    /// `486 GB`.
    pub amount: String,
    /// When it was taken, or what it spans.
    pub detail: String,
}

/// Most incremental sets told one by one.
const SETS_TOLD_MAX: usize = 5;

/// What a recovery reads, in the order it is applied.
pub fn lines(plan: &RecoveryPlan, zone: Zone) -> Vec<ReadLine> {
    let mut lines: Vec<ReadLine> = Vec::new();
    let (incremental, full): (Vec<&PlannedSet>, Vec<&PlannedSet>) = plan
        .sets
        .iter()
        .partition(|set| set.kind == BackupKind::Incremental);
    lines.extend(full.iter().map(|set| set_line("full", set, zone)));
    match incremental.as_slice() {
        [first, .., last] if incremental.len() > SETS_TOLD_MAX => lines.push(ReadLine {
            kind: "inc",
            title: tf(
                "Incremental, {len} sets, {id} to {id_2}",
                &[
                    ("len", &incremental.len()),
                    ("id", &first.id),
                    ("id_2", &last.id),
                ],
            ),
            amount: size::bytes(incremental.iter().map(|set| set.stored_bytes).sum()),
            detail: tf(
                "{from} to {to}",
                &[
                    ("from", &zone.named(first.taken)),
                    ("to", &zone.named(last.taken)),
                ],
            ),
        }),
        sets => lines.extend(sets.iter().map(|set| set_line("inc", set, zone))),
    }
    if plan.log_files > 0 {
        let files = if plan.log_files == 1 {
            t("1 file").to_owned()
        } else {
            tf("{log_files} files", &[("log_files", &plan.log_files)])
        };
        lines.push(ReadLine {
            kind: "log",
            title: tf(
                "Logs, round {round}, {files}",
                &[("round", &plan.round), ("files", &files)],
            ),
            amount: size::bytes(plan.log_bytes),
            detail: log_span(plan.log_from, plan.until, zone),
        });
    }
    lines
}

/// `02:36:55.204118 to 16:20:05.250000, no gap`, with dates where the days differ.
fn log_span(from: Scn, to: Scn, zone: Zone) -> String {
    let (from, to) = (Scn(from.0 / 1000 * 1000), Scn(to.0 / 1000 * 1000));
    if zone.day(from) == zone.day(to) {
        let exact = |at| format!("{}{}", zone.time(at), time::fraction(at));
        tf(
            "{from} to {to}, no gap",
            &[("from", &exact(from)), ("to", &exact(to))],
        )
    } else {
        tf(
            "{from} to {to}, no gap",
            &[("from", &zone.exact(from)), ("to", &zone.exact(to))],
        )
    }
}

fn set_line(kind: &'static str, set: &PlannedSet, zone: Zone) -> ReadLine {
    ReadLine {
        kind,
        title: tf(
            "{kind}, set {id}",
            &[("kind", &t(set.kind.label())), ("id", &set.id)],
        ),
        amount: size::bytes(set.stored_bytes),
        detail: zone.named(set.taken),
    }
}

/// Bytes that a recovery reads.
pub fn bytes_read(plan: &RecoveryPlan) -> u64 {
    plan.sets.iter().map(|set| set.stored_bytes).sum::<u64>() + plan.log_bytes
}

/// How exactly the result is the state at the chosen moment, as a sentence.
pub fn precision(plan: &RecoveryPlan, zone: Zone) -> String {
    match plan.precision {
        Precision::Exact => {
            t("Exact: nothing committed by then is missing, nothing later is in it.").to_owned()
        }
        Precision::Within { after } => tf(
            "Everything committed by {after} is in it. What another program committed between then and the chosen moment may be missing.",
            &[("after", &zone.exact_cut(after))],
        ),
    }
}

/// `1,204 commits` and the like.
pub fn commits(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Where in the form an error of the server belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// At the moment.
    pub moment: Option<String>,
    /// At the new tenant's name.
    pub name: Option<String>,
    /// At the zones, the units and their order.
    pub placement: Vec<Violation>,
    /// At the foot: everything else.
    pub other: Option<String>,
}

/// Sorts an error of the server into the fields it is about.
pub fn refusal(error: &ApiError) -> Refusal {
    let ApiError::Invalid(violations) = error else {
        return Refusal {
            other: Some(error.to_string()),
            ..Refusal::default()
        };
    };
    let mut refusal = Refusal::default();
    for violation in violations {
        let field = violation.field.to_ascii_lowercase();
        let text = sentence(&violation.allowed);
        if is_placement(&field) {
            refusal.placement.push(violation.clone());
        } else if field.contains("name") || field.contains("tenant") {
            refusal.name.get_or_insert(text);
        } else if ["until", "moment", "recover"]
            .iter()
            .any(|word| field.contains(word))
        {
            refusal.moment.get_or_insert(text);
        } else {
            refusal
                .other
                .get_or_insert(sentence(&violation.to_string()));
        }
    }
    refusal
}

/// Whether a field, in small letters, is one of the placement's.
fn is_placement(field: &str) -> bool {
    ["zone", "in zone ", "unit "]
        .iter()
        .any(|begin| field.starts_with(begin))
}

/// The first of several violations, as a sentence that says what it is about.
pub fn first(found: &[Violation]) -> Option<String> {
    let first = found.first()?;
    Some(tf(
        "{field}: {text}",
        &[
            ("field", &told(&first.field)),
            ("text", &told(&sentence(&first.allowed))),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::BackupSetId;
    use domain::second_backup::Place;

    fn tenant(id: i64, name: &str, state: TenantState) -> TenantPeriod {
        TenantPeriod {
            tenant: TenantId(id),
            name: name.to_owned(),
            state,
            ranges: vec![domain::recoverable::RecoverableRange {
                start: Scn(1),
                end: Scn(9),
            }],
            gaps: Vec::new(),
            checkpoint: None,
        }
    }

    fn period(names: &[&str]) -> Period {
        let tenants = (1..)
            .zip(names)
            .map(|(id, name)| tenant(id, name, TenantState::Online));
        Period {
            tenants: tenants.collect(),
            markers: Vec::new(),
        }
    }

    fn at(text: &str) -> Scn {
        Scn::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_suggestion_is_valid_free_and_says_the_moment() {
        let moment = at("2026-11-23T14:05:09Z");
        let name = suggestion(&period(&["orders"]), "orders", moment, Zone::UTC);
        assert_eq!(name, "orders_20261123_1405");
        let taken = period(&["orders", "orders_20261123_1405", "orders_20261123_1405_2"]);
        assert_eq!(
            suggestion(&taken, "orders", moment, Zone::UTC),
            "orders_20261123_1405_3"
        );
        let long = "a".repeat(NAME_LENGTH_MAX);
        let name = suggestion(&period(&[&long]), &long, moment, Zone::UTC);
        assert_eq!(name_problem(&period(&[&long]), &name), None, "{name}");
    }

    #[test]
    fn names_are_refused_with_the_way_forward() {
        let period = period(&["orders"]);
        assert!(name_problem(&period, "").is_some());
        assert!(name_problem(&period, "orders").unwrap().contains("exists"));
        assert!(
            name_problem(&period, "2fast")
                .unwrap()
                .starts_with("Use 2 to 64")
        );
        assert_eq!(name_problem(&period, "orders_2"), None);
        let mut dropped = period;
        dropped.tenants[0].state = TenantState::Offline;
        assert_eq!(name_problem(&dropped, "orders"), None);
    }

    #[test]
    fn the_address_may_name_a_tenant_by_name_or_number() {
        let mut period = period(&["orders", "payments"]);
        assert_eq!(asked_tenant(&period, Some("payments")), Some(TenantId(2)));
        assert_eq!(asked_tenant(&period, Some("2")), Some(TenantId(2)));
        assert_eq!(asked_tenant(&period, Some("nobody")), Some(TenantId(1)));
        period.tenants[0].ranges.clear();
        assert_eq!(asked_tenant(&period, None), Some(TenantId(2)));
        assert_eq!(
            asked_tenant(
                &Period {
                    tenants: vec![],
                    markers: vec![]
                },
                None
            ),
            None
        );
    }

    fn plan(incremental: usize) -> RecoveryPlan {
        let set = |id: usize, kind| PlannedSet {
            id: BackupSetId(id as i64),
            kind,
            taken: at("2026-11-08T02:00:03Z").plus_ns(id as u64 * 1_000_000_000),
            stored_bytes: 1000,
        };
        let mut sets = vec![set(40, BackupKind::Full)];
        sets.extend((0..incremental).map(|index| set(41 + index, BackupKind::Incremental)));
        RecoveryPlan {
            until: at("2026-11-11T16:20:05.25Z"),
            place: Place::First,
            sets,
            round: 3,
            log_from: at("2026-11-11T02:36:55.204118Z"),
            log_files: 2,
            log_bytes: 500,
            commits: 1_234_567,
            target_scn: at("2026-11-11T16:20:04.1Z"),
            precision: Precision::Exact,
            result_bytes: 4096,
            estimate_ms: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn what_is_read_is_told_in_order_and_many_sets_are_one_line() {
        let titles = |count| -> Vec<String> {
            lines(&plan(count), Zone::UTC)
                .into_iter()
                .map(|line| line.title)
                .collect()
        };
        assert_eq!(
            titles(2),
            [
                "Full, set 40",
                "Incremental, set 41",
                "Incremental, set 42",
                "Logs, round 3, 2 files"
            ]
        );
        assert_eq!(titles(6)[1], "Incremental, 6 sets, 41 to 46");
        assert_eq!(bytes_read(&plan(6)), 7500);
        assert_eq!(commits(1_234_567), "1,234,567");
        assert_eq!(commits(12), "12");
    }

    #[test]
    fn the_log_read_names_days_only_when_they_differ() {
        let told = lines(&plan(0), Zone::UTC).pop().unwrap().detail;
        assert_eq!(told, "02:36:55.204118 to 16:20:05.250000, no gap");
        let mut long = plan(0);
        long.log_from = at("2026-11-10T23:00:00Z");
        let told = lines(&long, Zone::UTC).pop().unwrap().detail;
        assert!(
            told.starts_with("2026-11-10 23:00:00.000000 to 2026-11-11 "),
            "{told}"
        );
    }

    #[test]
    fn precision_is_told_in_words() {
        let mut plan = plan(0);
        assert!(precision(&plan, Zone::UTC).starts_with("Exact"));
        plan.precision = Precision::Within {
            after: at("2026-11-11T16:20:03.9Z"),
        };
        assert!(precision(&plan, Zone::UTC).contains("by 2026-11-11 16:20:03.900000 is in it"));
    }

    #[test]
    fn errors_of_the_server_go_to_the_field_they_are_about() {
        let violation = |field| Violation::new(field, "x", "choose another one");
        let sorted = refusal(&ApiError::Invalid(vec![
            violation("new tenant name"),
            violation("until"),
            violation("storage"),
        ]));
        assert_eq!(sorted.name.as_deref(), Some("Choose another one."));
        assert_eq!(sorted.moment.as_deref(), Some("Choose another one."));
        assert!(sorted.other.is_some());
        let conflict = refusal(&ApiError::Conflict("Busy.".to_owned()));
        assert_eq!(conflict.other.as_deref(), Some("Busy."));
    }
}
