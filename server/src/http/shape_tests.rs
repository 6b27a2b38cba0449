//! The keys of everything that `--json` prints. Scripts depend on them: they are added, never renamed.

use super::{
    cleanup_shape::{Cleanups, PlannedCleanup},
    shape::{
        Problem, Proof, Range, Ranges, Serving, SqlAnswer, SqlAnswers, Task, Tasks, Tenant,
        Tenants, Trouble, Verified,
    },
};
use domain::{
    BackupSetId, JobId, Revision, Scn, TenantId,
    backup::{BackupJob, BackupKind, TaskSource, Trigger},
    job::{JobState, Progress},
    recoverable::RecoverableRange,
    recovery::{RecoveryJob, RecoveryProof},
    retention::{CleanupPlan, Expired, Kept, KeptBecause, Stored},
    second_backup::Place,
};
use serde::Serialize;
use serde_json::Value;

/// A commit that a number of JSON cannot hold exactly.
const COMMIT: Scn = Scn(1_795_000_000_123_456_789);

/// Every key with the sort of its value, in order: `tasks[].id number`.
fn keys(document: &impl Serialize) -> Vec<String> {
    let mut found = Vec::new();
    walk("", &serde_json::to_value(document).unwrap(), &mut found);
    found.sort();
    found.dedup();
    found
}

fn walk(path: &str, value: &Value, found: &mut Vec<String>) {
    let sort = match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                walk(&format!("{path}{dot}{name}"), value, found);
            }
            return;
        }
        Value::Array(items) => {
            for item in items {
                walk(&format!("{path}[]"), item, found);
            }
            assert!(!items.is_empty(), "{path} must have an example");
            return;
        }
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) => {
            assert!(
                number.as_u64().is_none_or(|number| number < 1 << 53),
                "{path} does not fit a number of JSON"
            );
            "number"
        }
        Value::String(_) => "string",
    };
    found.push(format!("{path} {sort}"));
}

fn expect_keys(document: &impl Serialize, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(keys(document), expected);
}

fn backup() -> BackupJob {
    BackupJob {
        id: JobId(7),
        tenant: TenantId(1),
        tenant_name: "orders".to_owned(),
        asked: BackupKind::Incremental,
        actual: Some(BackupKind::Full),
        actual_reason: Some("no base".to_owned()),
        set: Some(BackupSetId(3)),
        source: TaskSource::Tenant,
        trigger: Trigger::Manual,
        created: COMMIT,
        started: Some(COMMIT),
        ended: Some(COMMIT),
        state: JobState::Failed,
        progress: progress(),
        min_restore_scn: Some(COMMIT),
        directory: Some("set-3".to_owned()),
        failure: Some("why".to_owned()),
        moved: None,
        second: None,
        rev: Revision(1),
    }
}

fn progress() -> Progress {
    Progress {
        phase: "Copying pages".to_owned(),
        done_bytes: 1,
        total_bytes: 2,
        rate_bytes_per_s: 3,
        eta_ms: Some(4),
    }
}

fn recovery() -> RecoveryJob {
    RecoveryJob {
        id: JobId(8),
        source_cluster: "local".to_owned(),
        source_tenant: "orders".to_owned(),
        source_tenant_id: TenantId(1),
        destination_cluster: "local".to_owned(),
        destination_tenant: "orders_2".to_owned(),
        until: COMMIT,
        created: COMMIT,
        started: Some(COMMIT),
        ended: Some(COMMIT),
        state: JobState::Completed,
        progress: progress(),
        proof: Some(RecoveryProof {
            expected_digest: "ab".to_owned(),
            computed_digest: "ab".to_owned(),
            target_scn: COMMIT,
            pages: 3,
            quick_check: "ok".to_owned(),
        }),
        failure: None,
        rev: Revision(1),
    }
}

const TASK: &str = "
    created string
    ended string
    failure string
    id number
    kind string
    progress.done_bytes number
    progress.eta_ms number
    progress.phase string
    progress.rate_bytes_per_s number
    progress.total_bytes number
    started string
    state string
    tenant string
";

/// The keys of a task below `prefix`, with those of its result; a result that is absent is null.
fn task_keys(prefix: &str, result: &str, absent: &[&str]) -> Vec<String> {
    let mut keys: Vec<String> = TASK
        .trim()
        .lines()
        .chain(result.trim().lines())
        .map(|line| {
            let (name, sort) = line.trim().split_once(' ').unwrap();
            let sort = if absent.contains(&name) { "null" } else { sort };
            format!("{prefix}{name} {sort}")
        })
        .collect();
    keys.sort();
    keys
}

#[test]
fn backup_prints_tasks_with_what_they_made() {
    let result = "
        backup.actual string
        backup.actual_reason string
        backup.asked string
        backup.directory string
        backup.recoverable_from string
        backup.set number
        recovery null
    ";
    let shown = Tasks {
        tasks: vec![backup().into()],
        skipped: vec!["why".to_owned()],
    };
    let mut expected = task_keys("tasks[].", result, &[]);
    expected.push("skipped[] string".to_owned());
    expected.sort();
    assert_eq!(keys(&shown), expected);
}

