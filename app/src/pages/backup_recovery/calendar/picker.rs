//! "Chosen moment": the typed moment, what can be recovered to it, and the way on.

use super::loupe::Loupe;
use super::moment::{self, Standing};
use super::time::Zone;
use super::view;
use super::{Calendar, ordered};
use crate::language::{t, tf};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Entry, Icon, follow, follow_list};
use domain::page::Period;
use domain::recoverable::{Verdict, verdict};
use domain::tenant::TenantState;
use domain::{Scn, TenantId};
use leptos::ev;
use leptos::prelude::*;

/// What is said about the chosen moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Tone and icon of the sentence.
    pub tone: &'static str,
    /// The sentence.
    pub text: String,
    /// The nearest moments that can be recovered to, before and after.
    pub nearest: (Option<Scn>, Option<Scn>),
}

/// The answer for `at` over the tenants shown.
pub fn answer(period: &Period, chosen: Option<&str>, at: Scn, now: Scn, zone: Zone) -> Answer {
    let tenants = view::shown(period, chosen);
    let able = |tenant: &&domain::page::TenantPeriod| {
        matches!(verdict(&tenant.ranges, at), Verdict::Recoverable(_))
    };
    let (able, all) = (tenants.iter().filter(|t| able(t)).count(), tenants.len());
    if able > 0 {
        let (tone, text) = match (able, all) {
            (1, 1) => ("ok", t("Recoverable").to_owned()),
            (some, all) if some == all => {
                ("ok", tf("All {all} tenants recoverable", &[("all", &all)]))
            }
            (some, all) => (
                "warn",
                tf(
                    "{some} of {all} tenants recoverable",
                    &[("some", &some), ("all", &all)],
                ),
            ),
        };
        return Answer {
            tone,
            text,
            nearest: (None, None),
        };
    }
    let text = match tenants.as_slice() {
        [only] => match moment::standing(only, at, now, zone) {
            Standing::Recoverable(_) => t("Recoverable").to_owned(),
            Standing::Impossible(why) => tf("Not recoverable. {why}", &[("why", &why)]),
        },
        _ if at > now => t("Not recoverable. It lies in the future.").to_owned(),
        _ => t("Not recoverable for any tenant.").to_owned(),
    };
    Answer {
        tone: "bad",
        text,
        nearest: moment::nearest(&moment::any_of(&tenants), at),
    }
}

/// Most tenants in the list; of more, one is chosen in the calendar first.
const SHOWN_MAX: usize = 12;

/// A tenant in the list.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    id: TenantId,
    name: String,
    offline: bool,
    /// Whether the moment can be recovered to.
    able: bool,
    /// What a recovery begins with, or why it cannot be.
    text: String,
}

fn candidates(
    period: &Period,
    chosen: Option<&str>,
    at: Scn,
    now: Scn,
    zone: Zone,
) -> Vec<Candidate> {
    let one = chosen.and_then(|name| view::find(period, name));
    let list: Vec<Candidate> = period
        .tenants
        .iter()
        .filter(|tenant| one.is_none_or(|one| one.tenant == tenant.tenant))
        .map(|tenant| {
            let (able, text) = match moment::standing(tenant, at, now, zone) {
                Standing::Recoverable(range) => (
                    true,
                    moment::begins_with(period, tenant, range, at).unwrap_or_default(),
                ),
                Standing::Impossible(why) => (false, why),
            };
            Candidate {
                id: tenant.tenant,
                name: tenant.name.clone(),
                offline: tenant.state == TenantState::Offline,
                able,
                text,
            }
        })
        .collect();
    ordered(list, |a, b| !a.offline && b.offline)
}

/// The side panel. `way_on` builds the address that recovers a tenant to a moment.
#[component]
pub fn MomentPicker(
    /// The calendar it belongs to.
    calendar: Calendar,
    /// The tenant chosen by a person; the first that can be recovered where there is none.
    picked: RwSignal<Option<TenantId>>,
    /// Where the chosen tenant and moment lead; absent while no tenant can be recovered to it.
    #[prop(into)]
    way_on: Signal<Option<String>>,
) -> impl IntoView {
    let way = move || way_on.get();
    let zone = move || {
        let at = calendar.moment.get().unwrap_or_else(|| calendar.now.get());
        calendar.zone.get().name(at)
    };
    view! {
        <form class="moment" aria-label=t("Moment to recover to") on:submit=move |event: ev::SubmitEvent| event.prevent_default()>
            <div class="moment-head">
                <h3>{t("Chosen moment")}<small>{move || zone()}</small></h3>
                <Latest calendar/>
            </div>
            <div class="moment-input">
                <MomentInput calendar id="moment"/>
                <Verdict calendar id="moment-state"/>
            </div>
            <Loupe calendar/>
            <TenantList calendar picked/>
            <a
                class="button moment-go"
                data-variant="primary"
                href=way
                aria-disabled=move || way().is_none().then_some("true")
                role=move || way().is_none().then_some("link")
                tabindex=move || way().is_none().then_some("0")
                aria-describedby="moment-state"
            >
                {t("Recover to this moment")}
            </a>
        </form>
    }.any()
}

