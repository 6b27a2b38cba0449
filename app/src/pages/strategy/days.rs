//! The day picker: which days, and what is made on each.

use super::fields::State;
use crate::language::{t, tf, told};
use crate::signal::Memo;
use crate::ui::{Any, Button, Icon, Segmented, follow};
use domain::backup::BackupKind;
use domain::strategy::{Cycle, MONTH_DAYS_MAX, difference::day_name, label};
use leptos::prelude::*;

/// Cycle, days and the kind of each.
#[component]
pub fn Days(
    /// The form.
    state: State,
) -> impl IntoView {
    let cycle = Memo::new(move |_| state.draft.read().cycle);
    let now = state.draft.get_untracked().cycle;
    let chosen = Cycle::ALL.iter().position(|each| *each == now).unwrap_or(0);
    let choose = Callback::new(move |number: usize| {
        state.edit(|draft| draft.cycle = Cycle::ALL[number.min(1)]);
    });
    let choices = Cycle::ALL.map(Cycle::label).to_vec();
    let error = state.error(label::DAYS.to_owned());
    view! {
        <div class="row">
            <Segmented name="cycle" label=label::CYCLE choices chosen on_choose=choose/>
            {follow(move || match cycle.get() {
                Cycle::Week => view! { <AllDays state/> }.any(),
                Cycle::Month => {
                    let text = tf("At most {days} days. The 29th to 31st are left out in short months.", &[("days", &MONTH_DAYS_MAX)]);
                    view! { <p class="field-hint">{text}</p> }.any()
                }
            })}
        </div>
        {follow(move || {
            let cycle = cycle.get();
            let class = match cycle {
                Cycle::Week => "day-picker",
                Cycle::Month => "day-picker day-picker-month",
            };
            let days = (1..=cycle.last_day()).map(|day| view! { <Day state cycle day/> }.any());
            view! { <div class=class role="group" aria-label=t(label::DAYS)>{days.collect_view()}</div> }.any()
        })}
        <div aria-live="polite">
            {follow(move || {
                error.get().map(|text| {
                    view! { <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p> }.any()
                })
            })}
            {follow(move || {
                let draft = state.draft.read();
                let mut kinds = draft.days().values();
                let no_full = kinds.len() > 0 && !kinds.any(|kind| *kind == BackupKind::Full);
                let text = t("No day makes a full backup: nothing could ever expire, and recoveries become slower.");
                no_full.then(|| view! { <p class="field-hint">{text}</p> }.any())
            })}
        </div>
    }
    .any()
}

/// The kind that a day gets when it is chosen.
const fn first_kind(state: &State) -> BackupKind {
    match state.incremental {
        true => BackupKind::Incremental,
        false => BackupKind::Full,
    }
}

#[component]
fn AllDays(state: State) -> impl IntoView {
    let all = move |kind: BackupKind| {
        Callback::new(move |()| {
            state.edit(|draft| {
                let last = draft.cycle.last_day();
                let days = draft.days_mut();
                *days = (1..=last).map(|day| (day, kind)).collect();
                days.insert(last, BackupKind::Full);
            });
        })
    };
    view! {
        <Button variant="quiet" size="sm" on_press=all(BackupKind::Full)>{t("All days Full")}</Button>
        {state.incremental.then(|| {
            view! {
                <Button variant="quiet" size="sm" on_press=all(BackupKind::Incremental)>
                    {t("Sunday Full, other days Incremental")}
                </Button>
            }.any()
        })}
    }
    .any()
}

#[component]
fn Day(state: State, cycle: Cycle, day: u8) -> impl IntoView {
    let kind = Memo::new(move |_| state.draft.read().days().get(&day).copied());
    let blocked = Memo::new(move |_| kind.get().is_none() && !state.draft.read().takes_more_days());
    let name = told(&day_name(cycle, day));
    let toggle = move |event| {
        let is_on = event_target_checked(&event);
        state.edit(|draft| {
            if !is_on {
                draft.days_mut().remove(&day);
            } else if draft.takes_more_days() {
                draft.days_mut().insert(day, first_kind(&state));
            }
        });
    };
    let one = move |each: BackupKind| {
        view! {
            <label>
                <input
                    type="radio"
                    name=format!("kind-{day}")
                    checked=kind.get_untracked() == Some(each)
                    prop:checked=move || kind.get() == Some(each)
                    on:change=move |_| {
                        state.edit(|draft| {
                            draft.days_mut().insert(day, each);
                        });
                    }
                />
                {t(each.label())}
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="day" data-off=move || kind.get().is_none().then_some("")>
            <legend class="visually-hidden">{name.clone()}</legend>
            <label class="check">
                <input
                    type="checkbox"
                    checked=kind.get_untracked().is_some()
                    prop:checked=move || kind.get().is_some()
                    disabled=move || blocked.get()
                    on:change=toggle
                />
                <span>{name}</span>
            </label>
            {state.incremental.then(|| {
                view! {
                    <div class="day-kind">{one(BackupKind::Full)}{one(BackupKind::Incremental)}</div>
                }.any()
            })}
        </fieldset>
    }
    .any()
}
