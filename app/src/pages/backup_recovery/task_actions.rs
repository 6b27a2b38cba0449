//! The questions before something is cancelled, stopped or started, and doing it.

use super::left_behind::CleanUp;
use crate::language::{t, tf};
use crate::{
    api::{self, ApiError},
    feed::Feed,
    parts,
    signal::RwSignal,
    ui::{Any, Button, Dialog, Field, Icon, LinkButton, Notice, Toasts, Tone, follow},
};
use domain::{JobId, TenantId, access::Role, job::JobKind};
use leptos::prelude::*;

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Cancel this data backup of the tenant with this name.
    CancelBackup(JobId, String),
    /// Cancel this recovery into the tenant with this name.
    CancelRecovery(JobId, String),
    /// Cancel this task.
    Cancel(JobId, JobKind),
    /// Try this task again.
    Retry(JobId, JobKind),
    /// Remove what this recovery, which failed or was canceled, left in the cluster.
    CleanUp(JobId),
    /// Stop log backup of the tenant, which has this name.
    StopLogBackup(TenantId, String),
    /// Start log backup of the tenant, which has this name.
    StartLogBackup(TenantId, String),
}

/// What a question says.
struct Words {
    title: String,
    effects: Vec<(Tone, String)>,
    no: &'static str,
    yes: &'static str,
    danger: bool,
    done: (&'static str, String),
}

/// The question that is open. A context of the page.
#[derive(Clone, Copy)]
pub struct Ask {
    pub(super) open: RwSignal<bool>,
    asked: RwSignal<Option<Asked>>,
}

impl Ask {
    /// Provides it to everything below.
    pub fn provide() {
        provide_context(Ask {
            open: RwSignal::new(false),
            asked: RwSignal::new(None),
        });
    }

    /// The page's question.
    pub fn current() -> Ask {
        expect_context()
    }

