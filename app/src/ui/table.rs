//! Tables, which become cards on a phone. Roles are spelled out, so that the cards keep them.

use super::Icon;
use crate::ui::Any;
use leptos::prelude::*;

/// A column.
#[derive(Clone)]
pub struct Column {
    /// Its head.
    pub label: &'static str,
    /// How it can be sorted, if it can.
    pub sort: Option<Sort>,
}

/// How a column is sorted, and the address that turns it round.
#[derive(Clone, Copy)]
pub struct Sort {
    /// Ascending rather than descending.
    pub ascending: Signal<bool>,
    /// The address that turns it round.
    pub href: Signal<String>,
}

impl Column {
    /// A column that cannot be sorted.
    pub const fn plain(label: &'static str) -> Column {
        Column { label, sort: None }
    }

    /// The column by which the table is sorted.
    pub const fn sorted(label: &'static str, sort: Sort) -> Column {
        Column {
            label,
            sort: Some(sort),
        }
    }
}

/// A table.
#[component]
pub fn Table(
    /// What it lists.
    caption: &'static str,
    /// Its columns.
    columns: Vec<Column>,
    /// Its rows.
    children: Children,
) -> impl IntoView {
    let heads = columns.into_iter().map(head).collect_view();
    view! {
        <div class="table-scroll" role="region" aria-label=caption tabindex="0">
            <table class="table" data-cards="" role="table">
                <caption class="visually-hidden">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{heads}</tr>
                </thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
    .any()
}

fn head(column: Column) -> impl IntoView {
    let label = column.label;
    let Some(sort) = column.sort else {
        return view! {
            <th scope="col" role="columnheader">
                {label}
            </th>
        }
        .any();
    };
    let order = move || {
        if sort.ascending.get() {
            "ascending"
        } else {
            "descending"
        }
    };
    let icon = Signal::derive(move || if sort.ascending.get() { "up" } else { "down" });
    view! {
        <th scope="col" role="columnheader" aria-sort=order>
            <a class="sort" href=move || sort.href.get() data-noscroll="">
                {label}
                <Icon name=icon/>
            </a>
        </th>
    }
    .any()
}

/// A cell. On a phone its label stands above its value.
#[component]
pub fn Cell(
    /// The head of its column.
    label: &'static str,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
    /// Has no value: left out on a phone.
    #[prop(optional, into)]
    empty: Signal<bool>,
    /// The value.
    children: Children,
) -> impl IntoView {
    view! {
        <td role="cell" class=class class:cell-empty=move || empty.get() data-label=label>
            {children()}
        </td>
    }
    .any()
}

/// A dash where there is no value.
#[component]
pub fn NoValue() -> impl IntoView {
    view! {
        <span class="none">
            <span aria-hidden="true">"–"</span>
            <span class="visually-hidden">"none"</span>
        </span>
    }
    .any()
}
