//! The pages in front of the console: sign in, first run, set password. They are documents of their own that
//! the server sends whole; nothing in them needs a script, and no browser downloads anything of them.

use crate::{
    language::{Language, t, tf, told},
    paths,
    shell::top_bar::Wordmark,
    ui::Any,
};
use leptos::prelude::*;
use leptos_router::location::Url;

/// What stands on the page.
#[derive(Clone)]
pub enum Card {
    /// Sign in.
    SignIn(SignIn),
    /// Make the first administrator.
    FirstRun(FirstRun),
    /// Choose a password by a one-time link.
    SetPassword(SetPassword),
    /// The console cannot answer: why, and the way forward.
    Broken(String),
}

/// The form of sign-in.
#[derive(Clone, Default)]
pub struct SignIn {
    /// The name that was typed.
    pub name: String,
    /// Where to go then.
    pub to: String,
    /// What went wrong.
    pub wrong: Option<String>,
}

/// The form of the first run.
#[derive(Clone, Default)]
pub struct FirstRun {
    /// What the link of the start holds; nothing when the page was opened without it.
    pub link: Option<String>,
    /// The name that was typed.
    pub name: String,
    /// What went wrong.
    pub wrong: Option<String>,
}

/// The form of a one-time link.
#[derive(Clone, Default)]
pub struct SetPassword {
    /// What the link holds; nothing when it does not work.
    pub link: Option<String>,
    /// Whose it is.
    pub name: String,
    /// What went wrong.
    pub wrong: Option<String>,
}

/// The whole document, in a language.
pub fn document(card: Card, language: Language) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        provide_context(language);
        whole(card, language).to_html()
    });
    format!("<!DOCTYPE html>{html}")
}

fn whole(card: Card, language: Language) -> AnyView {
    // The address of a one-time link must not become part of another one.
    let others = match &card {
        Card::SignIn(form) => Some(other_languages(language, &form.to)),
        _ => None,
    };
    let (title, form) = match card {
        Card::SignIn(form) => (t("Sign in"), sign_in(form)),
        Card::FirstRun(form) => (t("First run"), first_run(form)),
        Card::SetPassword(form) => (t("Choose a password"), set_password(form)),
        Card::Broken(text) => (
            t("Not available"),
            message(t("Tidemark cannot answer now"), told(&text)),
        ),
    };
    view! {
        <html lang=language.tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                <title>{format!("{title} · Tidemark")}</title>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="stylesheet" href="/pkg/tidemark.css"/>
            </head>
            <body>
                <main class="gate">
                    <svg
                        class="gate-sea"
                        viewBox="0 0 1000 200"
                        preserveAspectRatio="none"
                        aria-hidden="true"
                    >
                        <path class="gate-water" d=format!("{WAVE}V200H0z")></path>
                        <path class="gate-line" d=WAVE></path>
                    </svg>
                    {form}
                    <p class="gate-foot">
                        {concat!("Tidemark ", env!("CARGO_PKG_VERSION"))}
                        {others}
                    </p>
                </main>
            </body>
        </html>
    }
    .any()
}

/// The ways to sign-in in the other languages.
fn other_languages(language: Language, to: &str) -> AnyView {
    let search = format!("to={}", Url::escape(to));
    let others = Language::ALL.into_iter().filter(|other| *other != language);
    let others = others.map(|other| {
        let href = paths::in_language(other, "/sign-in", &search);
        view! { " · " <a href=href lang=other.tag() hreflang=other.tag()>{other.own_name()}</a> }
            .into_any()
    });
    others.collect_view().into_any()
}

const WAVE: &str = "M0 60c62 0 62-22 125-22s62 22 125 22 62-22 125-22 62 22 125 22 62-22 125-22 62 22 125 22 62-22 125-22 62 22 125 22";

fn sign_in(form: SignIn) -> AnyView {
    let wrong = form.wrong.is_some();
    view! {
        <form class="gate-card" method="post" action="/sign-in" aria-labelledby="gate-title">
            <Wordmark/>
            <h1 id="gate-title">{t("Sign in")}</h1>
            {problem(form.wrong)}
            <input type="hidden" name="to" value=form.to/>
            <div class="field">
                <label for="name">{t("Name")}</label>
                <input
                    class="input"
                    id="name"
                    name="name"
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    maxlength="64"
                    value=form.name
                    autofocus
                />
            </div>
            {password("current-password", t("Password"), "password", wrong)}
            <button class="button" data-variant="primary" type="submit">
                {t("Sign in")}
            </button>
        </form>
    }
    .any()
}