/// Goes back to the newest recoverable moment and follows it.
#[component]
fn Latest(calendar: Calendar) -> impl IntoView {
    let follows = move || calendar.chosen.get().is_none();
    view! {
        <button
            class="link-button"
            type="button"
            data-key="t"
            aria-pressed=move || follows().to_string()
            title=t("The newest recoverable moment. It moves on with the log.")
            on:click=move |_| {
                calendar.chosen.set(None);
                if let Some(at) = calendar.moment.get_untracked()
                    && calendar.week.get_untracked().lane_of(at).is_none()
                {
                    calendar.show.run((calendar.today.get_untracked(),));
                }
            }
        >
            {t("Latest")}
        </button>
    }
    .any()
}

/// The input: shows the chosen moment, and takes a typed one in the viewer's zone.
#[component]
pub fn MomentInput(
    /// The calendar it belongs to.
    calendar: Calendar,
    /// The input's id; its verdict is `{id}-state`.
    id: &'static str,
    /// Whether its label stands elsewhere.
    #[prop(optional)]
    labelled: bool,
) -> impl IntoView {
    let draft = RwSignal::new(None::<String>);
    // It is called wrong when it is left, and from then on at every key until it is right.
    let called_wrong = calendar.called_wrong;
    let shown = move || {
        draft.get().unwrap_or_else(|| {
            let at = calendar.moment.get();
            at.map_or(String::new(), |at| calendar.zone.get().exact(at))
        })
    };
    let label = move || {
        let at = calendar.moment.get().unwrap_or_else(|| calendar.now.get());
        tf(
            "Moment, to the microsecond, {at}",
            &[("at", &calendar.zone.get().name(at))],
        )
    };
    let settle = move || {
        let wrong = calendar.unreadable.read_untracked().is_some();
        called_wrong.set(wrong);
        if !wrong {
            draft.set(None);
        }
    };
    let type_in = move |text: String| {
        match calendar.zone.get_untracked().read(&text) {
            Ok(at) => calendar.choose(at),
            Err(why) => calendar.unreadable.set(Some(why)),
        }
        draft.set(Some(text));
    };
    let forget = move || {
        draft.set(None);
        calendar.unreadable.set(None);
        called_wrong.set(false);
    };
    // A moment chosen elsewhere takes the place of what was being typed.
    Effect::new(move |before: Option<Option<Scn>>| {
        let chosen = calendar.chosen.get();
        let typed = draft.with_untracked(|text| {
            text.as_ref()
                .and_then(|text| calendar.zone.get_untracked().read(text).ok())
        });
        if before.is_some_and(|before| before != chosen) && typed != chosen {
            forget();
        }
        chosen
    });
    view! {
        {(!labelled).then(|| view! { <label class="visually-hidden" for=id>{move || label()}</label> }.any())}
        <input
            class="input"
            id=id
            name="at"
            value=untrack(shown)
            prop:value=shown
            spellcheck="false"
            autocomplete="off"
            autocapitalize="off"
            aria-invalid=move || called_wrong.get().to_string()
            aria-describedby=format!("{id}-state")
            // What is being edited must not move on by itself.
            on:focus=move |_| calendar.chosen.set(calendar.moment.get_untracked())
            on:input=move |event| type_in(event_target_value(&event))
            on:blur=move |_| settle()
            on:keydown=move |event: ev::KeyboardEvent| match event.key().as_str() {
                "Enter" => { event.prevent_default(); settle(); }
                "Escape" => forget(),
                _ => {}
            }
        />
    }.any()
}

/// Whether the chosen moment can be recovered to, and the nearest ones where it cannot.
#[component]
pub fn Verdict(
    /// The calendar it belongs to.
    calendar: Calendar,
    /// Its id, for the description of other parts.
    id: &'static str,
) -> impl IntoView {
    let told = Memo::new(move |_| told(calendar));
    let tone = move || told.with(|told| told.as_ref().map_or("mute", |told| told.tone));
    let text = move || {
        told.with(|told| {
            told.as_ref()
                .map_or(t("No moment is recoverable yet").to_owned(), |told| {
                    told.text.clone()
                })
        })
    };
    let icon = move || match tone() {
        "ok" => "s-ok",
        "warn" => "s-warn",
        "bad" => "s-bad",
        _ => "s-none",
    };
    let utc = move || {
        let at = calendar.moment.get()?;
        let away = calendar.zone.get().name(at) != "UTC";
        away.then(|| tf("{at} UTC", &[("at", &Zone::UTC.time(at))]))
    };
    view! {
        <span class="moment-zone">
            <span class="badge" data-tone=tone id=id role="status">
                <Icon name=Signal::derive(icon)/>
                {move || text()}
            </span>
            <span>{move || utc().unwrap_or_default()}</span>
        </span>
        <Nearest calendar/>
    }
    .any()
}

