//! The filter pills of the task tables.

use super::query::{TIMES, TaskQuery, Time, href, key};
use crate::language::{t, tf};
use crate::{
    feed::Feed,
    live::{
        document::hide_popover,
        time::{Civil, Clock},
    },
    pages::status,
    signal::{Memo, RwSignal},
    ui::{Any, Button, Entry, Filter, FilterOption, Icon, follow, follow_list},
};
use domain::{
    Scn,
    backup::{BackupKind, TaskSource},
    job::{JobKind, JobState},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
};

/// Builds the address with some keys changed. Tracked.
#[derive(Clone, Copy)]
struct Hrefs {
    params: leptos::prelude::Memo<leptos_router::params::ParamsMap>,
    prefix: &'static str,
}

impl Hrefs {
    fn new(prefix: &'static str) -> Hrefs {
        Hrefs {
            params: use_query_map(),
            prefix,
        }
    }

    fn with(self, key: &'static str, value: Option<String>) -> Signal<String> {
        Signal::derive(move || href(&self.params.read(), self.prefix, &[(key, value.clone())]))
    }

    /// What leads to the address with a key changed.
    fn leading(self, key: &'static str) -> impl Fn(Option<String>) + Clone {
        let (navigate, here) = (use_navigate(), use_location().pathname);
        move |value| {
            let target = href(&self.params.read_untracked(), self.prefix, &[(key, value)]);
            let options = NavigateOptions {
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate(&format!("{}{target}", here.get_untracked()), options);
        }
    }
}

/// Clusters of more tenants have a field for one's name instead of a list of all.
const TENANTS_MAX: usize = 50;
/// Id of the list of their names.
const TENANT_NAMES: &str = "tenant-names";

/// Time: one of a few spans, or between two moments.
#[component]
pub fn TimeFilter(
    /// Id of its choices.
    id: &'static str,
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let clock = Clock::current();
    let short = move |moment: Scn| {
        let civil = clock.civil(moment);
        format!("{} {}", civil.date(), &civil.clock()[..5])
    };
    let value = Signal::derive(move || match query.read().time {
        Time::Any => None,
        Time::Last(seconds) => TIMES
            .into_iter()
            .find(|(.., known)| *known == seconds)
            .map(|(_, label, _)| t(label).to_owned()),
        Time::Between(from, to) => Some(match (from, to) {
            (Some(from), Some(to)) => format!("{} – {}", short(from), short(to)),
            (Some(from), None) => tf("from {from}", &[("from", &short(from))]),
            (None, to) => tf(
                "until {until}",
                &[("until", &to.map(short).unwrap_or_default())],
            ),
        }),
    });
    let set = move |code: Option<String>| {
        Signal::derive(move || {
            let changes = [("time", code.clone()), ("from", None), ("to", None)];
            href(&hrefs.params.read(), prefix, &changes)
        })
    };
    let spans = TIMES
        .into_iter()
        .map(|(code, label, seconds)| {
            let chosen = Signal::derive(move || query.read().time == Time::Last(seconds));
            view! {
                <FilterOption href=set(Some(code.to_owned())) chosen closes=id>
                    {t(label)}
                </FilterOption>
            }
            .any()
        })
        .collect_view();
    view! {
        <Filter id label=t("Time") value clear=set(None)>
            {spans}
            <FilterOption
                href=set(None)
                chosen=Signal::derive(move || query.read().time == Time::Any)
                closes=id
            >
                {t("Any time")}
            </FilterOption>
            <hr/>
            <CustomTime id prefix/>
        </Filter>
    }
    .any()
}

/// Two fields for a span of one's own, in the zone that the page shows.
#[component]
fn CustomTime(id: &'static str, prefix: &'static str) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let clock = Clock::current();
    let navigate = use_navigate();
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let apply = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let moment =
            |text: String| parse_local(&text).map(|civil| clock.moment(&civil).to_rfc3339());
        let changes = [
            ("time", None),
            ("from", moment(from.get_untracked())),
            ("to", moment(to.get_untracked())),
        ];
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        let target = href(&hrefs.params.read_untracked(), prefix, &changes);
        let here = leptos_router::hooks::use_location()
            .pathname
            .get_untracked();
        navigate(&format!("{here}{target}"), options);
        hide_popover(id);
    };
    // Pages about all clusters have no feed.
    let feed = use_context::<Feed>();
    let now = move || match feed {
        Some(feed) => Some(feed.read_at()),
        None => clock.wall_ms().map(|ms| Scn::from_ms(ms.max(0.0) as u64)),
    };
    // Text in any case: the server does not know the browser's clock, and a text has to be where one will be.
    let zone = move || now().map_or_else(String::new, |at| clock.zone_label(at));
    let field = move |label: &'static str, value: RwSignal<String>| {
        view! {
            <label>
                <span>{label}</span>
                <input
                    class="input"
                    data-size="sm"
                    type="datetime-local"
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
            </label>
        }
        .any()
    };
    view! {
        <form class="custom-time" on:submit=apply>
            {field(t("From"), from)} {field(t("To"), to)}
            <div class="row">
                <Button size="sm" variant="primary" submit=true>
                    {t("Apply")}
                </Button>
                <small>{zone}</small>
            </div>
        </form>
    }
    .any()
}

