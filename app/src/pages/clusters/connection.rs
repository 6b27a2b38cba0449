//! How a server elsewhere is reached: addresses, account and password, and trying them.

use super::typed::{Typed, TypedField};
use crate::{
    api::{self, ApiError},
    language::{later, t, tf, told},
    signal::RwSignal,
    ui::{Any, Button, Icon, Notice, Tone, follow},
};
use domain::{
    capability::EngineKind,
    endpoint::{
        ACCOUNT_DEFAULT, Access, ConnectionReport, ConnectionStep, Endpoint, Finding, label,
    },
    validate::sentence,
};
use leptos::{prelude::*, task::spawn_local};

const ADDRESSES: &str = later("Addresses");
const ACCOUNT: &str = later("Account");
const PASSWORD: &str = later("Password");

/// What is typed. Its labels are also the names of fields in the server's answer.
#[derive(Clone, Copy)]
pub struct Connection {
    addresses: Typed,
    account: Typed,
    password: Typed,
    /// The cluster whose password is kept while none is typed.
    known: StoredValue<Option<String>>,
    told: RwSignal<Told>,
}

/// What trying told.
#[derive(Clone, PartialEq)]
enum Told {
    Nothing,
    Asked,
    Report(ConnectionReport),
    Failed(String),
}

impl Connection {
    /// For a cluster to add.
    pub fn unknown() -> Connection {
        Connection::of(None, "", ACCOUNT_DEFAULT)
    }

    /// For a cluster that is there.
    pub fn known(cluster: &str, endpoint: &Endpoint) -> Connection {
        let cluster = Some(cluster.to_owned());
        Connection::of(cluster, &endpoint.to_string(), &endpoint.account)
    }

    fn of(known: Option<String>, addresses: &str, account: &str) -> Connection {
        Connection {
            addresses: Typed::new(addresses),
            account: Typed::new(account),
            password: Typed::new(""),
            known: StoredValue::new(known),
            told: RwSignal::new(Told::Nothing),
        }
    }

    /// What is typed, if it can be sent; else what is wrong stands at its field.
    pub fn checked(self) -> Option<Access> {
        let password = self.password.value.get_untracked();
        let keeps = self.known.with_value(Option::is_some) && password.is_empty();
        let access = Access {
            addresses: self.addresses.text(),
            account: self.account.text(),
            password: (!keeps).then_some(password),
        };
        match access.checked() {
            Ok(_) => Some(access),
            Err(wrong) => {
                self.refuse(&ApiError::Invalid(wrong));
                None
            }
        }
    }

    /// Puts the server's answer beside the fields it is about; whether it was about any.
    pub fn refuse(self, error: &ApiError) -> bool {
        let about = [
            (label::ADDRESSES, self.addresses),
            (label::ACCOUNT, self.account),
            (label::PASSWORD, self.password),
        ];
        about.into_iter().fold(false, |any, (label, field)| {
            let wrong = error.of_field(label);
            let any = any || wrong.is_some();
            field.error.set(wrong);
            any
        })
    }

    fn test(self) {
        let Some(access) = self.checked() else {
            return;
        };
        self.told.set(Told::Asked);
        let cluster = self.known.get_value();
        spawn_local(async move {
            let asked =
                api::clusters::test_connection(EngineKind::OceanBase, access, cluster).await;
            self.told.try_set(match asked {
                Ok(report) => Told::Report(report),
                Err(error) if self.refuse(&error) => Told::Nothing,
                Err(error) => Told::Failed(error.to_string()),
            });
        });
    }
}

/// The fields and the test.
#[component]
pub fn ConnectionFields(
    /// What is typed.
    connection: Connection,
) -> impl IntoView {
    let is_known = connection.known.with_value(Option::is_some);
    let told = connection.told;
    let busy = Signal::derive(move || *told.read() == Told::Asked);
    view! {
        <TypedField
            id="cluster-addresses"
            label=t(ADDRESSES)
            typed=connection.addresses
            mono=true
            placeholder=Signal::stored("db1:2881, db2:2881".to_owned())
            hint=t("Servers (port 2881) or a proxy (2883), with commas between; the first that answers is used.")
        />
        <TypedField
            id="cluster-account"
            label=t(ACCOUNT)
            typed=connection.account
            mono=true
            hint=t("An account of the tenant sys: root@sys, through a proxy root@sys#cluster.")
        />
        <TypedField
            id="cluster-password"
            label=t(PASSWORD)
            typed=connection.password
            secret=true
            hint=match is_known {
                true => t("Leave it empty to keep the present one, which nobody can read again."),
                false => t("It is sealed and never shown again."),
            }
        />
        <div class="row">
            <Button icon="bolt" busy on_press=move |()| connection.test()>{t("Test connection")}</Button>
            <span class="field-hint">{t("It looks and changes nothing.")}</span>
        </div>
        <div aria-live="polite">
            {follow(move || match told.get() {
                Told::Nothing | Told::Asked => ().into_any(),
                Told::Failed(text) => {
                    view! { <Notice tone=Tone::Bad title=t("The connection could not be tested") text/> }.any()
                }
                Told::Report(report) => view! { <Report report/> }.any(),
            })}
        </div>
    }
    .any()
}

#[component]
fn Report(report: ConnectionReport) -> impl IntoView {
    let warned = report
        .steps
        .iter()
        .any(|step| matches!(step.finding, Finding::Warning(_)));
    let (tone, title) = match (report.passed(), warned) {
        (true, false) => (Tone::Ok, t("The cluster can be used")),
        (true, true) => (
            Tone::Warn,
            t("The cluster can be used, with what is said below"),
        ),
        (false, _) => (Tone::Bad, t("The cluster cannot be used so")),
    };
    view! {
        <Notice tone title text=String::new()/>
        <ul class="check-list">{report.steps.into_iter().map(step).collect_view()}</ul>
    }
    .any()
}

fn step(step: ConnectionStep) -> impl IntoView {
    let (tone, icon, text) = match step.finding {
        Finding::Good(text) => (Tone::Ok, "s-ok", text),
        Finding::Warning(text) => (Tone::Warn, "s-warn", sentence(&text)),
        Finding::Bad(text) => (Tone::Bad, "s-bad", sentence(&text)),
    };
    let took = tf("{took_ms} ms", &[("took_ms", &step.took_ms)]);
    let text = (!text.is_empty()).then(|| told(&text));
    view! {
        <li data-tone=tone.code()>
            <Icon name=icon/>
            <span>{told(&step.name)}</span>
            <span>{took}</span>
            {text.map(|text| view! { <small>{text}</small> }.any())}
        </li>
    }
    .any()
}
