//! What every step is made of: tables and indexes that may be there already.
//!
//! MySQL ends a transaction at each change of the schema, so a step that is interrupted there stays half
//! done and is run again from its beginning.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Begins a table. Texts in it that differ in case are different texts, on every backend.
pub(crate) fn table(manager: &SchemaManager<'_>, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists();
    if manager.get_database_backend() == DbBackend::MySql {
        // Its own default takes `local` and `Local` for the same name.
        table.character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// Makes an index unless it is there. MySQL cannot be asked to do that in one statement.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    make(manager, table, name, columns, Index::create()).await
}

/// The same, and no two rows may agree in its columns.
pub(crate) async fn unique_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    make(
        manager,
        table,
        name,
        columns,
        Index::create().unique().take(),
    )
    .await
}

async fn make(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: &[&'static str],
    mut index: IndexCreateStatement,
) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

/// Drops an index, if it is there.
pub(crate) async fn drop_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
) -> Result<(), DbErr> {
    if !manager.has_index(table, name).await? {
        return Ok(());
    }
    manager
        .drop_index(Index::drop().name(name).table(table).to_owned())
        .await
}

/// Drops tables, in this order, as far as they are there.
pub(crate) async fn drop_tables(
    manager: &SchemaManager<'_>,
    names: &[&'static str],
) -> Result<(), DbErr> {
    for name in names {
        manager
            .drop_table(Table::drop().table(*name).if_exists().to_owned())
            .await?;
    }
    Ok(())
}

/// Adds columns, each with its name, as far as they are not there. One at a time: SQLite knows no other way.
pub(crate) async fn add_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: Vec<(&'static str, ColumnDef)>,
) -> Result<(), DbErr> {
    for (name, mut column) in columns {
        if !manager.has_column(table, name).await? {
            let mut alter = Table::alter();
            manager
                .alter_table(alter.table(table).add_column(&mut column).to_owned())
                .await?;
        }
    }
    Ok(())
}

/// Drops columns, as far as they are there.
pub(crate) async fn drop_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    names: &[&'static str],
) -> Result<(), DbErr> {
    for name in names {
        if manager.has_column(table, *name).await? {
            let mut alter = Table::alter();
            manager
                .alter_table(alter.table(table).drop_column(*name).to_owned())
                .await?;
        }
    }
    Ok(())
}
