//! What must hold after every history. Read from the control database directly, and from what the cluster saw.

use crate::{
    process::{LOCAL, Process, Site},
    recoverable,
};
use domain::{
    BackupSetId, JobId, Revision, Scn,
    backup::BackupJob,
    page::{PAGE_SIZE_MAX, TaskFilter},
    schedule,
    second_backup::LogCycle,
    strategy::{RunKind, StrategySettings},
    task::STEPS_MAX,
};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// States in which nothing can happen to a task any more.
const FINAL: &str = "('completed', 'failed', 'canceled')";

/// The revision is never lower than it was.
pub(crate) fn revision(site: &Site, before: i64, seed: u64) -> i64 {
    let newest = number(&site.database(), "SELECT value FROM revision");
    assert!(newest >= before, "seed {seed}: {newest} after {before}");
    newest
}

/// Tasks and runs that have not ended, in words.
pub(crate) fn open(site: &Site) -> Vec<String> {
    let database = site.database();
    let mut open = texts(
        &database,
        &format!(
            "SELECT id || ' ' || kind || ' ' || state || ' tenant ' || tenant_id || ' attempt ' || attempts \
             FROM job WHERE state NOT IN {FINAL}"
        ),
    );
    open.extend(texts(
        &database,
        "SELECT 'run ' || id || ' ' || kind FROM schedule_run WHERE outcome = 'running'",
    ));
    open
}

/// Texts with their counts, by questions.
pub(crate) fn groups(site: &Site, questions: &[&str]) -> Vec<(String, u64)> {
    let database = site.database();
    let mut found = Vec::new();
    for sql in questions {
        let mut query = database.prepare(sql).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?.into())));
        found.extend(rows.unwrap().map(Result::unwrap));
    }
    found
}

/// Panics with what is wrong.
pub(crate) fn judge(site: &Site, process: &Process, seed: u64) {
    let database = site.database();
    let mut wrong = site.world.state().wrong.clone();
    for (what, sql) in rules() {
        wrong.extend(
            texts(&database, &sql)
                .into_iter()
                .map(|text| format!("{what}: {text}")),
        );
    }
    wrong.extend(seen_by_the_cluster(site, &database));
    wrong.extend(counted(&database));
    wrong.extend(log_turned(site, &database));
    let more = process.run(async {
        let mut more = told_by_the_feed(process).await;
        more.extend(moments(site, process).await);
        more.extend(recoverable::moments(site, process).await);
        more
    });
    wrong.extend(more.unwrap());
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
}

/// Rules that no row may break: what is wrong, and a question that finds it.
fn rules() -> Vec<(&'static str, String)> {
    let steps = STEPS_MAX;
    vec![
        (
            "a set copied by two tasks that follow",
            "SELECT tenant_id || '/' || copy_set FROM job WHERE caused_by = 'follow' \
             GROUP BY tenant_id, copy_set HAVING count(*) > 1"
                .to_owned(),
        ),
        (
            "a task without steps, or with too many",
            format!(
                "SELECT job.id FROM job LEFT JOIN job_step ON job_id = id GROUP BY job.id \
                 HAVING count(seq) = 0 OR count(seq) > {steps}"
            ),
        ),
        (
            "a task that ended without saying when, or why it failed",
            format!(
                "SELECT id || ' ' || state FROM job WHERE state IN {FINAL} \
                 AND (ended IS NULL OR (state = 'failed' AND failure IS NULL))"
            ),
        ),
        (
            "a task that ended and is still held",
            format!("SELECT id FROM job WHERE state IN {FINAL} AND lease_owner IS NOT NULL AND state <> 'canceled'"),
        ),
        (
            "two tasks of one revision",
            "SELECT rev FROM job GROUP BY rev HAVING count(*) > 1".to_owned(),
        ),
        (
            "a task newer than the newest revision",
            "SELECT id FROM job WHERE rev > (SELECT value FROM revision)".to_owned(),
        ),
        (
            "a task that tries again what did not end badly",
            "SELECT again.id FROM job again JOIN job first ON again.retry_of = first.id \
             WHERE first.state NOT IN ('failed', 'canceled') OR first.kind <> again.kind"
                .to_owned(),
        ),
        (
            "a task tried again by two at once or in vain",
            "SELECT retry_of FROM job WHERE retry_of IS NOT NULL GROUP BY retry_of HAVING count(*) > 1"
                .to_owned(),
        ),
        (
            "a run that is complete and has a task that is not",
            "SELECT run.id || ' task ' || job.id FROM schedule_run run JOIN job ON run_id = run.id \
             WHERE run.outcome = 'completed' AND state <> 'completed' \
             AND NOT EXISTS (SELECT 1 FROM job again WHERE again.retry_of = job.id)"
                .to_owned(),
        ),
        (
            "a run that was not begun and has a task",
            "SELECT run.id FROM schedule_run run JOIN job ON run_id = run.id \
             WHERE run.outcome IN ('missed', 'skipped')"
                .to_owned(),
        ),
        (
            "a run without its end or its reason",
            "SELECT id || ' ' || outcome FROM schedule_run WHERE ended IS NULL \
             OR (outcome <> 'completed' AND cause IS NULL)"
                .to_owned(),
        ),
        (
            "two tasks of a run for one tenant and purpose",
            "SELECT run_id || ' tenant ' || tenant_id FROM job WHERE run_id IS NOT NULL AND retry_of IS NULL \
             GROUP BY run_id, tenant_id, coalesce(place, '') HAVING count(*) > 1"
                .to_owned(),
        ),
    ]
}

