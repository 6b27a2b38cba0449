//! The demonstration: cluster `local` with two tenants that change every second.

mod dice;
mod orders;
mod payments;

use crate::{
    access::{GlobalAdmin, Operator},
    clusters::CREATE_CLUSTER,
    console::{Console, Inner},
    error::{Error, chain},
    handle::ClusterHandle,
    tenants::CREATE_TENANT,
};
use dice::Dice;
use domain::{
    ClusterId,
    access::{Actor, Role},
    cluster::NewCluster,
    tenant::TenantState,
};
use engine::TenantKey;
use std::{sync::Arc, time::Duration};

/// Who the demonstration is in the audit, where it finds again what it made.
const ACTOR: &str = "demonstration";
/// Name of the demonstration cluster.
const CLUSTER: &str = "local";
/// Rows of the fastest growing table that are kept; the whole tenant keeps about five times as many.
const KEPT: u64 = 8000;
/// Commits between two removals of old rows.
const PRUNE_EVERY: u64 = 400;
/// Longest pause after a failure.
const FAILED_MAX: Duration = Duration::from_secs(30);

/// The tables of a tenant and what happens in them.
pub(crate) struct Story {
    /// Name of the tenant.
    tenant: &'static str,
    /// Begin of the random numbers.
    seed: u64,
    /// Makes the tables, if they are missing.
    schema: &'static str,
    /// One transaction, as at the instant given.
    commit: fn(&mut Dice, &str) -> String,
    /// Removes all but the newest rows.
    prune: fn(u64) -> String,
}

/// Makes what is missing and begins the workload. A cluster that is not open now gets it later.
/// Refuses to write into a cluster or a tenant that somebody else made.
pub(crate) async fn start(console: &Console) -> Result<(), Error> {
    let admin = console.global_admin(&Actor::new(ACTOR, Role::Admin))?;
    ensure_cluster(&admin).await?;
    let stories = [orders::STORY, payments::STORY];
    for story in &stories {
        find_tenant(&console.inner, story).await?;
    }
    for story in stories {
        let operator = admin.admin().operator();
        // A failure is told and tried again by the play itself.
        let _ = ensure_tenant(&operator, &story).await;
        console.inner.spawn(play(operator, story));
    }
    Ok(())
}

async fn ensure_cluster(admin: &GlobalAdmin) -> Result<(), Error> {
    let inner = &admin.console.inner;
    if let Some(handle) = inner.any_cluster(CLUSTER) {
        return match was_made_here(inner, handle.id, CREATE_CLUSTER, CLUSTER).await? {
            true => Ok(()),
            false => Err(foreign(&format!("cluster \"{CLUSTER}\""))),
        };
    }
    let new = NewCluster {
        name: CLUSTER.to_owned(),
        ..NewCluster::default()
    };
    admin.create_cluster(&new).await.map(|_| ())
}

/// The demonstration's cluster.
fn cluster(inner: &Inner) -> Result<Arc<ClusterHandle>, Error> {
    inner.any_cluster(CLUSTER).ok_or_else(|| Error::NotFound {
        what: "cluster",
        id: CLUSTER.to_owned(),
    })
}

/// Whether the demonstration itself made something: only there it may write and remove rows.
async fn was_made_here(
    inner: &Inner,
    cluster: ClusterId,
    operation: &str,
    subject: &str,
) -> Result<bool, Error> {
    let store = &inner.store;
    Ok(store
        .was_ordered(cluster, ACTOR, operation, subject)
        .await?)
}

fn foreign(what: &str) -> Error {
    Error::Conflict(format!(
        "{what} was not made by the demonstration, which would write into its tables and remove \
         old rows; start without --demo, or choose another --home for the demonstration"
    ))
}

async fn ensure_tenant(operator: &Operator, story: &Story) -> Result<TenantKey, Error> {
    if let Some(key) = find_tenant(operator.inner(), story).await? {
        return Ok(key);
    }
    operator.create_tenant(CLUSTER, story.tenant).await?;
    let found = find_tenant(operator.inner(), story).await?;
    found.ok_or_else(|| Error::NotFound {
        what: "tenant",
        id: story.tenant.to_owned(),
    })
}

/// The story's tenant, if it is online and the demonstration's own.
async fn find_tenant(inner: &Inner, story: &Story) -> Result<Option<TenantKey>, Error> {
    let handle = cluster(inner)?;
    let picture = inner.store.picture(handle.id).await?;
    let Some(tenant) = picture.into_iter().find(|tenant| {
        tenant.facts.name == story.tenant && tenant.facts.state == TenantState::Online
    }) else {
        return Ok(None);
    };
    match was_made_here(inner, handle.id, CREATE_TENANT, story.tenant).await? {
        true => Ok(Some(TenantKey(tenant.facts.engine_key))),
        false => Err(foreign(&format!("tenant \"{}\"", story.tenant))),
    }
}

