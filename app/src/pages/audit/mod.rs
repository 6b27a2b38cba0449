//! The audit: who did what from where, to what, and how it ended.

use crate::language::{later, t, told};
use crate::{
    api::{self, asked},
    signal::Memo,
    ui::{
        Any, Badge, Cell, Column, Empty, ErrorNotice, Icon, NoValue, Pager, Skeleton, Stamp, Table,
        Tone, badge::Look, pager::PageHref, waiting,
    },
};
use domain::{
    Scn,
    audit::{AuditFilter, AuditResult, AuditRow},
    page::Page,
    scn::NS_PER_DAY,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use std::sync::Arc;

/// Rows of a page when nothing is chosen.
const SIZE: u32 = 20;
/// The fields of the form that are texts: key in the address, label.
const TEXTS: [(&str, &str); 4] = [
    ("text", later("Text")),
    ("actor", later("Who")),
    ("operation", later("What")),
    ("cluster", later("Cluster")),
];

/// The choice in the address: keys with values that are not empty.
type Chosen = Vec<(String, String)>;

/// The page.
#[component]
pub fn Audit() -> impl IntoView {
    let params = use_query_map();
    let chosen = Memo::new(move |_| chosen(&params.read()));
    let entries = asked(
        move || chosen.get(),
        |chosen| api::audit::list(filter(&chosen)),
    );
    let retry = Callback::new(move |()| entries.refetch());
    view! {
        <Title text=t("Audit")/>
        <div class="page-head">
            <div class="page-title">
                <h1>{t("Audit")}</h1>
            </div>
            <div class="page-actions">
                <a
                    class="button"
                    href=move || address("/audit.csv", &of_file(&chosen.read()))
                    rel="external"
                    download=""
                >
                    <Icon name="download"/>
                    {t("CSV")}
                </a>
            </div>
        </div>
        <section class="panel panel-table" aria-label=t("Audit")>
            {move || view! { <Form chosen=chosen.get()/> }.any()}
            {waiting(|| view! { <Skeleton rows=8/> }.any(), move || async move {
                let chosen = chosen.get_untracked();
                match entries.await {
                    Ok(page) => view! { <Entries page chosen/> }.any(),
                    Err(error) => {
                        let title = t("The audit could not be loaded");
                        view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
                    }
                }
            })}
        </section>
    }
    .any()
}

/// What is chosen; a plain form, which works without any script.
#[component]
fn Form(chosen: Chosen) -> impl IntoView {
    let value = |key: &str| value(&chosen, key).unwrap_or_default().to_owned();
    let result = value("result");
    let texts = TEXTS
        .map(|(key, label)| {
            view! {
                <label class="field">
                    <span class="field-label">{t(label)}</span>
                    <input class="input" name=key value=value(key) maxlength="100" autocomplete="off"/>
                </label>
            }
            .any()
        })
        .collect_view();
    let days = [("from", t("From day (UTC)")), ("to", t("To day (UTC)"))]
        .map(|(key, label)| {
            view! {
                <label class="field">
                    <span class="field-label">{label}</span>
                    <input class="input" type="date" name=key value=value(key)/>
                </label>
            }
            .any()
        })
        .collect_view();
    let results = AuditResult::ALL
        .map(|one| {
            let code = one.code();
            view! { <option value=code selected=code == result>{t(one.label())}</option> }.any()
        })
        .collect_view();
    view! {
        <form class="audit-filter" method="get" action="/audit" role="search">
            {texts}
            <label class="field">
                <span class="field-label">{t("Result")}</span>
                <select class="select" name="result">
                    <option value="">{t("Any")}</option>
                    {results}
                </select>
            </label>
            {days}
            <div class="row">
                <button class="button" type="submit">{t("Show")}</button>
                <a class="button" data-variant="quiet" href="/audit">{t("Clear")}</a>
            </div>
        </form>
    }
    .any()
}

#[component]
fn Entries(page: Page<AuditRow>, chosen: Chosen) -> impl IntoView {
    if page.rows.is_empty() {
        let (title, text) = match page.total_unfiltered {
            0 => (
                t("Nothing yet"),
                t("Everything that somebody does from now on is listed here."),
            ),
            _ => (
                t("Nothing matches"),
                t("Clear the choice to see everything."),
            ),
        };
        return view! { <Empty title text/> }.any();
    }
    let Page {
        rows,
        total,
        page,
        size,
        ..
    } = page;
    let href: PageHref = Arc::new(move |page, size| {
        let mut keys = chosen.clone();
        keys.retain(|(key, _)| key != "page" && key != "size");
        keys.push(("page".to_owned(), page.to_string()));
        keys.push(("size".to_owned(), size.to_string()));
        address("/audit", &keys)
    });
    let columns = [
        t("Time"),
        t("Who"),
        t("From"),
        t("What"),
        t("Cluster"),
        t("To what"),
        t("Result"),
    ];
    view! {
        <Table caption=t("Audit") columns=columns.map(Column::plain).to_vec()>
            {rows.into_iter().map(entry).collect_view()}
        </Table>
        <div class="panel-foot">
            <Pager page size total href/>
        </div>
    }
    .any()
}

fn entry(row: AuditRow) -> AnyView {
    let or_none = |text: Option<String>| match text {
        Some(text) => text.into_any(),
        None => view! { <NoValue/> }.any(),
    };
    let more: Vec<AnyView> = [(t("Before"), row.before), (t("After"), row.after)]
        .into_iter()
        .filter_map(|(label, text)| {
            let text = text?;
            Some(view! { <dt>{label}</dt> <dd><code>{text}</code></dd> }.into_any())
        })
        .collect();
    let more = (!more.is_empty()).then(|| {
        view! {
            <details>
                <summary>{t("Before and after")}</summary>
                <dl>{more}</dl>
            </details>
        }
        .any()
    });
    let look = look(row.result);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Time")>
                <Stamp at=row.at/>
            </th>
            <Cell label=t("Who")>{row.actor}</Cell>
            <Cell label=t("From")>{or_none(row.address)}</Cell>
            <Cell label=t("What")>{told(&row.operation)}</Cell>
            <Cell label=t("Cluster")>{or_none(row.cluster)}</Cell>
            <Cell label=t("To what")>
                {row.subject} <span class="cell-sub">{told(&row.detail)}</span> {more}
            </Cell>
            <Cell label=t("Result") class="cell-status">
                <Badge look/> <span class="cell-sub">{row.cause.as_deref().map(told)}</span>
            </Cell>
        </tr>
    }
    .any()
}