/// Orders and results.
fn seen_by_the_cluster(site: &Site, database: &Connection) -> Vec<String> {
    let state = site.world.state();
    let mut wrong = Vec::new();
    let tokens: BTreeSet<String> = texts(database, "SELECT token FROM job")
        .into_iter()
        .collect();
    for (token, times) in &state.accepted {
        let lost = state.lost.get(token).copied().unwrap_or_default();
        if *times > 1 + lost {
            wrong.push(format!(
                "{token} was begun {times} times and lost {lost} times"
            ));
        }
        if !tokens.contains(token) {
            wrong.push(format!("{token} is an order that nobody gave"));
        }
    }
    let keys: BTreeMap<i64, String> = pairs(database, "SELECT id, engine_key FROM tenant");
    for (sql, there) in [
        (
            "SELECT tenant_id || ' ' || set_id FROM job WHERE kind = 'data_backup' AND state = 'completed'",
            &state.made,
        ),
        (
            "SELECT tenant_id || ' ' || copy_set FROM job WHERE kind = 'second_data' AND state = 'completed'",
            &state.copied,
        ),
    ] {
        for text in texts(database, sql) {
            let (tenant, set) = text.split_once(' ').unwrap();
            let key = &keys[&tenant.parse::<i64>().unwrap()];
            if !there.contains(&(key.clone(), BackupSetId(set.parse().unwrap()))) {
                wrong.push(format!(
                    "set {set} of tenant {tenant} does not exist: {sql}"
                ));
            }
        }
    }
    wrong
}

/// Every order has its entry in the audit, and nothing else has one.
fn counted(database: &Connection) -> Vec<String> {
    let by_people = "caused_by IN ('manual', 'new_round')";
    let pairs = [
        (
            "data backup",
            format!("SELECT count(*) FROM job WHERE kind = 'data_backup' AND {by_people}"),
        ),
        (
            "recovery",
            "SELECT count(*) FROM job WHERE kind = 'recovery' AND caused_by = 'manual'".to_owned(),
        ),
        (
            "cleanup",
            "SELECT count(*) FROM job WHERE kind = 'cleanup' AND caused_by = 'manual'".to_owned(),
        ),
        (
            "retry",
            "SELECT count(*) FROM job WHERE retry_of IS NOT NULL".to_owned(),
        ),
        (
            "cancel",
            "SELECT count(*) FROM job_step WHERE text LIKE '%asked to cancel it' \
             OR text LIKE 'Canceled by % before it was begun'"
                .to_owned(),
        ),
        (
            "scheduled run",
            "SELECT count(*) FROM schedule_run WHERE outcome <> 'missed' \
             AND coalesce(cause, '') NOT LIKE 'The clock was set forward%'"
                .to_owned(),
        ),
    ];
    let mut wrong = Vec::new();
    for (operation, sql) in pairs {
        let orders = number(database, &sql);
        let entries = format!("SELECT count(*) FROM audit WHERE operation = '{operation}'");
        let entries = number(database, &entries);
        if orders != entries {
            wrong.push(format!(
                "{orders} × {operation}, {entries} entries in the audit"
            ));
        }
    }
    wrong
}

