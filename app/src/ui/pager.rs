//! The foot of a paged table: where one is, how many rows a page has, and the way to the others.

use super::Icon;
use crate::language::{later, t, tf};
use crate::ui::Any;
use leptos::prelude::*;
use std::sync::Arc;

/// The sizes a page may have.
pub const SIZES: [u32; 3] = [10, 20, 50];

/// Builds the address of a page from its number and its size.
pub type PageHref = Arc<dyn Fn(u32, u32) -> String + Send + Sync>;

/// A pager.
#[component]
pub fn Pager(
    /// The page that is shown, from 1.
    page: u32,
    /// Rows of a page.
    size: u32,
    /// Rows on all pages.
    total: u64,
    /// The most that are counted; when there are more rows, only so many can be turned to.
    #[prop(default = u64::MAX)]
    limit: u64,
    /// The address of a page.
    href: PageHref,
) -> impl IntoView {
    let more = total > limit;
    let total = total.min(limit);
    let pages = u32::try_from(total.div_ceil(u64::from(size.max(1)))).unwrap_or(u32::MAX);
    let first = u64::from(page.saturating_sub(1)) * u64::from(size) + 1;
    let last = (first + u64::from(size) - 1).min(total);
    let sizes = SIZES.map(|choice| {
        let current = (choice == size).then_some("true");
        view! {
            <a href=href(1, choice) data-noscroll="" aria-current=current>
                {choice}
            </a>
        }
        .any()
    });
    let step = |label: &'static str, icon: &'static str, to: Option<u32>| {
        let off = to.is_none().then_some("true");
        let href = to.map(|to| href(to, size));
        view! {
            <li>
                <a href=href data-noscroll="" aria-label=label aria-disabled=off>
                    <Icon name=icon size="xs"/>
                </a>
            </li>
        }
        .any()
    };
    let previous = (page > 1).then(|| page - 1);
    let next = (page < pages).then(|| page + 1);
    let numbers = shown(page, pages)
        .into_iter()
        .map(|number| match number {
            Some(number) => {
                let current = (number == page).then_some("page");
                view! {
                    <li>
                        <a href=href(number, size) data-noscroll="" aria-current=current>
                            {number}
                        </a>
                    </li>
                }
                .any()
            }
            None => view! { <li aria-hidden="true">"…"</li> }.any(),
        })
        .collect_view();
    view! {
        <nav class="pager" aria-label=t("Pages")>
            <span>{tf(
                match more {
                    true => later("{first}–{last} of more than {total}"),
                    false => later("{first}–{last} of {total}"),
                },
                &[("first", &first), ("last", &last), ("total", &total)],
            )}</span>
            <span class="pager-sizes">{t("Rows")}" "{sizes}</span>
            {(pages > 1)
                .then(|| {
                    view! {
                        <ol>
                            {step(t("Previous page"), "chevron-left", previous)} {numbers}
                            {step(t("Next page"), "chevron-right", next)}
                        </ol>
                    }.any()
                })}
        </nav>
    }
    .any()
}

/// The numbers to show: the first, the last, and those around the current one; `None` where some are left out.
fn shown(page: u32, pages: u32) -> Vec<Option<u32>> {
    let mut numbers: Vec<u32> = (1..=pages.min(1))
        .chain(page.saturating_sub(1).max(2)..=(page + 1).min(pages.saturating_sub(1)))
        .chain((pages > 1).then_some(pages))
        .collect();
    numbers.dedup();
    let mut shown = Vec::with_capacity(numbers.len() + 2);
    for number in numbers {
        if let Some(Some(last)) = shown.last().copied()
            && number > last + 1
        {
            shown.push(if number == last + 2 {
                Some(last + 1)
            } else {
                None
            });
        }
        shown.push(Some(number));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_last_and_neighbours_are_shown_and_single_gaps_are_filled() {
        let text = |page, pages| {
            let shown = shown(page, pages).into_iter();
            let words: Vec<String> = shown
                .map(|n| n.map_or("…".into(), |n| n.to_string()))
                .collect();
            words.join(" ")
        };
        assert_eq!(text(1, 1), "1");
        assert_eq!(text(1, 2), "1 2");
        assert_eq!(text(1, 14), "1 2 … 14");
        assert_eq!(text(4, 14), "1 2 3 4 5 … 14");
        assert_eq!(text(7, 14), "1 … 6 7 8 … 14");
        assert_eq!(text(14, 14), "1 … 13 14");
        assert_eq!(text(1, 0), "");
    }
}
