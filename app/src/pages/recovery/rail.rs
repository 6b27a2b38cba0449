//! Beside the form: the plan, what is read, and the checks before start.

use super::model::{self, ReadLine};
use super::plan::Plan;
use crate::language::{t, tf, told};
use crate::pages::backup_recovery::calendar::pop::Stamp;
use crate::pages::backup_recovery::calendar::time::Zone;
use crate::pages::statements::{CopyStatements, Statements};
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, IconButton, Skeleton, follow};
use domain::recovery::{PlannedStep, RecoveryPlan};
use domain::size;
use leptos::prelude::*;

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is so.
    Passed,
    /// It is not.
    Failed,
    /// Not known yet.
    Open,
}

/// One check before start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How it stands.
    pub state: State,
    /// What is checked.
    pub text: &'static str,
    /// A number beside it.
    pub amount: String,
    /// Why it failed, or what it rests on.
    pub reason: String,
}

/// The checks before start, from what the form and the plan know.
pub fn checks(moment: State, plan: &Plan, name: Option<&str>) -> Vec<Check> {
    let check = |state, text, amount: String, reason: String| Check {
        state,
        text,
        amount,
        reason,
    };
    let (planned, sets, commits, why) = match plan {
        Plan::Made(plan) => (
            State::Passed,
            format!("{0} of {0}", plan.sets.len()),
            plan.known_commits().map_or_else(String::new, |commits| {
                tf(
                    "{commits} commits",
                    &[("commits", &model::commits(commits))],
                )
            }),
            String::new(),
        ),
        Plan::Refused(error) => (
            State::Failed,
            String::new(),
            String::new(),
            error.to_string(),
        ),
        Plan::Nothing | Plan::Asked => (State::Open, String::new(), String::new(), String::new()),
    };
    vec![
        check(
            moment,
            t("Moment is inside one unbroken period"),
            String::new(),
            String::new(),
        ),
        check(planned, t("Every set it needs is complete"), sets, why),
        check(
            planned,
            t("Log reaches the moment without a gap"),
            commits,
            String::new(),
        ),
        check(
            if name.is_some() {
                State::Failed
            } else {
                State::Passed
            },
            t("Tenant name is free"),
            String::new(),
            name.unwrap_or_default().to_owned(),
        ),
    ]
}

/// The rail.
#[component]
pub fn Rail(
    /// What is known of the plan.
    plan: RwSignal<Plan>,
    /// `orders at 2026-11-11 16:20:05.250000`.
    note: Signal<String>,
    /// The checks before start.
    checks: Memo<Vec<Check>>,
    /// The viewer's zone.
    zone: Signal<Zone>,
    /// Asks for the plan again.
    again: RwSignal<u32>,
) -> impl IntoView {
    view! {
        <aside class="form-rail" aria-label=t("Recovery plan")>
            {follow(move || match plan.get() {
                Plan::Made(plan) => view! { <Made plan note zone/> }.any(),
                Plan::Asked => view! { <NotMade note><Skeleton rows=5/></NotMade> }.any(),
                Plan::Nothing => view! {
                    <NotMade note><p class="plan-none">{t("Choose a moment inside the recovery period. The plan says what is read, and to which commit it leads.")}</p></NotMade>
                }.any(),
                Plan::Refused(error) => view! {
                    <NotMade note><p class="plan-none field-error"><Icon name="s-bad"/><span>{error.to_string()}</span></p></NotMade>
                }.any(),
            })}
            <Checks checks again/>
        </aside>
    }.any()
}

#[component]
fn NotMade(note: Signal<String>, children: Children) -> impl IntoView {
    view! {
        <section class="panel">
            <div class="panel-head"><h2>{t("Recovery plan")}</h2><span class="panel-note">{move || note.get()}</span></div>
            <div class="panel-body">{children()}</div>
        </section>
    }.any()
}

