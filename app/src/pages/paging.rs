//! What stands below a list or in its place: its pages, and the way out of filters that nothing matches. Both are
//! addresses whose keys begin with the list's prefix.

use crate::language::t;
use crate::{
    pages::backup_recovery::query::href,
    ui::{Any, Empty, Pager, pager},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::sync::Arc;

/// Rows of a page when nothing is chosen.
const SIZE: u32 = pager::SIZES[0];

/// The pages of a list of which page `number` with `size` rows is shown; nothing where one page holds all. No more than
/// `limit` rows can be turned to.
pub fn pager_of(
    prefix: &'static str,
    (number, size): (u32, u32),
    total: u64,
    limit: u64,
) -> Option<AnyView> {
    let params = use_query_map();
    let pages = Arc::new(move |number: u32, size: u32| {
        let changes = [
            ("page", (number > 1).then(|| number.to_string())),
            ("size", (size != SIZE).then(|| size.to_string())),
        ];
        href(&params.read_untracked(), prefix, &changes)
    });
    (total > u64::from(SIZE))
        .then(|| view! { <Pager page=number size total limit href=pages/> }.any())
}

/// Stands in place of rows that the filters leave out. `all` is the address without filters.
pub fn no_match(title: impl Into<String>, text: String, all: String) -> AnyView {
    view! {
        <Empty title=title.into() text>
            <a class="button" data-size="sm" data-noscroll="" href=all>
                {t("Clear filters")}
            </a>
        </Empty>
    }
    .any()
}
