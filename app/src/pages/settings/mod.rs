//! Settings of the console: who is told about alerts, and where backups may go.

pub mod channel_form;
pub mod channels;
pub mod storages;

use crate::{
    language::t,
    shell::Myself,
    ui::{Any, Skeleton, waiting},
};
use channels::Channels;
use leptos::prelude::*;
use leptos_meta::Title;
use storages::Storages;

/// The page.
#[component]
pub fn Settings() -> impl IntoView {
    let Myself(me) = expect_context();
    let sections = move || async move {
        let manages = me.await.is_ok_and(|me| me.manages());
        view! {
            <Channels manages/>
            <Storages manages/>
        }
        .any()
    };
    view! {
        <Title text=t("Settings")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Settings")}</h1>
            </div>
        </div>
        <div class="stack">
            {waiting(|| view! { <section class="panel"><Skeleton rows=4/></section> }.any(), sections)}
        </div>
    }
    .any()
}