#[component]
fn Made(plan: RecoveryPlan, note: Signal<String>, zone: Signal<Zone>) -> impl IntoView {
    let (target, commits, result) = (plan.target_scn, plan.known_commits(), plan.result_bytes);
    let (estimate, copy) = (plan.estimate_ms, t(plan.place.label()));
    let read = size::bytes(model::bytes_read(&plan));
    let total = read.clone();
    let steps = plan.steps.clone();
    let plan = StoredValue::new(plan);
    let precision = move || plan.with_value(|plan| model::precision(plan, zone.get()));
    let lines = move || plan.with_value(|plan| model::lines(plan, zone.get()));
    view! {
        <section class="panel">
            <div class="panel-head"><h2>{t("Recovery plan")}</h2><span class="panel-note">{move || note.get()}</span></div>
            <p class="plan-time">
                {match estimate {
                    Some(ms) => view! { <b>"≈ "{size::duration_ms(ms)}</b><span>{t("from earlier recoveries of this cluster")}</span> }.any(),
                    None => view! { <b>{read}</b><span>{t("to read. The time is not known before the first recovery.")}</span> }.any(),
                }}
            </p>
            <div class="panel-body plan-body">
                <dl class="pairs">
                    <dt>{t("Last commit")}</dt>
                    <dd>{follow(move || view! { <Stamp at=target zone=zone.get()/> }.any())}<small class="plan-precision">{move || precision()}</small></dd>
                    {commits.map(|commits| view! {
                        <dt>{t("Commits")}</dt>
                        <dd>{tf("{commits} to replay", &[("commits", &model::commits(commits))])}</dd>
                    }.any())}
                    <dt>{t("Size")}</dt>
                    <dd>{tf("{size}, of the new tenant", &[("size", &size::bytes(result))])}</dd>
                </dl>
            </div>
        </section>
        <section class="panel">
            <div class="panel-head"><h2>{t("What is read")}</h2><span class="panel-note">{copy}</span></div>
            <div class="panel-body">
                <ol class="chain">{follow(move || lines().into_iter().map(|line| view! { <Link line/> }.any()).collect_view())}</ol>
                <p class="chain-total"><span>{t("Total")}</span><span>{total}</span></p>
            </div>
        </section>
        {(!steps.is_empty()).then(|| view! { <Exact steps/> }.any())}
    }.any()
}

/// What is sent to the cluster.
#[component]
fn Exact(steps: Vec<PlannedStep>) -> impl IntoView {
    let count = steps.len();
    view! {
        <section class="panel">
            <div class="panel-head">
                <h2>{t("Statements")}</h2>
                <span class="panel-note">{tf("{count}, in this order", &[("count", &count)])}</span>
                <div class="panel-tools"><CopyStatements steps=steps.clone()/></div>
            </div>
            <div class="panel-body"><Statements steps/></div>
        </section>
    }
    .any()
}

/// One link of the chain of sets and logs.
#[component]
fn Link(line: ReadLine) -> impl IntoView {
    let sign = match line.kind {
        "full" => view! { <g class="mark" data-kind="full" transform="translate(5.5 5.5)"><path d="M0-5 5 0 0 5-5 0z"/></g> }.any(),
        "inc" => view! { <g class="mark" data-kind="inc" transform="translate(5.5 5.5)"><path d="M0-4.2 4.2 0 0 4.2-4.2 0z"/></g> }.any(),
        _ => view! { <circle class="chain-log" cx="5.5" cy="5.5" r="3.6"/> }.any(),
    };
    view! {
        <li>
            <svg width="11" height="11" aria-hidden="true">{sign}</svg>
            <span>{line.title}</span>
            <span>{line.amount}</span>
            <small>{line.detail}</small>
        </li>
    }
    .any()
}

#[component]
fn Checks(checks: Memo<Vec<Check>>, again: RwSignal<u32>) -> impl IntoView {
    let passed = move || {
        checks.with(|checks| {
            let passed = checks
                .iter()
                .filter(|check| check.state == State::Passed)
                .count();
            tf(
                "{passed} of {len} passed",
                &[("passed", &passed), ("len", &checks.len())],
            )
        })
    };
    view! {
        <section class="panel">
            <div class="panel-head">
                <h2>{t("Checks before start")}</h2>
                <span class="panel-note" role="status">{move || passed()}</span>
                <div class="panel-tools">
                    <IconButton label=t("Check again") icon="refresh" size="sm" on_press=move |()| again.update(|count| *count += 1)/>
                </div>
            </div>
            <div class="panel-body">
                <ul class="check-list">
                    {follow(move || checks.get().into_iter().map(|check| {
                        let (tone, icon, word) = match check.state {
                            State::Passed => ("ok", "s-ok", t("Passed: ")),
                            State::Failed => ("bad", "s-bad", t("Failed: ")),
                            State::Open => ("mute", "s-wait", t("Not checked yet: ")),
                        };
                        view! {
                            <li data-tone=tone>
                                <Icon name=icon/>
                                <span><span class="visually-hidden">{word}</span>{check.text}</span>
                                {(!check.amount.is_empty()).then(|| view! { <span>{check.amount.clone()}</span> }.any())}
                                {(!check.reason.is_empty()).then(|| view! { <small>{told(&check.reason)}</small> }.any())}
                            </li>
                        }.any()
                    }).collect_view())}
                </ul>
            </div>
        </section>
    }.any()
}