/// Plays a story until the console stops; a failure is told once and tried again.
async fn play(operator: Operator, story: Story) {
    let inner = Arc::clone(operator.inner());
    let mut dice = Dice::new(story.seed);
    let mut failures = 0u32;
    while !inner.is_stopping() {
        let error = match perform(&operator, &story, &mut dice, &mut failures).await {
            Ok(()) => return,
            Err(error) => error,
        };
        failures += 1;
        if failures == 1 {
            tracing::warn!(
                tenant.name = story.tenant,
                "the workload pauses: {}",
                chain(&error)
            );
        }
        let pause = Duration::from_millis(500) * 2u32.pow(failures.min(6));
        inner.pause(pause.min(FAILED_MAX)).await;
    }
}

async fn perform(
    operator: &Operator,
    story: &Story,
    dice: &mut Dice,
    failures: &mut u32,
) -> Result<(), Error> {
    let inner = operator.inner();
    let key = ensure_tenant(operator, story).await?;
    run(inner, &key, story.schema).await?;
    let mut commits = 0u64;
    while !inner.is_stopping() {
        let at = inner.now().to_rfc3339();
        run(inner, &key, &(story.commit)(dice, &at)).await?;
        *failures = 0;
        commits += 1;
        if commits.is_multiple_of(PRUNE_EVERY) {
            run(inner, &key, &(story.prune)(KEPT)).await?;
        }
        // Two to five commits a second.
        let pause = Duration::from_millis(200 + dice.below(300));
        inner.pause(pause).await;
    }
    Ok(())
}

async fn run(inner: &Inner, key: &TenantKey, sql: &str) -> Result<(), Error> {
    let engine = cluster(inner)?.engine()?;
    engine.run_sql(key, sql).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn played(story: &Story, commits: u32) -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        db.execute_batch(story.schema).unwrap();
        db.execute_batch(story.schema).unwrap();
        let mut dice = Dice::new(story.seed);
        for _ in 0..commits {
            let sql = (story.commit)(&mut dice, "2026-11-23T06:00:00.000000000Z");
            db.execute_batch(&sql).unwrap();
        }
        db
    }

    fn number(db: &Connection, sql: &str) -> i64 {
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn orders_have_customers_and_lines_that_sum_up() {
        let db = played(&orders::STORY, 500);
        assert_eq!(number(&db, "SELECT count(*) FROM orders"), 500);
        assert!(number(&db, "SELECT count(*) FROM customers") > 10);
        assert!(number(&db, "SELECT count(DISTINCT customer_id) FROM orders") > 10);
        assert!(number(&db, "SELECT count(*) FROM orders WHERE status = 'shipped'") > 50);
        let wrong = "SELECT count(*) FROM orders WHERE total_cents <>
            (SELECT sum(quantity * price_cents) FROM order_lines WHERE order_id = orders.id)";
        assert_eq!(number(&db, wrong), 0);
    }

    #[test]
    fn the_ledger_of_payments_sums_to_zero_and_equals_the_balances() {
        let db = played(&payments::STORY, 500);
        assert_eq!(number(&db, "SELECT count(*) FROM payments"), 500);
        assert_eq!(
            number(&db, "SELECT sum(amount_cents) FROM ledger_entries"),
            0
        );
        let wrong = "SELECT count(*) FROM accounts WHERE balance_cents <>
            (SELECT sum(amount_cents) FROM ledger_entries WHERE account_id = accounts.id)";
        assert_eq!(number(&db, wrong), 0);
        assert_eq!(
            number(
                &db,
                "SELECT count(*) FROM payments WHERE from_account = to_account"
            ),
            0
        );
    }

    #[test]
    fn pruning_keeps_the_newest_rows_and_breaks_no_reference() {
        for (story, table) in [(orders::STORY, "orders"), (payments::STORY, "payments")] {
            let db = played(&story, 300);
            db.execute_batch(&(story.prune)(100)).unwrap();
            assert_eq!(number(&db, &format!("SELECT count(*) FROM {table}")), 100);
            assert_eq!(
                number(&db, "SELECT count(*) FROM pragma_foreign_key_check"),
                0
            );
            let sql = (story.commit)(&mut Dice::new(1), "2026-11-23T06:00:00.000000000Z");
            db.execute_batch(&sql).unwrap();
        }
    }

    #[test]
    fn a_tenant_that_somebody_emptied_fills_again() {
        for (story, table) in [(orders::STORY, "orders"), (payments::STORY, "payments")] {
            let db = played(&story, 20);
            db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
            for table in [
                "order_lines",
                "orders",
                "customers",
                "ledger_entries",
                "payments",
            ] {
                // Half of them are of the other story.
                let _ = db.execute_batch(&format!("DELETE FROM {table}"));
            }
            let sql = (story.commit)(&mut Dice::new(1), "2026-11-23T06:00:00.000000000Z");
            db.execute_batch(&sql).unwrap();
            assert_eq!(number(&db, &format!("SELECT count(*) FROM {table}")), 1);
        }
    }
}
