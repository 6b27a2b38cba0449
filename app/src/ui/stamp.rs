//! Time stamps: UTC until the page answers to presses, then the viewer's zone.

use crate::language::tf;
use crate::live::time::Clock;
use crate::signal::Memo;
use crate::ui::Any;
use domain::Scn;
use leptos::prelude::*;

/// How fine a time stamp is. It is always cut, never rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// To the second.
    #[default]
    Seconds,
    /// To the microsecond: where a recovery depends on it.
    Micros,
}

/// A moment as date and time.
#[component]
pub fn Stamp(
    /// The moment.
    #[prop(into)]
    at: Signal<Scn>,
    /// How fine.
    #[prop(optional)]
    precision: Precision,
) -> impl IntoView {
    let clock = Clock::current();
    let civil = Memo::new(move |_| clock.civil(at.get()));
    view! {
        <time
            class="stamp"
            datetime=move || at.get().to_rfc3339()
            title=move || tf("{time} UTC, SCN {at}", &[("time", &at.get().display_micros()), ("at", &at.get().0)])
        >
            <span class="stamp-date">{move || civil.read().date()}</span>
            " "
            {move || civil.read().clock()}
            {(precision == Precision::Micros)
                .then(|| {
                    view! {
                        <span class="stamp-fraction">
                            {move || format!(".{}", civil.read().micros())}
                        </span>
                    }.any()
                })}
        </time>
    }
    .any()
}