/// Reads what a browser gives for `datetime-local`: `2026-11-12T14:32`, perhaps with seconds.
fn parse_local(text: &str) -> Option<Civil> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.split('-');
    let mut time = time.split(':');
    let mut of_date = || date.next();
    let (year, month, day) = (of_date()?, of_date()?, of_date()?);
    Some(Civil {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
        day: day.parse().ok()?,
        weekday: 0,
        hour: time.next()?.parse().ok()?,
        minute: time.next()?.parse().ok()?,
        second: time
            .next()
            .map_or(Some(0), |second| second.get(..2)?.parse().ok())?,
        nanos: 0,
    })
}

/// Status: any number of states.
#[component]
pub fn StatusFilter(
    /// Id of its choices.
    id: &'static str,
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
    /// What the tasks do, which decides what their states are called.
    #[prop(default = JobKind::DataBackup)]
    kind: JobKind,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let value = Signal::derive(move || {
        let states = &query.read().states;
        match states.as_slice() {
            [] => None,
            [one] => Some(status::job_of(kind, *one).text),
            more => Some(tf("{len} chosen", &[("len", &more.len())])),
        }
    });
    let options = JobState::ALL
        .into_iter()
        .map(|state| {
            let to = Signal::derive(move || {
                let codes = query.read().toggled(state);
                href(&hrefs.params.read(), prefix, &[("status", codes)])
            });
            let chosen = Signal::derive(move || query.read().states.contains(&state));
            view! {
                <FilterOption href=to chosen>
                    {status::job_of(kind, state).text}
                </FilterOption>
            }
            .any()
        })
        .collect_view();
    view! {
        <Filter id label=t("Status") value clear=hrefs.with("status", None)>
            {options}
        </Filter>
    }
    .any()
}

/// Tenant: one of those that have a period.
#[component]
pub fn TenantFilter(
    /// Id of its choices.
    id: &'static str,
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let period = Feed::current().period();
    let tenants = Memo::new(move |_| {
        let period = period.read();
        let tenants = period.tenants.iter();
        tenants
            .map(|tenant| (tenant.tenant, tenant.name.clone()))
            .collect::<Vec<_>>()
    });
    let value = Signal::derive(move || {
        let query = query.read();
        if query.tenant_name.is_some() {
            return query.tenant_name.clone();
        }
        let chosen = query.tenant?;
        let tenants = tenants.read();
        let known = tenants.iter().find(|(id, _)| *id == chosen);
        Some(known.map_or_else(|| format!("#{chosen}"), |(_, name)| name.clone()))
    });
    if tenants.with_untracked(Vec::len) > TENANTS_MAX {
        return view! {
            <Filter id label=t("Tenant") value clear=hrefs.with("tenant", None)>
                <TenantName id prefix/>
            </Filter>
        }
        .any();
    }
    view! {
        <Filter id label=t("Tenant") value clear=hrefs.with("tenant", None)>
            {follow_list(move || {
                let tenants = tenants.get().into_iter();
                tenants
                    .map(|(tenant, name)| {
                        let href = hrefs.with("tenant", Some(tenant.to_string()));
                        let chosen = Signal::derive(move || query.read().tenant == Some(tenant));
                        Entry::new(format!("{tenant} {name}"), move || {
                            view! { <FilterOption href chosen closes=id>{name}</FilterOption> }
                        })
                    })
                    .collect()
            })}
        </Filter>
    }
    .any()
}

/// The names of all tenants, for fields that one of many is typed into.
#[component]
pub fn TenantNames() -> impl IntoView {
    let period = Feed::current().period();
    let names = period.with_untracked(|period| {
        let names = period.tenants.iter().map(|tenant| tenant.name.clone());
        names.collect::<Vec<_>>()
    });
    let name = |name: String| view! { <option value=name></option> }.any();
    (names.len() > TENANTS_MAX).then(|| {
        view! { <datalist id=TENANT_NAMES>{names.into_iter().map(name).collect_view()}</datalist> }
            .any()
    })
}

