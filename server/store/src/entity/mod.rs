//! Rows of the control database; never seen outside this crate.

pub(crate) mod account;
pub(crate) mod account_grant;
pub(crate) mod alert;
pub(crate) mod alert_watch;
pub(crate) mod audit;
pub(crate) mod backup_set;
pub(crate) mod channel;
pub(crate) mod cluster;
pub(crate) mod delivery;
pub(crate) mod job;
pub(crate) mod job_step;
pub(crate) mod log_archive;
pub(crate) mod log_span;
pub(crate) mod login;
pub(crate) mod revision;
pub(crate) mod schedule_run;
pub(crate) mod second_copy;
pub(crate) mod second_set;
pub(crate) mod second_span;
pub(crate) mod secret;
pub(crate) mod size_sample;
pub(crate) mod storage_config;
pub(crate) mod storage_state;
pub(crate) mod storage_test;
pub(crate) mod strategy;
pub(crate) mod tenant;
pub(crate) mod verification;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use sea_orm::{
        ConnectionTrait, DatabaseConnection, EntityTrait, IdenStatic, Iterable, Statement,
    };

    /// Name, type family and nullability of a table's columns as the schema made them.
    async fn made(db: &DatabaseConnection, table: &str) -> Vec<(String, bool)> {
        let sql = format!("SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')");
        let rows = db
            .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
            .await
            .unwrap();
        let mut columns: Vec<(String, bool)> = rows
            .iter()
            .map(|row| {
                let required: bool = row.try_get("", "notnull").unwrap();
                let key: i64 = row.try_get("", "pk").unwrap();
                (row.try_get("", "name").unwrap(), !required && key == 0)
            })
            .collect();
        columns.sort();
        columns
    }

    fn expected<E: EntityTrait>() -> Vec<(String, bool)> {
        let mut columns: Vec<(String, bool)> = E::Column::iter()
            .map(|column| {
                let def = sea_orm::ColumnTrait::def(&column);
                (column.as_str().to_owned(), def.is_null())
            })
            .collect();
        columns.sort();
        columns
    }

    #[tokio::test]
    async fn entities_and_schema_have_the_same_columns() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("control.db").display());
        let store = Store::connect(&url).await.unwrap();
        migration::up(store.connection()).await.unwrap();
        macro_rules! check {
            ($($table:ident),+) => {
                $(assert_eq!(
                    made(&store.db, stringify!($table)).await,
                    expected::<$table::Entity>(),
                    stringify!($table)
                );)+
            };
        }
        check!(
            alert,
            alert_watch,
            account,
            account_grant,
            audit,
            backup_set,
            channel,
            cluster,
            delivery,
            job,
            job_step,
            log_archive,
            log_span,
            login,
            revision,
            second_copy,
            second_set,
            second_span,
            schedule_run,
            secret,
            storage_config,
            storage_test,
            strategy,
            size_sample,
            storage_state,
            tenant,
            verification
        );
    }
}
