//! The form: its state, its foot, and sending it.

use super::Head;
use super::destination::Destination;
use super::model::{self, Refusal};
use super::placing::{Placing, section::Zones};
use super::plan::{self, Plan};
use super::rail::{self, Rail, State};
use super::source::{self, Source};
use crate::api;
use crate::feed::Feed;
use crate::language::{t, tf};
use crate::pages::backup_recovery::calendar::{Calendar, moment, time::Day, view};
use crate::routes::paths;
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Button, Empty, Icon, Notice, Toasts, Tone, follow};
use domain::page::Overview;
use domain::recoverable::{Verdict, verdict};
use domain::recovery::RecoveryRequest;
use domain::{Scn, TenantId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// What a person fills in, and what follows from it.
#[derive(Clone, Copy)]
struct Draft {
    cluster: StoredValue<String>,
    calendar: Calendar,
    tenant: RwSignal<Option<TenantId>>,
    typed: RwSignal<Option<String>>,
    name: Memo<String>,
    wanted: Memo<Option<(TenantId, Scn)>>,
    plan: RwSignal<Plan>,
    refusal: RwSignal<Refusal>,
    sending: RwSignal<bool>,
    again: RwSignal<u32>,
    placing: Placing,
}

impl Draft {
    fn start(cluster: String, feed: Feed, asked: (Option<String>, Option<String>)) -> Draft {
        let (period, now) = (feed.period(), feed.now());
        let first = period.with_untracked(|period| model::asked_tenant(period, asked.0.as_deref()));
        let tenant = RwSignal::new(first);
        let key = Signal::derive(move || {
            let id = tenant.get()?;
            period.with(|period| {
                let found = period.tenants.iter().find(|one| one.tenant == id)?;
                Some(view::key_of(period, found))
            })
        });
        let last = RwSignal::new(None::<String>);
        let show = Callback::new(move |(day,): (Day,)| last.set(Some(day.to_string())));
        let proceed = Callback::new(|(): ()| source::leave_for_name());
        let calendar = Calendar::new(period, now, key, last.into(), show, proceed);
        // The form rests on one moment: it does not follow the newest one.
        let at = asked.1.and_then(|text| Scn::parse_rfc3339(&text).ok());
        let at = at.or_else(|| calendar.moment.get_untracked());
        if let Some(at) = at {
            calendar.choose(at);
        }
        let typed = RwSignal::new(None::<String>);
        let suggested = Memo::new(move |_| {
            let (key, at) = (
                key.get().unwrap_or_default(),
                calendar.moment.get().unwrap_or_default(),
            );
            period.with(|period| {
                let name = view::find(period, &key).map_or("", |tenant| tenant.name.as_str());
                model::suggestion(period, name, at, calendar.zone.get())
            })
        });
        let name = Memo::new(move |_| typed.get().unwrap_or_else(|| suggested.get()));
        let wanted = Memo::new(move |_| {
            let (id, at) = (tenant.get()?, calendar.meant()?);
            period.with(|period| {
                let source = period.tenants.iter().find(|one| one.tenant == id)?;
                matches!(verdict(&source.ranges, at), Verdict::Recoverable(_)).then_some((id, at))
            })
        });
        let again = RwSignal::new(0);
        let able = feed
            .summary()
            .with_untracked(|summary| summary.cluster.capabilities.placement);
        let placing = Placing::start(cluster.clone(), able, tenant, again);
        // Where the plan shows statements, they name the tenant as it is typed.
        let planned = Memo::new(move |_| {
            let typed = name.get();
            let is_good = able && period.with(|it| model::name_problem(it, &typed)).is_none();
            if is_good { typed } else { suggested.get() }
        });
        let placement = Memo::new(move |_| placing.placement());
        let plan = plan::keep(cluster.clone(), wanted, (planned, placement), again);
        let refusal = RwSignal::new(Refusal::default());
        Draft {
            cluster: StoredValue::new(cluster),
            calendar,
            tenant,
            typed,
            name,
            wanted,
            plan,
            refusal,
            sending: RwSignal::new(false),
            again,
            placing,
        }
    }

    /// What is wrong with the name: by the rules, or by the server's answer to this very name.
    fn name_problem(&self) -> Option<String> {
        let told = self.refusal.with(|refusal| refusal.name.clone());
        self.calendar
            .period
            .with(|period| self.name.with(|name| model::name_problem(period, name)))
            .or(told)
    }

    /// Why the recovery cannot be started now.
    fn off(&self) -> Option<String> {
        let placed = self.placing.violations();
        let problem = self.name_problem().or_else(|| model::first(&placed));
        match (self.wanted.get(), self.plan.get()) {
            (None, _) => Some(t("Choose a moment inside the recovery period first.").to_owned()),
            _ if problem.is_some() => problem,
            _ if self.placing.is_waiting() => {
                Some(t("The zones of the cluster are being read.").to_owned())
            }
            (_, Plan::Refused(error)) => Some(error.to_string()),
            (_, Plan::Asked | Plan::Nothing) => Some(t("The plan is being made.").to_owned()),
            (_, Plan::Made(_)) => None,
        }
    }

    fn note(&self) -> String {
        let at = self.calendar.moment.get();
        let zone = self.calendar.zone.get();
        let tenant = self.tenant.get();
        let name = self.calendar.period.with(|period| {
            let found = period
                .tenants
                .iter()
                .find(|one| Some(one.tenant) == tenant)?;
            Some(found.name.clone())
        });
        match (name, at) {
            (Some(name), Some(at)) => tf(
                "{name} at {at}",
                &[("name", &name), ("at", &zone.exact(at))],
            ),
            _ => String::new(),
        }
    }

    fn moment_state(&self) -> State {
        if self.wanted.get().is_some() {
            State::Passed
        } else {
            State::Failed
        }
    }
}

/// The form.
#[component]
pub fn RecoveryForm(
    /// Name of the cluster.
    cluster: String,
    /// What was read of it.
    overview: Overview,
    /// The tenant and the moment that the address asks for.
    asked: (Option<String>, Option<String>),
) -> impl IntoView {
    let feed = Feed::start(cluster.clone(), overview);
    let (toasts, navigate) = (Toasts::current(), use_navigate());
    let draft = Draft::start(cluster.clone(), feed, asked);
    let calendar = draft.calendar;
    let empty = feed.period().with_untracked(|period| {
        moment::any_of(&period.tenants.iter().collect::<Vec<_>>()).is_empty()
    });
    // What the server said holds only for what was sent.
    Effect::new(move |before: Option<()>| {
        draft.name.track();
        draft.wanted.track();
        if before.is_some() {
            draft.refusal.set(Refusal::default());
            draft.placing.refuse(Vec::new());
        }
    });
    let problem = Signal::derive(move || draft.name_problem());
    let checks = Memo::new(move |_| {
        rail::checks(
            draft.moment_state(),
            &draft.plan.get(),
            problem.get().as_deref(),
        )
    });
    if empty {
        return view! { <NothingYet cluster/> }.any();
    }
    view! {
        <Head cluster=cluster.clone()><Steps draft/></Head>
        <form
            class="form-layout"
            on:submit=move |event| {
                event.prevent_default();
                send(draft, toasts, navigate.clone());
            }
        >
            <div class="panel">
                <Source
                    calendar
                    cluster=cluster.clone()
                    tenant=draft.tenant
                    refused=Signal::derive(move || draft.refusal.with(|refusal| refusal.moment.clone()))
                />
                <Destination cluster=cluster.clone() typed=draft.typed name=draft.name problem/>
                {draft.placing.is_able().then(|| view! { <Zones placing=draft.placing name=draft.name again=draft.again/> }.any())}
            </div>
            <Rail plan=draft.plan note=Signal::derive(move || draft.note()) checks zone=calendar.zone again=draft.again/>
            <Foot draft cluster/>
        </form>
    }.any()
}

/// Sends the form. What was typed stays whatever the answer is.
fn send(draft: Draft, toasts: Toasts, navigate: impl Fn(&str, NavigateOptions) + 'static) {
    if untrack(|| draft.off()).is_some() || draft.sending.get_untracked() {
        return;
    }
    let Some((tenant, until)) = draft.wanted.get_untracked() else {
        return;
    };
    let request = RecoveryRequest {
        tenant,
        until,
        new_name: draft.name.get_untracked(),
        place: None,
        placement: untrack(|| draft.placing.placement()),
    };
    let (cluster, name) = (draft.cluster.get_value(), request.new_name.clone());
    draft.sending.set(true);
    draft.refusal.set(Refusal::default());
    spawn_local(async move {
        let answer = api::recoveries::initiate(cluster.clone(), request).await;
        if !draft.sending.try_set(false) {
            return;
        }
        match answer {
            Ok(job) => {
                toasts.done(
                    t("Recovery started"),
                    tf(
                        "Task {job} makes {name}. It can be canceled while it runs.",
                        &[("job", &job), ("name", &name)],
                    ),
                );
                navigate(
                    &paths::tasks(&cluster, "recovery"),
                    NavigateOptions::default(),
                );
            }
            Err(error) => {
                let refusal = model::refusal(&error);
                draft.placing.refuse(refusal.placement.clone());
                draft.refusal.set(refusal);
            }
        }
    });
}

/// How far the form is filled in.
#[component]
fn Steps(draft: Draft) -> impl IntoView {
    let source = move || draft.wanted.get().is_some();
    let destination = move || source() && draft.name_problem().is_none();
    view! {
        <ol class="steps" aria-label=t("Steps")>
            <Step number="1" text=t("Source and moment") href="#source" done=Signal::derive(source) current=Signal::derive(move || !source())/>
            <Step number="2" text=t("Destination") href="#destination" done=Signal::derive(destination) current=Signal::derive(move || source() && !destination())/>
        </ol>
    }.any()
}

#[component]
fn Step(
    number: &'static str,
    text: &'static str,
    href: &'static str,
    done: Signal<bool>,
    current: Signal<bool>,
) -> impl IntoView {
    view! {
        <li data-done=move || done.get().then_some("") aria-current=move || current.get().then_some("step")>
            <a href=href rel="external">
                <i>{follow(move || if done.get() { view! { <Icon name="check"/> }.any() } else { number.into_any() })}</i>
                {text}
            </a>
        </li>
    }.any()
}

#[component]
fn Foot(draft: Draft, cluster: String) -> impl IntoView {
    let other = Signal::derive(move || {
        draft
            .refusal
            .with(|refusal| refusal.other.clone())
            .unwrap_or_default()
    });
    let failed = Memo::new(move |_| !other.read().is_empty());
    view! {
        <footer class="form-foot">
            {follow(move || {
                failed
                    .get()
                    .then(|| view! { <Notice tone=Tone::Bad title=t("The recovery was not started") text=other urgent=true/> })
            })}
            <span class="foot-note">{t("Runs as a task. You can cancel it while it runs; the source is not touched.")}</span>
            <a class="button" data-variant="quiet" href=paths::backup(&cluster)>{t("Cancel")}</a>
            <Button variant="primary" icon="recovery" submit=true off=Signal::derive(move || draft.off()) busy=draft.sending>
                {t("Initiate Recovery")}
            </Button>
        </footer>
    }.any()
}

/// No tenant has a period: what to do first.
#[component]
fn NothingYet(cluster: String) -> impl IntoView {
    let backup = paths::backup(&cluster);
    view! {
        <Head cluster/>
        <div class="panel">
            <Empty
                title=t("Nothing can be recovered yet")
                text=t("A recovery needs a complete data backup. Start one on the cluster's page; the recovery period grows with log backup from then on.")
                sea=true
            >
                <a class="button" data-variant="primary" href=backup>{t("Back up Now")}</a>
            </Empty>
        </div>
    }.any()
}