/// A field for one of many tenants. A form, so it works without any script.
#[component]
fn TenantName(id: &'static str, prefix: &'static str) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let typed = RwSignal::new(String::new());
    let name = key(prefix, "tenant");
    let others = others(hrefs, &[&name, &key(prefix, "page")]);
    let lead = hrefs.leading("tenant");
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked().trim().to_owned();
        lead((!text.is_empty()).then_some(text));
        hide_popover(id);
    };
    view! {
        <form class="custom-time" on:submit=go>
            {others}
            <label>
                <span>{t("Name")}</span>
                <input
                    class="input"
                    data-size="sm"
                    name=name
                    list=TENANT_NAMES
                    autocomplete="off"
                    maxlength="200"
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </label>
            <div class="row">
                <Button size="sm" variant="primary" submit=true>
                    {t("Apply")}
                </Button>
            </div>
        </form>
    }
    .any()
}

/// The rest of the address as hidden fields, which a form sends along without a script.
fn others(hrefs: Hrefs, without: &[&str]) -> AnyView {
    let others = hrefs.params.with_untracked(|params| {
        let others = params.latest_values();
        others
            .filter(|(key, _)| !without.iter().any(|one| *one == key.as_ref()))
            .map(|(key, value)| (key.to_string(), value.to_owned()))
            .collect::<Vec<_>>()
    });
    let field = |(key, value)| view! { <input type="hidden" name=key value=value/> }.any();
    others.into_iter().map(field).collect_view().into_any()
}

/// Method: full or incremental, as asked for.
#[component]
pub fn MethodFilter(
    /// Id of its choices.
    id: &'static str,
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let value = Signal::derive(move || query.read().kind.map(|kind| t(kind.label()).to_owned()));
    let options = [BackupKind::Full, BackupKind::Incremental].map(|kind| {
        view! {
            <FilterOption
                href=hrefs.with("method", Some(kind.code().to_owned()))
                chosen=Signal::derive(move || query.read().kind == Some(kind))
                closes=id
            >
                {t(kind.label())}
            </FilterOption>
        }
        .any()
    });
    view! {
        <Filter id label=t("Method") value clear=hrefs.with("method", None)>
            {options}
        </Filter>
    }
    .any()
}

/// Source: cluster or tenant backup.
#[component]
pub fn SourceFilter(
    /// Id of its choices.
    id: &'static str,
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let value = Signal::derive(move || {
        query
            .read()
            .source
            .map(|source| t(source.label()).to_owned())
    });
    let options = [TaskSource::Cluster, TaskSource::Tenant].map(|source| {
        view! {
            <FilterOption
                href=hrefs.with("source", Some(source.code().to_owned()))
                chosen=Signal::derive(move || query.read().source == Some(source))
                closes=id
            >
                {t(source.label())}
            </FilterOption>
        }
        .any()
    });
    view! {
        <Filter id label=t("Source") value clear=hrefs.with("source", None)>
            {options}
        </Filter>
    }
    .any()
}

/// Set: only what makes or copies it. It is chosen by links from other tables.
#[component]
pub fn SetFilter(
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let clear = hrefs.with("set", None);
    follow(move || {
        query.read().set.map(|set| {
            view! {
                <span class="filter" data-active="">
                    <span class="filter-fixed">{t("Backup Set ID")}<b>{set.to_string()}</b></span>
                    <a
                        class="filter-clear"
                        href=move || clear.get()
                        data-noscroll=""
                        aria-label=tf("Clear {label}", &[("label", &t("Backup Set ID"))])
                    >
                        <Icon name="close" size="xs"/>
                    </a>
                </span>
            }
            .any()
        })
    })
}

/// Search: by number, or by a text in directories, names and causes. A form, so it works without any script.
#[component]
pub fn Search(
    /// Keys of the table.
    prefix: &'static str,
    /// What is chosen.
    query: Memo<TaskQuery>,
    /// Whether the key `/` leads here.
    #[prop(default = true)]
    by_key: bool,
) -> impl IntoView {
    let hrefs = Hrefs::new(prefix);
    let typed = RwSignal::new(query.with_untracked(|query| query.text.clone().unwrap_or_default()));
    let name = key(prefix, "text");
    let others = others(hrefs, &[&name, &key(prefix, "page")]);
    let lead = hrefs.leading("text");
    let search = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked().trim().to_owned();
        lead((!text.is_empty()).then_some(text));
    };
    view! {
        <form class="filter-search" role="search" on:submit=search>
            {others}
            <input
                class="input"
                data-size="sm"
                type="search"
                data-key=by_key.then_some("/")
                name=name
                maxlength="200"
                placeholder=t("Search")
                aria-label=t("Search by number, directory or cause")
                value=typed.get_untracked()
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
            />
        </form>
    }
    .any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_moments_are_read_with_and_without_seconds() {
        let civil = parse_local("2026-11-12T14:32").unwrap();
        assert_eq!(
            (civil.date().as_str(), civil.clock().as_str()),
            ("2026-11-12", "14:32:00")
        );
        assert_eq!(parse_local("2026-11-12T14:32:07.5").unwrap().second, 7);
        assert!(parse_local("yesterday").is_none());
    }
}
