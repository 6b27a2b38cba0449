//! The columns, the same on every backend: what the tables hold does not depend on where they are.

use crate::fixture::{Fixture, fresh};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::collections::BTreeMap;

/// Tables and their columns in order. A question mark: may be empty. A number: longest text.
const COLUMNS: &[(&str, &str)] = &[
    (
        "alert",
        "id bigint, cluster_id bigint?, rule varchar 64, object_key varchar 96, object text, \
         level integer, status varchar 16, generated bigint, last_generated bigint, \
         clear_since bigint?, recovered bigint?, masked_until bigint?, summary text, measured text?, \
         threshold text?, labels text, ended_because text?, masked_by text?, rev bigint",
    ),
    ("alert_watch", "id bigint, evaluated bigint"),
    (
        "account",
        "id bigint, name varchar 64, name_key varchar 64, password text?, everywhere varchar 16?, \
         state varchar 16, failures integer, locked_until bigint?, link varchar 64?, link_until bigint?, \
         created bigint, signed_in bigint?",
    ),
    (
        "account_grant",
        "account_id bigint, cluster_id bigint, role varchar 16",
    ),
    (
        "audit",
        "id bigint, at bigint, actor text, operation varchar 64, cluster_id bigint?, subject text, \
         detail text, rev bigint, address varchar 64?, result varchar 16, cause text?, was text?, \
         became text?",
    ),
    (
        "backup_set",
        "tenant_id bigint, set_id bigint, kind varchar 16, base bigint?, round bigint, \
         min_restore_scn bigint, started bigint, finished bigint, stored_bytes bigint, raw_bytes bigint",
    ),
    (
        "channel",
        "id bigint, name varchar 64, kind varchar 16, url bigint, secret bigint?, host text, levels text, \
         clusters text?, every_min integer?, enabled integer, created bigint, last_sent bigint?, \
         failing_since bigint?, fault text?, rev bigint",
    ),
    (
        "cluster",
        "id bigint, name varchar 64, engine varchar 32, version text, capabilities text, \
         destination text, home_dir text, destination_dir text, created bigint, observed bigint?, \
         fault text?, period_rev bigint, rev bigint, identity varchar 64?, clock_back_ns bigint?, \
         observed_rev bigint, addresses text?, account text?, password bigint?, drift text?",
    ),
    (
        "delivery",
        "id bigint, channel_id bigint, state varchar 16, message text, created bigint, attempts integer, \
         not_before bigint, lease_until bigint?, ended bigint?, failure text?",
    ),
    (
        "job",
        "id bigint, cluster_id bigint, tenant_id bigint, kind varchar 16, state varchar 16, \
         token varchar 64, caused_by varchar 16, source varchar 16?, asked varchar 16?, \
         until_scn bigint?, new_name varchar 64?, engine_job_id text?, actual varchar 16?, \
         actual_reason text?, set_id bigint?, min_restore_scn bigint?, location text?, phase text, \
         done_bytes bigint, total_bytes bigint, rate_bytes_per_s bigint, eta_ms bigint?, proof text?, \
         failure text?, attempts integer, not_before bigint, lease_owner varchar 64?, \
         lease_until bigint?, created bigint, started bigint?, ended bigint?, rev bigint, run_id bigint?, \
         place varchar 16?, keep_from bigint?, copy_set bigint?, outcome text?, moved bigint?, \
         retry_of bigint?, placement text?",
    ),
    (
        "job_step",
        "job_id bigint, seq integer, at bigint, text text",
    ),
    (
        "log_archive",
        "tenant_id bigint, cluster_id bigint, method varchar 16, host text, checkpoint_scn bigint?, \
         directory text, started bigint?, round bigint, state text, note text?, rev bigint",
    ),
    (
        "log_span",
        "tenant_id bigint, round bigint, start_scn bigint, end_scn bigint, cause varchar 32, note text",
    ),
    (
        "login",
        "id bigint, token varchar 64, account_id bigint, created bigint, seen bigint, \
         address varchar 64, agent text",
    ),
    ("revision", "id bigint, value bigint"),
    (
        "second_copy",
        "tenant_id bigint, cluster_id bigint, state varchar 16, data_bytes bigint, log_bytes bigint, \
         checkpoint_scn bigint?, started bigint?, directory text, rev bigint",
    ),
    (
        "second_set",
        "tenant_id bigint, set_id bigint, kind varchar 16, base bigint?, round bigint, \
         min_restore_scn bigint, started bigint, finished bigint, stored_bytes bigint, raw_bytes bigint",
    ),
    (
        "second_span",
        "tenant_id bigint, round bigint, start_scn bigint, end_scn bigint, cause varchar 32, note text",
    ),
    (
        "schedule_run",
        "id bigint, cluster_id bigint, strategy_id bigint, kind varchar 16, backup varchar 16?, \
         due bigint, started bigint, ended bigint?, outcome varchar 16, cause text?, rev bigint",
    ),
    (
        "storage_config",
        "id bigint, name varchar 64, kind varchar 16, directory text, capacity_percent integer, \
         created bigint, rev bigint, endpoint text?, access_id text?, region text?, app_id text?, \
         access_key bigint?",
    ),
    (
        "storage_test",
        "id bigint, cluster_id bigint, kind varchar 16, directory text, empty integer, identity text?, \
         at bigint, actor text, endpoint text?",
    ),
    (
        "strategy",
        "id bigint, cluster_id bigint, storage_id bigint, second_storage_id bigint?, settings text, \
         paused_at bigint?, created bigint, modified bigint, modified_by text, rev bigint",
    ),
    (
        "size_sample",
        "cluster_id bigint, tenant_id bigint, at bigint, data_bytes bigint, log_bytes bigint, \
         second_data_bytes bigint?, second_log_bytes bigint?, storage_total_bytes bigint?, \
         storage_free_bytes bigint?",
    ),
    (
        "storage_state",
        "cluster_id bigint, place varchar 16, location text, total_bytes bigint?, free_bytes bigint?, \
         fault text?, identity_changed integer, told bigint, rev bigint",
    ),
    (
        "secret",
        "id bigint, purpose varchar 32, owner varchar 191, key_id varchar 16, sealed text, created bigint",
    ),
    (
        "tenant",
        "id bigint, cluster_id bigint, engine_key varchar 191, name varchar 64, state varchar 16, \
         data_file text?, size_bytes bigint, note text?, data_bytes bigint, log_bytes bigint, rev bigint",
    ),
    (
        "verification",
        "id bigint, cluster_id bigint, tenant_id bigint, at bigint, actor text, sets bigint, \
         log_files bigint, bytes bigint, faults bigint, first_fault text?",
    ),
];

