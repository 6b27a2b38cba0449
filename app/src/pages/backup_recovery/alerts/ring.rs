//! The ring: how many alerts match, split by level; each level is the way to its alerts. Drawn by the server, so
//! that it is there before any script.

use super::{look, query::AlertQuery};
use crate::language::{t, tf};
use crate::{
    pages::{backup_recovery::query::href, words::count},
    signal::Memo,
    ui::Any,
};
use domain::alert::{AlertCounts, Level};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Radius of the ring, in its own units.
const RADIUS: f64 = 50.0;
/// Space between two levels, in the same units.
const SPACE: f64 = 4.0;

/// The ring and its legend.
pub fn ring(counts: &AlertCounts, query: Memo<AlertQuery>) -> AnyView {
    let total = counts.total();
    let params = use_query_map();
    let told: Vec<String> = Level::ALL
        .into_iter()
        .filter(|level| counts.of(*level) > 0)
        .map(|level| format!("{} {}", counts.of(level), t(level.label())))
        .collect();
    let label = match total {
        0 => t("No alert in this time").to_owned(),
        _ => format!("{}: {}", count(total.into(), "alert"), told.join(", ")),
    };
    let arcs = arcs(counts)
        .into_iter()
        .map(|arc| {
            view! {
                <circle
                    class="level"
                    data-level=arc.level.number()
                    cx="58"
                    cy="58"
                    r="50"
                    stroke-dasharray=format!("{:.2} {:.2}", arc.length, around() - arc.length)
                    stroke-dashoffset=format!("{:.2}", -arc.from)
                    transform="rotate(-90 58 58)"
                />
            }
            .any()
        })
        .collect_view();
    let legend = Level::ALL.map(|level| {
        let to = move || {
            href(
                &params.read(),
                "alert",
                &[("level", query.read().with_level(level))],
            )
        };
        let chosen = move || query.read().levels.contains(&level).then_some("true");
        let (name, number) = (t(level.label()), counts.of(level));
        view! {
            <li>
                <a
                    href=to
                    data-noscroll=""
                    aria-current=chosen
                    aria-label=tf("{name}: {number}", &[("name", &name), ("number", &number)])
                >
                    {look::shape(level)} {name} <b>{number}</b>
                </a>
            </li>
        }
        .any()
    });
    view! {
        <div class="ring">
            <svg viewBox="0 0 116 116" role="img" aria-label=label>
                <circle class="ring-track" cx="58" cy="58" r="50"/>
                {arcs}
                <text class="ring-total" x="58" y="62">{total}</text>
                <text class="ring-caption" x="58" y="78">{if total == 1 { t("alert") } else { t("alerts") }}</text>
            </svg>
            <ul>{legend}</ul>
        </div>
    }
    .any()
}

struct Arc {
    level: Level,
    from: f64,
    length: f64,
}

fn around() -> f64 {
    2.0 * std::f64::consts::PI * RADIUS
}

/// One arc for each level that has alerts, in the order of the levels, with a space after each.
fn arcs(counts: &AlertCounts) -> Vec<Arc> {
    let there: Vec<Level> = Level::ALL
        .into_iter()
        .filter(|level| counts.of(*level) > 0)
        .collect();
    let space = if there.len() > 1 { SPACE } else { 0.0 };
    let free = around() - space * there.len() as f64;
    let total = f64::from(counts.total().max(1));
    let mut from = 0.0;
    there
        .into_iter()
        .map(|level| {
            let length = free * f64::from(counts.of(level)) / total;
            let arc = Arc {
                level,
                from,
                length,
            };
            from += length + space;
            arc
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_fill_the_ring_in_the_order_of_the_levels() {
        let arcs = arcs(&AlertCounts([1, 0, 3, 0, 0]));
        assert_eq!(
            arcs.iter().map(|arc| arc.level).collect::<Vec<_>>(),
            [Level::Stopped, Level::Warning]
        );
        let filled: f64 = arcs.iter().map(|arc| arc.length + SPACE).sum();
        assert!((filled - around()).abs() < 1e-6);
        assert!((arcs[1].length - 3.0 * arcs[0].length).abs() < 1e-6);
    }

    #[test]
    fn a_single_level_is_a_whole_ring() {
        let arcs = arcs(&AlertCounts([0, 2, 0, 0, 0]));
        assert!((arcs[0].length - around()).abs() < 1e-6);
        assert!(super::arcs(&AlertCounts::default()).is_empty());
    }
}
