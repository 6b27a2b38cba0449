//! Pause, Start, Modify and Delete, each with what follows from it.

use crate::api::{self, ApiError};
use crate::language::{t, tf};
use crate::routes::paths;
use crate::signal::RwSignal;
use crate::ui::{Any, Button, Dialog, Icon, Notice, Toasts, Tone, follow};
use domain::Revision;
use domain::strategy::{LogBackupEnd, StrategyReport};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What a person is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Ends automatic runs for now.
    Pause,
    /// Takes them up again.
    Start,
    /// Takes the strategy away.
    Delete,
}

impl Question {
    /// The question itself.
    pub fn title(self, cluster: &str) -> String {
        match self {
            Question::Pause => tf(
                "Pause backup scheduling of {cluster}?",
                &[("cluster", &cluster)],
            ),
            Question::Start => tf(
                "Start backup scheduling of {cluster}?",
                &[("cluster", &cluster)],
            ),
            Question::Delete => tf(
                "Delete the backup strategy of {cluster}?",
                &[("cluster", &cluster)],
            ),
        }
    }

    fn yes(self) -> &'static str {
        match self {
            Question::Pause => t("Pause scheduling"),
            Question::Start => t("Start scheduling"),
            Question::Delete => t("Delete the strategy"),
        }
    }

    fn variant(self) -> &'static str {
        match self {
            Question::Delete => "danger",
            Question::Pause | Question::Start => "primary",
        }
    }

    fn effects(self) -> Vec<(Tone, &'static str)> {
        match self {
            Question::Pause => vec![
                (
                    Tone::Warn,
                    t("No data backup, copy or cleanup starts by itself from now on."),
                ),
                (Tone::Ok, t("Tasks that run go on, and so does log backup.")),
                (Tone::Ok, t("Backups can still be started by hand.")),
            ],
            Question::Start => vec![
                (
                    Tone::Ok,
                    t("The next run starts at its time and uses some of the cluster's resources."),
                ),
                (
                    Tone::Warn,
                    t("Runs that came due meanwhile are not made up for."),
                ),
            ],
            Question::Delete => vec![
                (
                    Tone::Bad,
                    t("The cluster has no strategy then: no backup starts by itself any more."),
                ),
                (
                    Tone::Warn,
                    t("Nothing expires, and copies that have not begun are canceled."),
                ),
                (Tone::Ok, t("Backups and running tasks stay.")),
            ],
        }
    }

    fn done(self, cluster: &str, notes: &[String]) -> (&'static str, String) {
        let text = match notes {
            [] => format!("{cluster}."),
            notes => notes.join(" "),
        };
        let title = match self {
            Question::Pause => t("Scheduling is paused"),
            Question::Start => t("Scheduling is on"),
            Question::Delete => t("Backup strategy deleted"),
        };
        (title, text)
    }
}

/// The actions of the head.
#[component]
pub fn Actions(
    /// Name of the cluster.
    cluster: String,
    /// Its strategy.
    report: StrategyReport,
    /// Reads the strategy again.
    again: Callback<()>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let question = RwSignal::new(Question::Pause);
    let ask = move |about: Question| {
        Callback::new(move |()| {
            question.set(about);
            open.set(true);
        })
    };
    let (paused, rev) = (report.strategy.paused, report.strategy.rev);
    let edit = paths::edit_strategy(&cluster);
    let name = StoredValue::new(cluster);
    let title = Signal::derive(move || question.get().title(&name.get_value()));
    let turn = match paused {
        true => {
            view! { <Button icon="play" on_press=ask(Question::Start)>{t("Start")}</Button> }.any()
        }
        false => {
            view! { <Button icon="pause" on_press=ask(Question::Pause)>{t("Pause")}</Button> }.any()
        }
    };
    view! {
        <a class="button" data-variant="primary" href=edit>{t("Modify Backup Strategy")}</a>
        {turn}
        <Button variant="danger" on_press=ask(Question::Delete)>{t("Delete")}</Button>
        <Dialog open title>
            {follow(move || {
                let about = question.get();
                view! { <Ask cluster=name.get_value() about rev open again/> }.any()
            })}
        </Dialog>
    }
    .any()
}

/// What follows from it, and the buttons.
#[component]
pub fn Ask(
    /// Name of the cluster.
    cluster: String,
    /// What is asked.
    about: Question,
    /// The strategy as it was read.
    rev: Revision,
    /// Whether the dialog is open.
    open: RwSignal<bool>,
    /// Reads the strategy again.
    again: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::current();
    let (stop, busy) = (RwSignal::new(false), RwSignal::new(false));
    let failed = RwSignal::new(None::<String>);
    let press = move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        let (cluster, stop) = (cluster.clone(), stop.get_untracked());
        spawn_local(async move {
            let answer = perform(about, cluster.clone(), rev, stop).await;
            if !busy.try_set(false) {
                return;
            }
            match answer {
                Ok(notes) => {
                    let (title, text) = about.done(&cluster, &notes);
                    toasts.done(title, text);
                    open.set(false);
                    again.run(());
                }
                Err(error) => failed.set(Some(error.to_string())),
            }
        });
    };
    let press = Callback::new(press);
    view! {
        <div class="dialog-body">
            <ul class="effects">{about.effects().into_iter().map(effect).collect_view()}</ul>
            {(about == Question::Delete).then(|| view! { <LogBackup stop/> }.any())}
            {follow(move || {
                failed.get().map(|text| {
                    view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
                })
            })}
        </div>
        <div class="dialog-foot">
            <Button variant="quiet" focused=true on_press=move |()| open.set(false)>{t("Cancel")}</Button>
            <Button variant=about.variant() busy=Signal::derive(move || busy.get()) on_press=press>
                {about.yes()}
            </Button>
        </div>
    }
    .any()
}

async fn perform(
    about: Question,
    cluster: String,
    rev: Revision,
    stop: bool,
) -> Result<Vec<String>, ApiError> {
    match about {
        Question::Pause => api::strategies::pause(cluster).await.map(|()| Vec::new()),
        Question::Start => api::strategies::resume(cluster).await.map(|()| Vec::new()),
        Question::Delete => {
            let log = match stop {
                true => LogBackupEnd::Stop,
                false => LogBackupEnd::Keep,
            };
            api::strategies::delete(cluster, rev, log).await
        }
    }
}

/// What becomes of log backup.
#[component]
fn LogBackup(stop: RwSignal<bool>) -> impl IntoView {
    let one = move |stops: bool, title: &'static str, text: &'static str| {
        view! {
            <label class="check">
                <input type="radio" name="log-backup" checked=!stops on:change=move |_| stop.set(stops)/>
                <span>{title}<small>{text}</small></span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="choice">
            <legend class="field-label">{t("Log backup")}</legend>
            {one(false, t("Keep it running"), t("New moments stay recoverable."))}
            {one(true, t("Stop it"), t("New moments cannot be recovered; a gap begins."))}
        </fieldset>
    }
    .any()
}

fn effect((tone, text): (Tone, &'static str)) -> impl IntoView {
    let icon = match tone {
        Tone::Ok => "s-ok",
        Tone::Bad => "s-bad",
        _ => "s-warn",
    };
    view! { <li data-tone=tone.code()><Icon name=icon/><span>{text}</span></li> }.any()
}