fn first_run(form: FirstRun) -> AnyView {
    let Some(link) = form.link.filter(|link| !link.is_empty()) else {
        let text = t(
            "This console has no user yet. Open the link that it printed when it started: it makes the first \
             administrator. Starting the console again prints a new one.",
        );
        return message(t("Set up first"), text.to_owned());
    };
    view! {
        <form class="gate-card" method="post" action="/first-run" aria-labelledby="gate-title">
            <Wordmark/>
            <h1 id="gate-title">{t("Make the first administrator")}</h1>
            <p>{t("Whoever has this name and password may do everything, and add other users.")}</p>
            {problem(form.wrong)}
            <input type="hidden" name="link" value=link/>
            <div class="field">
                <label for="name">{t("Name")}</label>
                <input
                    class="input"
                    id="name"
                    name="name"
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    maxlength="64"
                    value=form.name
                    autofocus
                    aria-describedby="name-hint"
                />
                <p class="field-hint" id="name-hint">
                    {t("Letters, digits, dots, dashes and @.")}
                </p>
            </div>
            {new_password()}
            <button class="button" data-variant="primary" type="submit">
                {t("Make administrator")}
            </button>
        </form>
    }
    .any()
}

fn set_password(form: SetPassword) -> AnyView {
    let Some(link) = form.link else {
        let why = told(&form.wrong.unwrap_or_default());
        return message(t("This link does not work"), why);
    };
    view! {
        <form class="gate-card" method="post" action="/set-password" aria-labelledby="gate-title">
            <Wordmark/>
            <h1 id="gate-title">{tf("Choose a password for {name}", &[("name", &form.name)])}</h1>
            {problem(form.wrong)}
            <input type="hidden" name="link" value=link/>
            <input type="hidden" autocomplete="username" value=form.name/>
            {new_password()}
            <button class="button" data-variant="primary" type="submit">
                {t("Set password and sign in")}
            </button>
        </form>
    }
    .any()
}

fn message(title: &'static str, text: String) -> AnyView {
    view! {
        <section class="gate-card" aria-labelledby="gate-title">
            <Wordmark/>
            <h1 id="gate-title">{title}</h1>
            <p>{text}</p>
            <a class="button" href="/">
                {t("Open the console")}
            </a>
        </section>
    }
    .any()
}

fn problem(wrong: Option<String>) -> Option<AnyView> {
    wrong.map(|text| {
        view! {
            <div class="notice" data-tone="bad" role="alert" id="gate-problem">
                <div>
                    <p>{told(&text)}</p>
                </div>
            </div>
        }
        .any()
    })
}

fn new_password() -> AnyView {
    view! {
        {password("new-password", t("Password"), "password", false)}
        <p class="field-hint">
            {tf(
                "At least {least} characters. A few words that do not belong together are easy to remember.",
                &[("least", &domain::password::LENGTH_MIN)],
            )}
        </p>
        {password("new-password", t("The same password again"), "again", false)}
    }
    .any()
}

fn password(fill: &'static str, label: &'static str, name: &'static str, wrong: bool) -> AnyView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                class="input"
                type="password"
                id=name
                name=name
                autocomplete=fill
                required
                maxlength="256"
                aria-invalid=wrong.then_some("true")
                aria-describedby=wrong.then_some("gate-problem")
            />
        </div>
    }
    .any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english(card: Card) -> String {
        document(card, Language::English)
    }

    #[test]
    fn each_language_leads_to_the_other_and_back_to_the_page() {
        let card = || {
            Card::SignIn(SignIn {
                to: "/audit?a=b".to_owned(),
                ..SignIn::default()
            })
        };
        let html = document(card(), Language::Chinese);
        assert!(html.contains("<html lang=\"zh-CN\">"), "{html}");
        assert!(html.contains("登录") && !html.contains("Sign in"), "{html}");
        let way = "back=%2Fsign%2Din%3Fto%3D%252Faudit%253Fa%253Db";
        assert!(
            html.contains("/language?to=en") && html.contains(way),
            "{html}"
        );
        assert!(english(card()).contains("/language?to=zh"));
        let link = Card::FirstRun(FirstRun {
            link: Some("abc".to_owned()),
            ..FirstRun::default()
        });
        assert!(!english(link).contains("/language"));
    }

    #[test]
    fn the_form_posts_to_this_server_and_what_was_typed_stays_text() {
        let html = english(Card::SignIn(SignIn {
            name: "\"><script>alert(1)</script>".to_owned(),
            to: "/clusters?a=\"&b".to_owned(),
            wrong: Some("<b>Wrong</b>".to_owned()),
        }));
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{html}"
        );
        assert!(
            html.contains("method=\"post\" action=\"/sign-in\""),
            "{html}"
        );
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("<b>Wrong"), "{html}");
        assert!(html.contains("Sign in · Tidemark"), "{html}");
    }

    #[test]
    fn without_a_link_the_first_run_says_where_it_is() {
        let html = english(Card::FirstRun(FirstRun::default()));
        assert!(
            html.contains("Set up first") && !html.contains("<form"),
            "{html}"
        );
        let html = english(Card::FirstRun(FirstRun {
            link: Some("abc".to_owned()),
            ..FirstRun::default()
        }));
        assert!(html.contains("name=\"link\" value=\"abc\""), "{html}");
    }
}
