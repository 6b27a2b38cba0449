//! What the task tables have in common: reading a page of rows, what stands in place of rows, the pager.

use super::{
    calendar::view::find,
    query::{TaskQuery, unfiltered},
};
use crate::language::tf;
use crate::{
    api::{ApiError, asked},
    feed::{Feed, LiveItem, Rows},
    pages::{
        paging::{no_match, pager_of},
        words::count,
    },
    signal::{Memo, RwSignal},
    ui::{
        Any, Button, Column, Empty, Entry, ErrorNotice, Skeleton, Table, follow, follow_list,
        waiting,
    },
};
use domain::page::{Page, TOTAL_MAX, TaskFilter};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin, sync::Arc};

/// Reads one page of a table.
pub type Fetch<T> =
    fn(String, TaskFilter) -> Pin<Box<dyn Future<Output = Result<Page<T>, ApiError>> + Send>>;

/// What one task table is.
pub struct TaskTable<T: 'static> {
    /// Its keys in the address begin with it.
    pub prefix: &'static str,
    /// Its caption.
    pub caption: &'static str,
    /// What it lists, in the singular.
    pub noun: &'static str,
    /// What is said while there is nothing at all: title and text.
    pub nothing: (&'static str, &'static str),
    /// Its live rows.
    pub rows: Rows<T>,
    /// Reads a page.
    pub fetch: Fetch<T>,
    /// Its columns.
    pub columns: fn(Memo<TaskQuery>) -> Vec<Column>,
    /// One row.
    pub row: fn(RwSignal<T>) -> AnyView,
}

impl<T> Clone for TaskTable<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TaskTable<T> {}

/// The address of a table's file with everything that is chosen.
pub fn file(query: Memo<TaskQuery>, table: &'static str) -> Signal<String> {
    let feed = Feed::current();
    Signal::derive(move || {
        let now = feed.read_at_untracked();
        resolved(feed, query.get()).file(&feed.cluster(), table, now)
    })
}

/// What is chosen, with the number of a tenant that is named.
pub fn resolved(feed: Feed, query: TaskQuery) -> TaskQuery {
    let period = feed.period();
    query.of_tenant(|name| period.with_untracked(|period| find(period, name).map(|one| one.tenant)))
}

/// The rows of a table, or what stands in their place.
#[component]
pub fn TaskList<T>(
    /// The table.
    table: TaskTable<T>,
    /// What is chosen.
    query: Memo<TaskQuery>,
    /// How many rows match, for the filter bar.
    total: RwSignal<Option<u64>>,
) -> impl IntoView
where
    T: LiveItem + Serialize + DeserializeOwned,
{
    let feed = Feed::current();
    let resource = asked(
        move || query.get(),
        move |query| {
            let filter = resolved(feed, query).filter(feed.read_at_untracked());
            (table.fetch)(feed.cluster(), filter)
        },
    );
    let retry = Callback::new(move |()| resource.refetch());
    let unseen = Signal::derive(move || table.rows.unseen());
    // Of one type for every table: see `follow`.
    let frame = Frame {
        prefix: table.prefix,
        caption: table.caption,
        noun: table.noun,
        nothing: table.nothing,
        columns: table.columns,
        entries: Arc::new(move || {
            let rows = table.rows.list().into_iter();
            rows.map(|row| Entry::new(row.key, move || (table.row)(RwSignal::from(row.value))))
                .collect()
        }),
        is_empty: Memo::new(move |_| table.rows.list().is_empty()),
    };
    let answer = move || {
        let frame = frame.clone();
        async move {
            match resource.await {
                Ok(page) => {
                    total.set(Some(page.total));
                    let query = query.get_untracked();
                    let size = Size::of(&page);
                    table.rows.load(page.rows, query.takes_new());
                    loaded(frame, query, size)
                }
                Err(error) => not_loaded(table.caption, &error, retry),
            }
        }
    };
    let fallback = || view! { <Skeleton rows=5/> }.any();
    view! {
        {unseen_rows(unseen, table.noun, retry)}
        {waiting(fallback, answer)}
    }
}

fn not_loaded(caption: &str, error: &ApiError, on_retry: Callback<()>) -> AnyView {
    let title = tf("{caption} could not be loaded", &[("caption", &caption)]);
    view! { <ErrorNotice title text=error.to_string() on_retry/> }.any()
}

/// What is drawn of a table, whatever its rows are.
#[derive(Clone)]
struct Frame {
    prefix: &'static str,
    caption: &'static str,
    noun: &'static str,
    nothing: (&'static str, &'static str),
    columns: fn(Memo<TaskQuery>) -> Vec<Column>,
    entries: Arc<dyn Fn() -> Vec<Entry> + Send + Sync>,
    is_empty: Memo<bool>,
}

/// How much there is, and which part of it is shown.
#[derive(Clone, Copy)]
struct Size {
    total: u64,
    total_unfiltered: u64,
    page: u32,
    size: u32,
}

impl Size {
    fn of<T>(page: &Page<T>) -> Size {
        Size {
            total: page.total,
            total_unfiltered: page.total_unfiltered,
            page: page.page,
            size: page.size,
        }
    }
}

fn loaded(frame: Frame, query: TaskQuery, shown: Size) -> AnyView {
    let params = use_query_map();
    let columns = Memo::new(move |_| TaskQuery::read(&params.read(), frame.prefix));
    let place = (shown.page, shown.size);
    let pager = pager_of(frame.prefix, place, shown.total, TOTAL_MAX);
    let filtered = query.is_filtered() && shown.total_unfiltered > 0;
    let rows = move || {
        if frame.is_empty.get() {
            return nothing(&frame, filtered, shown.total_unfiltered);
        }
        let entries = Arc::clone(&frame.entries);
        view! {
            <Table caption=frame.caption columns=(frame.columns)(columns)>
                {follow_list(move || entries())}
            </Table>
        }
        .any()
    };
    view! {
        {follow(rows)}
        {pager}
    }
    .any()
}

/// What stands in place of rows, where there is none.
fn nothing(frame: &Frame, filtered: bool, unfiltered_total: u64) -> AnyView {
    if !filtered {
        let (title, text) = frame.nothing;
        return view! { <Empty title text/> }.any();
    }
    let params = use_query_map();
    let title = tf("No {noun} matches these filters", &[("noun", &frame.noun)]);
    let text = tf(
        "{noun} without filters.",
        &[("noun", &count(unfiltered_total, frame.noun))],
    );
    let all = unfiltered(&params.read_untracked(), frame.prefix);
    no_match(title, text, all)
}

/// Says that there are new rows, instead of moving those that are shown.
fn unseen_rows(unseen: Signal<usize>, noun: &'static str, on_show: Callback<()>) -> AnyView {
    follow(move || {
        let unseen = unseen.get();
        (unseen > 0).then(|| {
            view! {
                <div class="unseen">
                    <Button size="sm" icon="up" on_press=on_show>
                        {tf("{noun} new", &[("noun", &count(unseen as u64, noun))])}
                    </Button>
                </div>
            }
            .any()
        })
    })
}
