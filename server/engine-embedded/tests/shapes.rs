//! Tenants of every shape recover exactly: page sizes, files that shrink and grow, empty ones.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, backup::BackupKind, recovery::Precision};
use engine::{Engine, RecoverySpec, TenantKey};
use std::{path::Path, process::Command};
use support_basic::Lab;

/// Rows and the sum of their lengths.
type Content = (i64, i64);

/// Every moment that was made, with what the tenant held then.
struct Past<'a> {
    lab: &'a Lab,
    tenant: TenantKey,
    moments: Vec<(Scn, Content)>,
}

impl<'a> Past<'a> {
    async fn begin(lab: &'a Lab) -> Self {
        let tenant = lab.tenant_named("shaped").await.key;
        lab.wait_archiving(&tenant).await;
        let mut past = Past {
            lab,
            tenant,
            moments: Vec::new(),
        };
        past.commit("CREATE TABLE t (v)").await;
        lab.back_up(&past.tenant, BackupKind::Full).await;
        past
    }

    async fn ask(&self, sql: &str) -> i64 {
        let results = self.lab.engine().run_sql(&self.tenant, sql).await.unwrap();
        let text = results[0].rows[0][0].clone();
        text.map_or(0, |number| number.parse().unwrap())
    }

    async fn commit(&mut self, sql: &str) {
        let at = self.lab.sql(&self.tenant, sql).await;
        let rows = self.ask("SELECT count(*) FROM t").await;
        let bytes = self.ask("SELECT sum(length(v)) FROM t").await;
        self.moments.push((at, (rows, bytes)));
    }

    async fn fill(&mut self, rows: u32, bytes: u32) {
        self.commit(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
             INSERT INTO t SELECT hex(randomblob({bytes} / 2)) FROM n"
        ))
        .await;
    }

    /// Recovers every moment from the first set on and compares.
    async fn check(&self) {
        let last = self.moments.last().unwrap().0;
        self.lab.wait_durable(&self.tenant, last).await;
        let first = self.lab.tenant_named("shaped").await.sets[0].min_restore_scn;
        for (at, content) in self.moments.iter().filter(|(at, _)| *at >= first) {
            let path = self.lab.dir.path().join(format!("at-{}", at.0));
            let engine = self.lab.engine();
            let proof = engine
                .recover_to_file(&self.tenant, *at, &path)
                .await
                .unwrap();
            assert_eq!((proof.target_scn, proof.quick_check.as_str()), (*at, "ok"));
            assert_eq!(read(&path), *content, "at {at}");
        }
    }
}

fn read(path: &Path) -> Content {
    let db = rusqlite::Connection::open(path).unwrap();
    let check: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let content = "SELECT count(*), ifnull(sum(length(v)), 0) FROM t";
    db.query_row(content, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

/// A tenant whose file the stock tool made over with `settings` while the engine was away.
async fn shaped(settings: &str) -> Lab {
    let mut lab = Lab::open().await;
    lab.engine().create_tenant("shaped").await.unwrap();
    let file = lab.tenant_named("shaped").await.data_file.unwrap();
    lab.close().await;
    let sql = format!("PRAGMA journal_mode=DELETE; {settings}; VACUUM; PRAGMA journal_mode=WAL");
    let done = Command::new("sqlite3")
        .args([&file, &sql])
        .output()
        .unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    lab.reopen().await;
    lab
}

/// Grows, shrinks and grows again, with an incremental set in between.
async fn grow_and_shrink(past: &mut Past<'_>) {
    past.fill(300, 900).await;
    past.commit("DELETE FROM t WHERE rowid > 3").await;
    past.commit("VACUUM").await;
    past.lab
        .back_up(&past.tenant, BackupKind::Incremental)
        .await;
    past.fill(400, 500).await;
    past.commit("UPDATE t SET v = v || 'x' WHERE rowid % 7 = 0")
        .await;
    past.lab
        .back_up(&past.tenant, BackupKind::Incremental)
        .await;
    past.commit("DELETE FROM t; VACUUM").await;
    past.fill(5, 2000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_and_the_largest_page_size_recover_exactly() {
    for page_size in [512, 65536] {
        let lab = shaped(&format!("PRAGMA page_size={page_size}")).await;
        let mut past = Past::begin(&lab).await;
        assert_eq!(past.ask("PRAGMA page_size").await, page_size);
        grow_and_shrink(&mut past).await;
        past.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_shrinks_by_itself_recovers_exactly() {
    let lab = shaped("PRAGMA auto_vacuum=FULL").await;
    let mut past = Past::begin(&lab).await;
    assert_eq!(past.ask("PRAGMA auto_vacuum").await, 1);
    grow_and_shrink(&mut past).await;
    past.commit("PRAGMA auto_vacuum=INCREMENTAL; VACUUM").await;
    past.fill(200, 700).await;
    past.commit("DELETE FROM t WHERE rowid % 2").await;
    let pages = past.ask("PRAGMA page_count").await;
    past.commit("PRAGMA incremental_vacuum").await;
    assert!(past.ask("PRAGMA page_count").await < pages);
    past.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_tenant_and_a_set_of_no_pages_recover() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("shaped").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    // Nothing was committed since: the set says that nothing changed.
    lab.back_up(&tenant, BackupKind::Incremental).await;
    let observed = lab.tenant_named("shaped").await;
    assert_eq!(observed.sets.len(), 2);
    assert_eq!(observed.sets[1].base, Some(observed.sets[0].id));
    for set in &observed.sets {
        assert_eq!(lab.rows_at(&tenant, set.min_restore_scn).await, 0);
    }
    let spec = RecoverySpec {
        token: "plan".to_owned(),
        tenant: tenant.clone(),
        until: observed.sets[1].min_restore_scn,
        new_name: "copy".to_owned(),
        place: None,
        placement: None,
    };
    let plan = lab.engine().plan_recovery(&spec).await.unwrap();
    assert_eq!((plan.sets.len(), plan.commits), (2, 0));
    assert_eq!(plan.precision, Precision::Exact);
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!((report.sets, report.faults), (2, Vec::new()));
}