    /// Asks.
    pub fn open(&self, asked: Asked) {
        self.asked.set(Some(asked));
        parts::open_with_content(self.open);
    }
}

/// The way to a question, for those who may answer it.
#[component]
pub fn AskButton(
    /// What is asked.
    asked: Asked,
    /// A name that says more than the text: `Cancel task 12`.
    label: String,
    /// Its text.
    text: &'static str,
) -> impl IntoView {
    let (ask, feed) = (Ask::current(), Feed::current());
    feed.may(Role::Operator).then(|| {
        view! {
            <LinkButton label on_press=move |()| ask.open(asked.clone())>
                {text}
            </LinkButton>
        }
        .any()
    })
}

fn words(asked: &Asked) -> Words {
    match asked {
        Asked::CancelBackup(id, tenant) => Words {
            title: tf("Cancel the data backup of {tenant}?", &[("tenant", &tenant)]),
            effects: vec![
                (Tone::Warn, tf("Task {id} ends and what it wrote is removed.", &[("id", &id)])),
                (Tone::Ok, t("Earlier backups and log backup are not touched.").to_owned()),
            ],
            no: t("Keep it running"),
            yes: t("Cancel the backup"),
            danger: true,
            done: (t("Data backup is being canceled"), tf("{tenant}, task {id}.", &[("tenant", &tenant), ("id", &id)])),
        },
        Asked::CancelRecovery(id, tenant) => Words {
            title: tf("Cancel the recovery into {tenant}?", &[("tenant", &tenant)]),
            effects: vec![
                (Tone::Warn, tf("{tenant} will not exist; what was written for it is removed.", &[("tenant", &tenant)])),
                (Tone::Ok, t("The tenant it is recovered from is not touched.").to_owned()),
            ],
            no: t("Keep it running"),
            yes: t("Cancel the recovery"),
            danger: true,
            done: (t("Recovery is being canceled"), tf("Into {tenant}, task {id}.", &[("tenant", &tenant), ("id", &id)])),
        },
        Asked::Cancel(id, kind) => Words {
            title: tf("Cancel task {id}?", &[("id", id)]),
            effects: vec![canceled(*kind)],
            no: t("Keep it running"),
            yes: t("Cancel the task"),
            danger: true,
            done: (t("The task is being canceled"), tf("Task {id}.", &[("id", id)])),
        },
        Asked::Retry(id, kind) => Words {
            title: tf("Retry task {id}?", &[("id", id)]),
            effects: vec![
                (Tone::Ok, t("A new task does the same; this one stays in the list.").to_owned()),
                (Tone::Ok, again(*kind).to_owned()),
            ],
            no: t("Cancel"),
            yes: t("Retry"),
            danger: false,
            done: (t("The task is tried again"), tf("Task {id}.", &[("id", id)])),
        },
        Asked::CleanUp(id) => Words {
            title: tf("Clean up after task {id}?", &[("id", id)]),
            effects: Vec::new(),
            no: t("Cancel"),
            yes: t("Clean Up"),
            danger: true,
            done: (t("Cleaned up"), tf("Task {id}.", &[("id", id)])),
        },
        Asked::StopLogBackup(_, tenant) => Words {
            title: tf("Stop log backup of {tenant}?", &[("tenant", &tenant)]),
            effects: vec![
                (Tone::Bad, tf("From now on {tenant} cannot be recovered to new moments.", &[("tenant", &tenant)])),
                (
                    Tone::Warn,
                    "Starting again opens a new round: a gap stays until the next full data backup \
                     has finished."
                        .to_owned(),
                ),
                (Tone::Ok, t("The moments until now stay recoverable.").to_owned()),
            ],
            no: t("Cancel"),
            yes: t("Stop log backup"),
            danger: true,
            done: (t("Log backup is being stopped"), format!("{tenant}.")),
        },
        Asked::StartLogBackup(_, tenant) => Words {
            title: tf("Start log backup of {tenant}?", &[("tenant", &tenant)]),
            effects: vec![
                (Tone::Ok, t("A new round of log backup begins now.").to_owned()),
                (
                    Tone::Ok,
                    t("A full data backup starts by itself; from its end on new moments are recoverable.")
                        .to_owned(),
                ),
                (Tone::Warn, t("The time since log backup was stopped stays a gap.").to_owned()),
            ],
            no: t("Cancel"),
            yes: t("Start log backup"),
            danger: false,
            done: (t("Log backup is being started"), format!("{tenant}.")),
        },
    }
}

fn canceled(kind: JobKind) -> (Tone, String) {
    let (tone, text) = match kind {
        JobKind::DataBackup => (
            Tone::Warn,
            t("What it wrote is removed. Earlier backups and log backup are not touched."),
        ),
        JobKind::Recovery => (
            Tone::Warn,
            t("The new tenant will not exist; what was written for it is removed."),
        ),
        JobKind::SecondData => (
            Tone::Warn,
            t("What it copied is removed; the set itself stays where it is."),
        ),
        JobKind::SecondLog => (
            Tone::Ok,
            t("What it copied stays; the next one goes on from there."),
        ),
        JobKind::Cleanup => (
            Tone::Ok,
            t("What it has removed is gone; the rest stays until the next cleanup."),
        ),
    };
    (tone, text.to_owned())
}

fn again(kind: JobKind) -> &'static str {
    match kind {
        JobKind::DataBackup => t("The data of the tenant is read as it is now."),
        JobKind::Recovery => t("The same moment is recovered, under the same name."),
        JobKind::SecondData | JobKind::SecondLog => t("What is already there is not copied again."),
        JobKind::Cleanup => t("It keeps everything since the same moment."),
    }
}

async fn perform(cluster: String, asked: Asked, reason: String) -> Result<(), ApiError> {
    match asked {
        Asked::CancelBackup(id, _) | Asked::CancelRecovery(id, _) | Asked::Cancel(id, _) => {
            api::backups::cancel(cluster, id).await
        }
        Asked::Retry(id, _) => api::tasks::retry(cluster, id).await.map(|_| ()),
        Asked::CleanUp(id) => api::recoveries::remove_leftovers(cluster, id)
            .await
            .map(|_| ()),
        Asked::StopLogBackup(id, _) => api::archives::stop(cluster, id, reason).await,
        Asked::StartLogBackup(id, _) => api::archives::start(cluster, id).await,
    }
}