/// Log backup that a person started or stopped has an entry for each time; one that was refused has one too.
fn log_turned(site: &Site, database: &Connection) -> Vec<String> {
    let state = site.world.state();
    let turned = [
        ("start log backup", state.log_started),
        ("stop log backup", state.log_stopped),
    ];
    let mut wrong = Vec::new();
    for (operation, times) in turned {
        let entries = format!("SELECT count(*) FROM audit WHERE operation = '{operation}'");
        let entries = number(database, &entries);
        if entries < times {
            wrong.push(format!(
                "{times} × {operation}, {entries} entries in the audit"
            ));
        }
    }
    wrong
}

/// A page that followed from the beginning shows what one that is opened now does.
async fn told_by_the_feed(process: &Process) -> Vec<String> {
    let store = &process.store;
    let cluster = store.cluster(LOCAL).await.unwrap().unwrap().cluster.id;
    let mut told: BTreeMap<JobId, BackupJob> = BTreeMap::new();
    let mut since = Revision(0);
    loop {
        let rows = store.feed(cluster, since).await.unwrap();
        told.extend(rows.backups.into_iter().map(|row| (row.id, row)));
        if rows.rev == since {
            break;
        }
        since = rows.rev;
    }
    let mut wrong = Vec::new();
    for page in 1.. {
        let filter = TaskFilter {
            page,
            size: PAGE_SIZE_MAX,
            ..TaskFilter::default()
        };
        let rows = process.viewer().backups(LOCAL, &filter).await.unwrap().rows;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let id = row.id;
            if told.remove(&id).as_ref() != Some(&row) {
                wrong.push(format!("the feed told something else of task {id}"));
            }
        }
    }
    wrong.extend(
        told.keys()
            .map(|id| format!("the feed told of task {id} only")),
    );
    wrong
}

/// Every moment that came since the strategy was changed last has its run.
async fn moments(site: &Site, process: &Process) -> Vec<String> {
    let mut wrong = Vec::new();
    for known in process.store.strategies().await.unwrap() {
        let strategy = &known.strategy;
        let now = site.world.now().minus_ns(40_000_000_000);
        if strategy.paused || strategy.modified > now {
            continue;
        }
        for kind in RunKind::ALL {
            let sql = format!(
                "SELECT due FROM schedule_run WHERE strategy_id = {} AND kind = '{}'",
                strategy.id,
                kind.code()
            );
            let rows: BTreeSet<i64> = texts(&site.database(), &sql)
                .iter()
                .map(|due| due.parse().unwrap())
                .collect();
            for due in came(&strategy.settings, kind, strategy.modified, now) {
                if !rows.contains(&i64::try_from(due.0).unwrap()) {
                    wrong.push(format!(
                        "{kind:?} at {due} has no run, changed {}, now {now}, {} runs",
                        strategy.modified,
                        rows.len()
                    ));
                }
            }
        }
    }
    wrong
}

fn came(settings: &StrategySettings, kind: RunKind, after: Scn, until: Scn) -> Vec<Scn> {
    let zone = &settings.schedule.zone;
    let daily = |at| schedule::daily(at, zone, after, until).unwrap();
    match (kind, &settings.second) {
        (RunKind::DataBackup, _) => schedule::due(&settings.schedule, after, until)
            .unwrap()
            .iter()
            .map(|due| due.at)
            .collect(),
        (RunKind::SecondLog, Some(second)) => match second.log_cycle {
            LogCycle::Hourly => schedule::hourly(after, until),
            LogCycle::Daily => daily(settings.schedule.at),
        },
        (RunKind::Cleanup, _) if settings.cleanup.enabled => daily(settings.cleanup.at),
        _ => Vec::new(),
    }
}

fn texts(database: &Connection, sql: &str) -> Vec<String> {
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| {
        let value: rusqlite::types::Value = row.get(0)?;
        Ok(match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn pairs(database: &Connection, sql: &str) -> BTreeMap<i64, String> {
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}
