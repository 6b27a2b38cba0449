//! SHOW and DESC.

use crate::query::{picked, shown};
use crate::rows::{self, Row, Val};
use crate::session::SimSession;
use crate::sql::statement::Show;
use crate::translate::visible;
use crate::views::View;
use crate::{Answer, Column, ColumnType, SqlError, error};

pub(crate) fn show(session: &mut SimSession, what: Show) -> Result<Answer, SqlError> {
    match what {
        Show::Columns(name) => columns(session, &name),
        Show::Parameters { like, tenant } => parameters(session, like.as_deref(), tenant),
        Show::Variables(like) => {
            let rows = session
                .variables
                .all()
                .filter(|(name, _)| like.as_deref().is_none_or(|p| matches(p, name)))
                .map(|(name, value)| vec![Some(name.clone()), Some(value.clone())])
                .collect();
            Ok(table(&["Variable_name", "Value"], rows))
        }
        Show::Databases => {
            let rows = ["information_schema", "mysql", "oceanbase", "test"]
                .into_iter()
                .map(|n| vec![Some(n.to_owned())])
                .collect();
            Ok(table(&["Database"], rows))
        }
        Show::Tables => Ok(table(&["Tables_in_oceanbase"], Vec::new())),
        Show::Warnings => Ok(table(&["Level", "Code", "Message"], Vec::new())),
        Show::Grants => {
            let who = &session.who;
            let title = format!("Grants for {}@%", who.name);
            let grants = if who.monitor {
                vec![
                    "GRANT USAGE ON *.* TO 'monitor'".to_owned(),
                    "GRANT SELECT ON `oceanbase`.* TO 'monitor'".to_owned(),
                ]
            } else {
                vec![format!(
                    "GRANT ALL PRIVILEGES ON *.* TO '{}' WITH GRANT OPTION",
                    who.name
                )]
            };
            let rows = grants.into_iter().map(|g| vec![Some(g)]).collect();
            Ok(table(&[&title], rows))
        }
        Show::RestorePreview => {
            if session.who.tenant != 1 {
                return Err(error::no_privilege());
            }
            let rows = std::mem::take(&mut session.preview);
            view_rows(session, "SHOW RESTORE PREVIEW", &rows)
        }
    }
}

fn columns(session: &SimSession, name: &str) -> Result<Answer, SqlError> {
    let (database, table_name) = match name.split_once('.') {
        Some((database, rest)) => (Some(database.to_owned()), rest),
        None => (session.database.clone(), name),
    };
    let database = database.ok_or_else(error::no_database)?;
    let missing = || error::unknown_table(&format!("{database}.{table_name}"));
    let contract = &session.sim.contract;
    if !database.eq_ignore_ascii_case("oceanbase")
        || !visible(contract, table_name, session.who.tenant)
    {
        return Err(missing());
    }
    let view = contract.view(table_name).ok_or_else(missing)?;
    let rows = view
        .columns
        .iter()
        .map(|c| {
            let null = if c.reported_nullable { "YES" } else { "NO" };
            vec![
                Some(c.name.clone()),
                Some(c.type_text.clone()),
                Some(null.to_owned()),
                Some(String::new()),
                None,
                Some(String::new()),
            ]
        })
        .collect();
    Ok(table(
        &["Field", "Type", "Null", "Key", "Default", "Extra"],
        rows,
    ))
}

fn parameters(
    session: &SimSession,
    like: Option<&str>,
    tenant: Option<String>,
) -> Result<Answer, SqlError> {
    let rows: Vec<Row> = {
        let world = session.sim.lock();
        let tenant = match tenant {
            None => session.who.tenant,
            Some(_) if session.who.tenant != 1 => return Err(error::no_privilege()),
            Some(name) if name.eq_ignore_ascii_case("sys") => 1,
            Some(name) => world.tenant_id(&name)?,
        };
        rows::parameters(&world, Some(tenant))
            .into_iter()
            .filter(|row| {
                row.iter().any(|(column, value)| {
                    *column == "NAME"
                        && matches!(value, Val::Text(name) if like.is_none_or(|p| matches(p, name)))
                })
            })
            .collect()
    };
    view_rows(session, "SHOW PARAMETERS", &rows)
}

/// Rows of what `views.json` describes but no SELECT reads.
fn view_rows(session: &SimSession, view: &str, rows: &[Row]) -> Result<Answer, SqlError> {
    let view: &View = session
        .sim
        .contract
        .view(view)
        .ok_or_else(|| error::syntax(view))?;
    let offset = session.variables.offset();
    let rows = rows
        .iter()
        .map(|row| {
            picked(view, row)
                .into_iter()
                .zip(&view.columns)
                .map(|(value, column)| shown(value, column.kind, offset))
                .collect()
        })
        .collect();
    let columns = view
        .columns
        .iter()
        .map(|c| Column {
            name: c.name.clone(),
            kind: c.kind,
            nullable: c.nullable,
        })
        .collect();
    Ok(Answer::Rows { columns, rows })
}

fn table(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Answer {
    Answer::Rows {
        columns: names
            .iter()
            .map(|name| Column {
                name: (*name).to_owned(),
                kind: ColumnType::Varchar(4096),
                nullable: true,
            })
            .collect(),
        rows,
    }
}

/// SQL's LIKE with `%` and `_`, without regard to case.
fn matches(pattern: &str, text: &str) -> bool {
    fn go(p: &[char], t: &[char]) -> bool {
        match p.split_first() {
            None => t.is_empty(),
            Some(('%', ['%', ..])) => go(&p[1..], t),
            Some(('%', rest)) => (0..=t.len()).any(|skip| go(rest, &t[skip..])),
            Some(('_', rest)) => t.split_first().is_some_and(|(_, t)| go(rest, t)),
            Some(('\\', rest)) if !rest.is_empty() => {
                t.first() == rest.first() && go(&rest[1..], &t[1..])
            }
            Some((c, rest)) => t.first() == Some(c) && go(rest, &t[1..]),
        }
    }
    let lower = |s: &str| s.to_lowercase().chars().collect::<Vec<char>>();
    go(&lower(pattern), &lower(text))
}