/// The dialog of the question that is open.
#[component]
pub fn AskDialog() -> impl IntoView {
    let ask = Ask::current();
    let title = Signal::derive(move || {
        let asked = ask.asked.read();
        asked
            .as_ref()
            .map_or_else(String::new, |asked| words(asked).title)
    });
    view! {
        <Dialog open=ask.open title>
            {follow(move || {
                let asked = ask.asked.get();
                asked.map(|asked| parts::downloaded(move || parts::question(asked.clone())))
            })}
        </Dialog>
    }
    .any()
}

/// The question, down to its buttons.
#[component]
pub fn Question(
    /// What is asked.
    asked: Asked,
) -> impl IntoView {
    // It lists what is there first, and so has a body of its own.
    if let Asked::CleanUp(id) = asked {
        return view! { <CleanUp id/> }.any();
    }
    let (ask, feed, toasts) = (Ask::current(), Feed::current(), Toasts::current());
    let words = words(&asked);
    let wants_reason = matches!(asked, Asked::StopLogBackup(..));
    let reason = RwSignal::new(String::new());
    let reason_error = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<String>);
    let done = StoredValue::new(words.done);
    let action = Action::new(move |(): &()| {
        let (cluster, asked) = (feed.cluster(), asked.clone());
        let reason = reason.get_untracked().trim().to_owned();
        async move {
            match perform(cluster, asked, reason).await {
                Ok(()) => {
                    let (title, text) = done.get_value();
                    toasts.done(title, text);
                    ask.open.set(false);
                    feed.refresh();
                }
                Err(error) => {
                    reason_error.set(error.of_field("reason"));
                    failed.set(
                        reason_error
                            .read_untracked()
                            .is_none()
                            .then(|| error.to_string()),
                    );
                }
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        if wants_reason && reason.read_untracked().trim().is_empty() {
            reason_error.set(Some(t("Say why; it is shown on the gap.").to_owned()));
        } else {
            action.dispatch(());
        }
    };
    let off = Signal::derive(move || feed.disconnected_reason());
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body">
                <ul class="effects">{words.effects.into_iter().map(effect).collect_view()}</ul>
                {wants_reason
                    .then(|| {
                        view! {
                            <Field
                                id="stop-reason"
                                label=t("Reason")
                                aside=t("shown on the gap")
                                error=reason_error
                            >
                                <input
                                    class="input"
                                    id="stop-reason"
                                    autofocus=true
                                    aria-describedby="stop-reason-hint"
                                    aria-invalid=move || reason_error.read().is_some().to_string()
                                    maxlength="200"
                                    prop:value=move || reason.get()
                                    on:input=move |event| {
                                        reason.set(event_target_value(&event));
                                        reason_error.set(None);
                                    }
                                />
                            </Field>
                        }.any()
                    })}
                {follow(move || {
                    failed
                        .get()
                        .map(|text| {
                            view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
                        })
                })}
            </div>
            <div class="dialog-foot">
                <Button
                    variant="quiet"
                    focused=!wants_reason
                    on_press=move |()| ask.open.set(false)
                >
                    {words.no}
                </Button>
                <Button
                    variant=if words.danger { "danger" } else { "primary" }
                    submit=true
                    busy=action.pending()
                    off
                >
                    {words.yes}
                </Button>
            </div>
        </form>
    }.any()
}

fn effect((tone, text): (Tone, String)) -> impl IntoView {
    let icon = match tone {
        Tone::Ok => "s-ok",
        Tone::Bad => "s-bad",
        _ => "s-warn",
    };
    view! {
        <li data-tone=tone.code()>
            <Icon name=icon/>
            <span>{text}</span>
        </li>
    }
    .any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopping_log_backup_says_what_is_lost_and_what_stays() {
        let words = words(&Asked::StopLogBackup(TenantId(1), "ledger".to_owned()));
        assert_eq!(words.title, "Stop log backup of ledger?");
        let tones: Vec<Tone> = words.effects.iter().map(|(tone, _)| *tone).collect();
        assert_eq!(tones, [Tone::Bad, Tone::Warn, Tone::Ok]);
        assert!(words.danger);
    }
}