#[test]
fn recover_prints_a_task_with_its_proof() {
    let mut shown = Task::from(recovery());
    let made = shown.recovery.as_mut().unwrap();
    made.data_file = Some("/srv/orders_2.db".to_owned());
    assert_eq!(
        made.proof
            .as_ref()
            .map(|proof: &Proof| proof.target_scn.as_str()),
        Some(COMMIT.to_rfc3339().as_str())
    );
    let result = "
        backup null
        recovery.data_file string
        recovery.new_tenant string
        recovery.proof.computed_digest string
        recovery.proof.expected_digest string
        recovery.proof.pages number
        recovery.proof.quick_check string
        recovery.proof.target_scn string
        recovery.until string
    ";
    assert_eq!(keys(&shown), task_keys("", result, &["failure"]));
}

#[test]
fn tenant_prints_tenants() {
    let shown = Tenants {
        cluster: "local".to_owned(),
        tenants: vec![Tenant {
            id: 1,
            name: "orders".to_owned(),
            state: "online".to_owned(),
            size_bytes: 4096,
            data_file: Some("/srv/orders.db".to_owned()),
            note: Some("note".to_owned()),
        }],
    };
    expect_keys(
        &shown,
        "cluster string
        tenants[].data_file string
        tenants[].id number
        tenants[].name string
        tenants[].note string
        tenants[].size_bytes number
        tenants[].state string",
    );
}

#[test]
fn ranges_prints_moments_as_text() {
    let moment = COMMIT.to_rfc3339();
    let shown = Ranges {
        cluster: "local".to_owned(),
        tenant: "orders".to_owned(),
        now: moment.clone(),
        ranges: vec![Range {
            start: moment.clone(),
            end: moment.clone(),
        }],
        gaps: vec![super::shape::Gap {
            since: moment.clone(),
            until: Some(moment.clone()),
            cause: "log_lost".to_owned(),
            note: "note".to_owned(),
        }],
        checkpoint: Some(moment),
        log_delay_ms: Some(5),
    };
    expect_keys(
        &shown,
        "checkpoint string
        cluster string
        gaps[].cause string
        gaps[].note string
        gaps[].since string
        gaps[].until string
        log_delay_ms number
        now string
        ranges[].end string
        ranges[].start string
        tenant string",
    );
}

#[test]
fn sql_and_verify_print_what_was_found() {
    let answers = SqlAnswers {
        results: vec![SqlAnswer {
            columns: vec!["v".to_owned()],
            rows: vec![vec![Some("1".to_owned())]],
            changes: 1,
            committed: Some(COMMIT.to_rfc3339()),
        }],
    };
    expect_keys(
        &answers,
        "results[].changes number
        results[].columns[] string
        results[].committed string
        results[].rows[][] string",
    );
    let verified = Verified {
        sets: 1,
        log_files: 2,
        bytes: 3,
        faults: vec!["fault".to_owned()],
    };
    expect_keys(
        &verified,
        "bytes number
        faults[] string
        log_files number
        sets number",
    );
}

#[test]
fn serve_and_every_problem_print_json_too() {
    let serving = Serving {
        url: "http://127.0.0.1:3000".to_owned(),
        home: "/srv/home".to_owned(),
        first_run: None,
    };
    expect_keys(&serving, "home string\nurl string");
    let first = Serving {
        first_run: Some("http://127.0.0.1:3000/first-run?link=0".to_owned()),
        ..serving
    };
    expect_keys(&first, "first_run string\nhome string\nurl string");
    let trouble = Trouble {
        error: Problem::new("failed", "why, and what to do"),
    };
    expect_keys(&trouble, "error.kind string\nerror.message string");
}

#[test]
fn cleanups() {
    let log = Stored::Log {
        round: 1,
        start: COMMIT,
        end: COMMIT,
    };
    let plan = CleanupPlan {
        place: Place::First,
        keep_from: COMMIT,
        expired: vec![Expired {
            what: log,
            bytes: 1,
        }],
        kept: vec![Kept {
            what: Stored::Set(BackupSetId(2)),
            bytes: 1,
            because: KeptBecause::Window,
        }],
        lost: vec![RecoverableRange {
            start: COMMIT,
            end: COMMIT,
        }],
    };
    let answer = Cleanups {
        plans: vec![PlannedCleanup::new("orders", &plan)],
        tasks: vec![1],
        skipped: vec!["tenant payments".to_owned()],
    };
    expect_keys(
        &answer,
        "plans[].expired[].bytes number
        plans[].expired[].end string
        plans[].expired[].round number
        plans[].expired[].set null
        plans[].expired[].start string
        plans[].expired[].why null
        plans[].expired_bytes number
        plans[].keep_from string
        plans[].kept[].bytes number
        plans[].kept[].end null
        plans[].kept[].round null
        plans[].kept[].set number
        plans[].kept[].start null
        plans[].kept[].why string
        plans[].lost[].end string
        plans[].lost[].start string
        plans[].place string
        plans[].tenant string
        skipped[] string
        tasks[] number",
    );
}