/// The nearest recoverable moments around one that is not, as buttons.
#[component]
pub fn Nearest(
    /// The calendar it belongs to.
    calendar: Calendar,
) -> impl IntoView {
    let nearest = Memo::new(move |_| told(calendar).map_or((None, None), |told| told.nearest));
    follow(move || {
        let (before, after) = nearest.get();
        (before.is_some() || after.is_some()).then(|| {
            view! {
                <div class="nearest" role="group" aria-label=t("Nearest recoverable moments")>
                    {before.map(|at| view! { <Near calendar at word=t("Before it")/> }.any())}
                    {after.map(|at| view! { <Near calendar at word=t("After it")/> }.any())}
                </div>
            }
            .any()
        })
    })
}

/// The answer for the moment of a calendar. Tracked.
fn told(calendar: Calendar) -> Option<Answer> {
    if let Some(why) = calendar.unreadable.get() {
        let tone = if calendar.called_wrong.get() {
            "bad"
        } else {
            "mute"
        };
        let text = why.to_string();
        return Some(Answer {
            tone,
            text,
            nearest: (None, None),
        });
    }
    let at = calendar.moment.get()?;
    let (zone, now) = (calendar.zone.get(), calendar.now.get());
    calendar.tenant.with(|name| {
        calendar
            .period
            .with(|period| Some(answer(period, name.as_deref(), at, now, zone)))
    })
}

/// A button that chooses a recoverable moment next to an impossible one.
#[component]
fn Near(calendar: Calendar, at: Scn, word: &'static str) -> impl IntoView {
    view! {
        <button class="button" data-size="sm" type="button" on:click=move |_| calendar.choose(at)>
            <small>{word}</small>
            <span class="num">{move || calendar.zone.get().exact(at)}</span>
        </button>
    }
    .any()
}

/// The tenants, each with what a recovery begins with or why it cannot be.
#[component]
fn TenantList(calendar: Calendar, picked: RwSignal<Option<TenantId>>) -> impl IntoView {
    let list = Memo::new(move |_| {
        let Some(at) = calendar.moment.get() else {
            return Vec::new();
        };
        let (zone, now) = (calendar.zone.get(), calendar.now.get());
        calendar.tenant.with(|name| {
            calendar
                .period
                .with(|period| candidates(period, name.as_deref(), at, now, zone))
        })
    });
    let ids = Memo::new(move |_| list.with(|list| list.iter().map(|c| c.id).collect::<Vec<_>>()));
    let selected = Memo::new(move |_| list.with(|list| selected(list, picked.get())));
    view! {
        <fieldset class="tenant-pick">
            <legend class="visually-hidden">{t("Tenant to recover")}</legend>
            {follow_list(move || {
                let ids = ids.get().into_iter().take(SHOWN_MAX);
                ids.map(|id| Entry::new(id, move || tenant_choice(list, id, selected, picked))).collect()
            })}
            {follow(move || {
                let more = ids.read().len().saturating_sub(SHOWN_MAX);
                (more > 0).then(|| {
                    let text = tf("{more} more tenants: choose one above the calendar.", &[("more", &more)]);
                    view! { <p class="field-hint">{text}</p> }.any()
                })
            })}
        </fieldset>
    }.any()
}

fn tenant_choice(
    list: Memo<Vec<Candidate>>,
    id: TenantId,
    selected: Memo<Option<TenantId>>,
    picked: RwSignal<Option<TenantId>>,
) -> impl IntoView {
    let one = Memo::new(move |_| list.with(|list| list.iter().find(|c| c.id == id).cloned()));
    let off = move || one.with(|one| one.as_ref().is_none_or(|one| !one.able));
    let offline = move || one.with(|one| one.as_ref().is_some_and(|one| one.offline));
    view! {
        <label aria-disabled=move || off().then_some("true")>
            <input
                class="check-dot"
                type="radio"
                name="tenant"
                disabled=off
                prop:checked=move || selected.get() == Some(id)
                checked=selected.get_untracked() == Some(id)
                on:change=move |_| picked.set(Some(id))
            />
            <b>
                {move || one.with(|one| one.as_ref().map(|one| one.name.clone()).unwrap_or_default())}
                {follow(move || {
                    offline().then(|| view! { <span class="tag">{t("offline")}</span> }.any())
                })}
            </b>
            <small>{move || one.with(|one| one.as_ref().map(|one| one.text.clone()).unwrap_or_default())}</small>
        </label>
    }.any()
}

fn selected(list: &[Candidate], picked: Option<TenantId>) -> Option<TenantId> {
    let able = || list.iter().filter(|candidate| candidate.able);
    able()
        .find(|candidate| Some(candidate.id) == picked)
        .or_else(|| able().min_by_key(|candidate| candidate.offline))
        .map(|candidate| candidate.id)
}

/// The tenant that would be recovered, with its key: the picked one, else the first that can be.
pub fn to_recover(
    period: &Period,
    chosen: Option<&str>,
    picked: Option<TenantId>,
    at: Scn,
) -> Option<(TenantId, String)> {
    let list = candidates(period, chosen, at, at, Zone::UTC);
    let id = selected(&list, picked)?;
    let tenant = period.tenants.iter().find(|tenant| tenant.tenant == id)?;
    Some((id, view::key_of(period, tenant)))
}