fn look(result: AuditResult) -> Look {
    let (tone, icon) = match result {
        AuditResult::Ok => (Tone::Ok, "s-ok"),
        AuditResult::Begun => (Tone::Mute, "s-unknown"),
        AuditResult::Refused => (Tone::Warn, "s-cancel"),
        AuditResult::Failed => (Tone::Bad, "s-bad"),
    };
    Look {
        text: t(result.label()).to_owned(),
        tone,
        icon,
    }
}

const KEYS: [&str; 9] = [
    "text",
    "actor",
    "operation",
    "cluster",
    "result",
    "from",
    "to",
    "page",
    "size",
];

fn chosen(params: &ParamsMap) -> Chosen {
    let one = |key: &str| {
        let value = params.get(key)?.trim().to_owned();
        (!value.is_empty()).then(|| (key.to_owned(), value))
    };
    KEYS.into_iter().filter_map(one).collect()
}

fn value<'a>(chosen: &'a Chosen, key: &str) -> Option<&'a str> {
    let found = chosen.iter().find(|(known, _)| known == key);
    found.map(|(_, value)| value.as_str())
}

/// The first instant of a day of the choice, and of the day after `to`.
fn bounds(chosen: &Chosen) -> (Option<Scn>, Option<Scn>) {
    let day = |key| Scn::parse_rfc3339(&format!("{}T00:00:00Z", value(chosen, key)?)).ok();
    (day("from"), day("to").map(|at| at.plus_ns(NS_PER_DAY)))
}

fn filter(chosen: &Chosen) -> AuditFilter {
    let text = |key| value(chosen, key).map(str::to_owned);
    let number = |key| value(chosen, key).and_then(|text| text.parse().ok());
    let (since, until) = bounds(chosen);
    AuditFilter {
        since,
        until,
        actor: text("actor"),
        operation: text("operation"),
        cluster: text("cluster"),
        result: value(chosen, "result").and_then(AuditResult::from_code),
        text: text("text"),
        page: number("page").unwrap_or(1),
        size: number("size").unwrap_or(SIZE),
    }
}

/// The same choice as the file takes it.
fn of_file(chosen: &Chosen) -> Chosen {
    let (since, until) = bounds(chosen);
    let moment = |key: &str, at: Option<Scn>| Some((key.to_owned(), at?.0.to_string()));
    let keys = chosen
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "from" | "to" | "page" | "size"));
    keys.cloned()
        .chain(moment(t("since"), since))
        .chain(moment(t("until"), until))
        .collect()
}

fn address(path: &str, keys: &Chosen) -> String {
    let mut address = path.to_owned();
    for (at, (key, value)) in keys.iter().enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(key);
        address.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                address.push(char::from(byte));
            } else {
                address.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)]) -> Chosen {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn a_day_is_chosen_whole_and_what_cannot_be_read_counts_as_not_chosen() {
        let chosen = keys(&[
            ("from", "2026-11-26"),
            ("to", "2026-11-26"),
            ("result", "odd"),
            ("page", "x"),
        ]);
        let filter = filter(&chosen);
        assert_eq!(
            filter.until.unwrap().since_ns(filter.since.unwrap()),
            NS_PER_DAY
        );
        assert_eq!((filter.result, filter.page, filter.size), (None, 1, SIZE));
    }

    #[test]
    fn the_file_is_asked_for_with_the_same_choice() {
        let chosen = keys(&[("text", "a b&c"), ("from", "1970-01-02"), ("page", "3")]);
        assert_eq!(
            address("/audit.csv", &of_file(&chosen)),
            "/audit.csv?text=a%20b%26c&since=86400000000000"
        );
        assert_eq!(address("/audit", &keys(&[])), "/audit");
    }
}
