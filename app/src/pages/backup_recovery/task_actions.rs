//! The questions before something is cancelled, stopped or started, and doing it.

use crate::{
    api::{self, ApiError},
    feed::Feed,
    parts,
    signal::RwSignal,
    ui::{Any, Button, Dialog, Field, Icon, LinkButton, Notice, Toasts, Tone, follow},
};
use domain::{JobId, TenantId, access::Role};
use leptos::prelude::*;

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Cancel this data backup of the tenant with this name.
    CancelBackup(JobId, String),
    /// Cancel this recovery into the tenant with this name.
    CancelRecovery(JobId, String),
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
    open: RwSignal<bool>,
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
            title: format!("Cancel the data backup of {tenant}?"),
            effects: vec![
                (Tone::Warn, format!("Task {id} ends and what it wrote is removed.")),
                (Tone::Ok, "Earlier backups and log backup are not touched.".to_owned()),
            ],
            no: "Keep it running",
            yes: "Cancel the backup",
            danger: true,
            done: ("Data backup is being canceled", format!("{tenant}, task {id}.")),
        },
        Asked::CancelRecovery(id, tenant) => Words {
            title: format!("Cancel the recovery into {tenant}?"),
            effects: vec![
                (Tone::Warn, format!("{tenant} will not exist; what was written for it is removed.")),
                (Tone::Ok, "The tenant it is recovered from is not touched.".to_owned()),
            ],
            no: "Keep it running",
            yes: "Cancel the recovery",
            danger: true,
            done: ("Recovery is being canceled", format!("Into {tenant}, task {id}.")),
        },
        Asked::StopLogBackup(_, tenant) => Words {
            title: format!("Stop log backup of {tenant}?"),
            effects: vec![
                (Tone::Bad, format!("From now on {tenant} cannot be recovered to new moments.")),
                (
                    Tone::Warn,
                    "Starting again opens a new round: a gap stays until the next full data backup \
                     has finished."
                        .to_owned(),
                ),
                (Tone::Ok, "The moments until now stay recoverable.".to_owned()),
            ],
            no: "Cancel",
            yes: "Stop log backup",
            danger: true,
            done: ("Log backup is being stopped", format!("{tenant}.")),
        },
        Asked::StartLogBackup(_, tenant) => Words {
            title: format!("Start log backup of {tenant}?"),
            effects: vec![
                (Tone::Ok, "A new round of log backup begins now.".to_owned()),
                (
                    Tone::Ok,
                    "A full data backup starts by itself; from its end on new moments are recoverable."
                        .to_owned(),
                ),
                (Tone::Warn, "The time since log backup was stopped stays a gap.".to_owned()),
            ],
            no: "Cancel",
            yes: "Start log backup",
            danger: false,
            done: ("Log backup is being started", format!("{tenant}.")),
        },
    }
}

async fn perform(cluster: String, asked: Asked, reason: String) -> Result<(), ApiError> {
    match asked {
        Asked::CancelBackup(id, _) | Asked::CancelRecovery(id, _) => {
            api::backups::cancel(cluster, id).await
        }
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
            reason_error.set(Some("Say why; it is shown on the gap.".to_owned()));
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
                                label="Reason"
                                aside="shown on the gap"
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
                            view! { <Notice tone=Tone::Bad title="This was not done" text urgent=true/> }.any()
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