/// Table, column, type, longest text, and `YES` where it may be empty, in order.
fn question(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => {
            "SELECT m.name AS tab, c.name AS col, lower(c.type) AS kind, '' AS length, \
             CASE WHEN c.\"notnull\" OR c.pk THEN 'NO' ELSE 'YES' END AS empty \
             FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid"
        }
        DbBackend::Postgres => {
            "SELECT table_name::text AS tab, column_name::text AS col, \
             replace(data_type::text, 'character varying', 'varchar') AS kind, \
             coalesce(character_maximum_length::text, '') AS length, is_nullable::text AS empty \
             FROM information_schema.columns WHERE table_schema = current_schema() \
             ORDER BY table_name, ordinal_position"
        }
        DbBackend::MySql => {
            "SELECT CAST(table_name AS CHAR(64)) AS tab, CAST(column_name AS CHAR(64)) AS col, \
             CAST(replace(data_type, 'int', 'integer') AS CHAR(64)) AS kind, \
             CAST(coalesce(IF(data_type = 'text', '', character_maximum_length), '') AS CHAR(64)) AS length, \
             CAST(is_nullable AS CHAR(3)) AS empty \
             FROM information_schema.columns WHERE table_schema = database() \
             ORDER BY table_name, ordinal_position"
        }
        other => panic!("no test for {other:?}"),
    }
}

async fn made(fixture: &Fixture) -> BTreeMap<String, Vec<String>> {
    let db = fixture.store.connection();
    let backend = db.get_database_backend();
    let question = Statement::from_string(backend, question(backend));
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in db.query_all_raw(question).await.unwrap() {
        let [table, column, kind, length, empty] = ["tab", "col", "kind", "length", "empty"]
            .map(|name| row.try_get::<String>("", name).unwrap());
        let text = format!("{column} {} {length}", plain(backend, &kind));
        let empty = if empty == "YES" { "?" } else { "" };
        let columns = tables.entry(table).or_default();
        columns.push(format!("{}{empty}", text.trim_end()));
    }
    tables.remove("seaql_migrations");
    tables
}

/// A type in the words of [`COLUMNS`].
fn plain(backend: DbBackend, kind: &str) -> String {
    match (backend, kind) {
        (DbBackend::MySql, "biginteger") => "bigint".to_owned(),
        // It has one type for numbers, and that has 64 bits.
        (DbBackend::Sqlite, "integer") => "bigint".to_owned(),
        (_, other) => other.replace('(', " ").replace(')', ""),
    }
}

#[tokio::test]
async fn every_backend_has_the_same_columns() {
    let fixture = fresh().await;
    let made = made(&fixture).await;
    let backend = fixture.store.connection().get_database_backend();
    let expected: BTreeMap<String, Vec<String>> = COLUMNS
        .iter()
        .map(|(table, columns)| {
            let columns = columns.split(", ").map(|column| match backend {
                DbBackend::Sqlite => column.replace(" integer", " bigint"),
                _ => column.to_owned(),
            });
            ((*table).to_owned(), columns.collect())
        })
        .collect();
    for (table, columns) in &expected {
        assert_eq!(made.get(table), Some(columns), "table {table}");
    }
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
}
