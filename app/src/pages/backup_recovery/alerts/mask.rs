//! Masking an alert that lasts, and ending that.

use crate::language::{t, tf};
use crate::{
    api::{self, ApiError, Asked},
    feed::Feed,
    signal::RwSignal,
    ui::{Any, Button, Field, Notice, Toasts, Tone, follow},
};
use domain::{AlertId, alert::AlertDetails, scn::NS_PER_SECOND};
use leptos::prelude::*;

/// For how long an alert may be masked: seconds and words.
const TIMES: [(u64, &str); 5] = [
    (3_600, "1 hour"),
    (8 * 3_600, "8 hours"),
    (86_400, "1 day"),
    (7 * 86_400, "7 days"),
    (30 * 86_400, "30 days"),
];

/// The form at the end of the drawer.
#[component]
pub fn MaskForm(
    /// The alert.
    id: AlertId,
    /// Whether it is masked.
    masked: bool,
    /// Reads the alert anew.
    again: Asked<AlertDetails>,
) -> impl IntoView {
    let (feed, toasts) = (Feed::current(), Toasts::current());
    let seconds = RwSignal::new(TIMES[2].0);
    let reason = RwSignal::new(String::new());
    let reason_error = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<String>);
    let done = move |outcome: Result<(), ApiError>, title: &'static str| match outcome {
        Ok(()) => {
            toasts.done(title, tf("Alert {id}.", &[("id", &id)]));
            feed.refresh();
            again.refetch();
        }
        Err(error) => {
            reason_error.set(error.of_field("reason"));
            let other = reason_error.read_untracked().is_none();
            failed.set(other.then(|| error.to_string()));
        }
    };
    let mask = Action::new(move |(): &()| async move {
        let until = feed
            .now()
            .get_untracked()
            .plus_ns(seconds.get_untracked() * NS_PER_SECOND);
        let why = reason.get_untracked().trim().to_owned();
        done(
            api::alerts::mask(feed.cluster(), id, until, why).await,
            t("Alert is masked"),
        );
    });
    let unmask = Action::new(move |(): &()| async move {
        done(
            api::alerts::unmask(feed.cluster(), id).await,
            t("Alert is active again"),
        );
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        if reason.read_untracked().trim().is_empty() {
            reason_error.set(Some(t("Say why; it is shown with the alert.").to_owned()));
        } else {
            mask.dispatch(());
        }
    };
    let off = Signal::derive(move || feed.disconnected_reason());
    let options = TIMES.map(|(value, words)| {
        view! { <option value=value selected=value == TIMES[2].0>{words}</option> }.any()
    });
    view! {
        <form on:submit=submit novalidate>
            <h3>{t("Mask")}</h3>
            <p class="field-hint">{t("Nobody is called about a masked alert. It stays in the list and recovers as usual.")}</p>
            <Field id="mask-time" label=t("For")>
                <select
                    class="input"
                    id="mask-time"
                    aria-describedby="mask-time-hint"
                    on:change=move |event| {
                        if let Ok(value) = event_target_value(&event).parse() {
                            seconds.set(value);
                        }
                    }
                >
                    {options}
                </select>
            </Field>
            <Field id="mask-reason" label=t("Reason") error=reason_error>
                <input
                    class="input"
                    id="mask-reason"
                    aria-describedby="mask-reason-hint"
                    aria-invalid=move || reason_error.read().is_some().to_string()
                    maxlength="200"
                    prop:value=move || reason.get()
                    on:input=move |event| {
                        reason.set(event_target_value(&event));
                        reason_error.set(None);
                    }
                />
            </Field>
            {follow(move || {
                failed
                    .get()
                    .map(|text| {
                        view! { <Notice tone=Tone::Bad title=t("This was not done") text urgent=true/> }.any()
                    })
            })}
            <div class="row">
                <Button submit=true busy=mask.pending() off>
                    {if masked { t("Mask anew") } else { t("Mask") }}
                </Button>
                {masked
                    .then(|| {
                        view! {
                            <Button
                                variant="quiet"
                                busy=unmask.pending()
                                off
                                on_press=move |()| {
                                    unmask.dispatch(());
                                }
                            >
                                {t("End the mask")}
                            </Button>
                        }.any()
                    })}
            </div>
        </form>
    }.any()
}
