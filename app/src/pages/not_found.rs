//! The page for an address that leads nowhere.

use crate::language::t;
use crate::{api::set_not_found, paths, ui::Any};
use leptos::prelude::*;
use leptos_meta::Title;

/// Says that there is nothing at this address, with status 404.
#[component]
pub fn NotFound(
    /// What was looked for, as a sentence.
    #[prop(default = t("There is no page at this address.").to_owned(), into)]
    what: String,
) -> impl IntoView {
    set_not_found();
    view! {
        <Title text=t("Not found")/>
        <section class="panel">
            <div class="empty">
                <h1>{t("Not found")}</h1>
                <p>{what}</p>
                <div class="row">
                    <a class="button" data-variant="primary" href=paths::CLUSTERS>
                        {t("Clusters")}
                    </a>
                </div>
            </div>
        </section>
    }
    .any()
}
