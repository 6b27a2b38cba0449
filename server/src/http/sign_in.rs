//! The pages that work without a session and without any script: sign in, first run, set password, sign out.

use super::{
    client::ClientAddress,
    language,
    session::{FIRST_RUN, Gate, SET_PASSWORD, SIGN_IN, SIGN_OUT, local_way, origin},
};
use app::gate::{Card, FirstRun, SetPassword, SignIn};
use axum::{
    Extension, Form, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use control::{Attempt, Began, ErrorKind};
use domain::{access::Actor, user::OneTimeLink, validate::sentence};
use serde::Deserialize;

/// On these pages nothing runs at all.
const NO_SCRIPTS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);
/// The addresses of links must not travel on in a header.
const NO_REFERRER: (HeaderName, HeaderValue) = (
    header::REFERRER_POLICY,
    HeaderValue::from_static("no-referrer"),
);

/// The routes.
pub fn routes(gate: Gate) -> Router {
    Router::new()
        .route(SIGN_IN, get(sign_in_page).post(sign_in))
        .route(FIRST_RUN, get(first_run_page).post(first_run))
        .route(SET_PASSWORD, get(set_password_page).post(set_password))
        .route(SIGN_OUT, post(sign_out))
        .with_state(gate)
        .layer(middleware::from_fn(in_language))
}

/// What stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    to: Option<String>,
    link: Option<String>,
}

/// What was typed. Fields that a form does not have are empty.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Typed {
    name: String,
    password: String,
    again: String,
    to: String,
    link: String,
    everywhere: bool,
}

type Client = Extension<ClientAddress>;

async fn sign_in_page(
    State(gate): State<Gate>,
    actor: Option<Extension<Actor>>,
    Query(asked): Query<Asked>,
) -> Response {
    let to = local_way(asked.to.as_deref());
    if actor.is_some() {
        return Redirect::to(to).into_response();
    }
    match gate.console.needs_set_up().await {
        Ok(true) => Redirect::to(FIRST_RUN).into_response(),
        Ok(false) => {
            let card = Card::SignIn(SignIn {
                name: String::new(),
                to: to.to_owned(),
                wrong: None,
            });
            page(StatusCode::OK, card)
        }
        Err(error) => broken(&error),
    }
}

async fn sign_in(
    State(gate): State<Gate>,
    Extension(client): Client,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let browser = gate.browser(client, &headers);
    let attempt = gate
        .console
        .sign_in(typed.name.trim(), &typed.password, &browser);
    let (status, wrong) = match attempt.await {
        Ok(Attempt::Began(began)) => return enter(&gate, client, &began, &typed.to),
        Ok(Attempt::Wrong) => (
            StatusCode::UNAUTHORIZED,
            "Name and password do not belong together.".to_owned(),
        ),
        Ok(Attempt::Disabled) => (
            StatusCode::FORBIDDEN,
            "This user is disabled. Ask an administrator of this console.".to_owned(),
        ),
        Ok(Attempt::Wait(seconds)) => (StatusCode::TOO_MANY_REQUESTS, wait(seconds)),
        Err(error) => return broken(&error),
    };
    let card = Card::SignIn(SignIn {
        name: typed.name,
        to: local_way(Some(&typed.to)).to_owned(),
        wrong: Some(wrong),
    });
    page(status, card)
}

fn wait(seconds: u64) -> String {
    let time = match seconds {
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    };
    format!("Too many failed attempts. Wait {time}, then try again.")
}

async fn first_run_page(State(gate): State<Gate>, Query(asked): Query<Asked>) -> Response {
    match gate.console.needs_set_up().await {
        Ok(true) => {
            let card = Card::FirstRun(FirstRun {
                link: asked.link,
                ..FirstRun::default()
            });
            page(StatusCode::OK, card)
        }
        Ok(false) => Redirect::to("/").into_response(),
        Err(error) => broken(&error),
    }
}

async fn first_run(
    State(gate): State<Gate>,
    Extension(client): Client,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let browser = gate.browser(client, &headers);
    let name = typed.name.trim().to_owned();
    let done = match typed.password == typed.again {
        true => {
            gate.console
                .set_up(&typed.link, &name, &typed.password, &browser)
                .await
        }
        false => Err(differ()),
    };
    match done {
        Ok(began) => enter(&gate, client, &began, "/"),
        Err(error) => again(&error, |wrong| {
            Card::FirstRun(FirstRun {
                link: Some(typed.link),
                name,
                wrong: Some(wrong),
            })
        }),
    }
}

async fn set_password_page(State(gate): State<Gate>, Query(asked): Query<Asked>) -> Response {
    let link = asked.link.unwrap_or_default();
    match gate.console.link_user(&link).await {
        Ok(name) => {
            let card = Card::SetPassword(SetPassword {
                link: Some(link),
                name,
                wrong: None,
            });
            page(StatusCode::OK, card)
        }
        Err(error) => link_ended(&error),
    }
}

async fn set_password(
    State(gate): State<Gate>,
    Extension(client): Client,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let browser = gate.browser(client, &headers);
    let name = match gate.console.link_user(&typed.link).await {
        Ok(name) => name,
        Err(error) => return link_ended(&error),
    };
    let done = match typed.password == typed.again {
        true => {
            gate.console
                .choose_password(&typed.link, &typed.password, &browser)
                .await
        }
        false => Err(differ()),
    };
    match done {
        Ok(began) => enter(&gate, client, &began, "/"),
        Err(error) => again(&error, |wrong| {
            Card::SetPassword(SetPassword {
                link: Some(typed.link),
                name,
                wrong: Some(wrong),
            })
        }),
    }
}

/// A link without a form: there is nothing to try again.
fn link_ended(error: &control::Error) -> Response {
    again(error, |wrong| {
        Card::SetPassword(SetPassword {
            link: None,
            name: String::new(),
            wrong: Some(wrong),
        })
    })
}

/// The card once more with what is wrong, where a person can correct that.
fn again(error: &control::Error, card: impl FnOnce(String) -> Card) -> Response {
    match told(error) {
        Some((status, wrong)) => page(status, card(wrong)),
        None => broken(error),
    }
}

async fn sign_out(
    State(gate): State<Gate>,
    Extension(client): Client,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let done = match (actor, gate.token(client, &headers)) {
        (Some(Extension(actor)), _) if typed.everywhere => match gate.console.account(&actor) {
            Ok(account) => account.sign_out_everywhere().await.map(|_| ()),
            Err(error) => Err(error),
        },
        (_, Some(token)) => {
            let origin = origin(client, None);
            gate.console.sign_out(&token, &origin).await
        }
        (_, None) => Ok(()),
    };
    if let Err(error) = done {
        return broken(&error);
    }
    let mut response = Redirect::to(SIGN_IN).into_response();
    if let Some(cookie) = gate.ended(client) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The answer to whoever is signed in now.
fn enter(gate: &Gate, client: ClientAddress, began: &Began, to: &str) -> Response {
    let mut response = Redirect::to(local_way(Some(to))).into_response();
    if let Some(cookie) = gate.begun(client, began) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// A page that is yet to be made, in the language of whoever asks.
fn page(status: StatusCode, card: Card) -> Response {
    (status, Extension(card)).into_response()
}

/// Makes the page that the answer stands for.
async fn in_language(request: Request, next: Next) -> Response {
    let language = language::asked(request.headers());
    let mut response = next.run(request).await;
    if let Some(card) = response.extensions_mut().remove::<Card>() {
        let status = response.status();
        response = (status, Html(app::gate::document(card, language))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, NO_SCRIPTS);
        headers.insert(NO_REFERRER.0, NO_REFERRER.1);
    }
    response
}

fn differ() -> control::Error {
    let allowed = "the two passwords differ; type the same one twice";
    let wrong = domain::validate::Violation::new("Password", "not shown", allowed);
    control::Error::Invalid(vec![wrong])
}

/// What a person can correct.
fn told(error: &control::Error) -> Option<(StatusCode, String)> {
    match error.kind() {
        ErrorKind::Invalid(wrong) => {
            let texts = wrong
                .iter()
                .map(|one| format!("{}: {}", one.field, sentence(&one.allowed)));
            let text = texts.collect::<Vec<_>>().join(" ");
            Some((StatusCode::UNPROCESSABLE_ENTITY, text))
        }
        ErrorKind::Conflict(text) => Some((StatusCode::CONFLICT, sentence(&text))),
        _ => None,
    }
}

fn broken(error: &control::Error) -> Response {
    tracing::error!(
        "signing in failed inside the console: {}",
        control::chain(error)
    );
    let card = Card::Broken(sentence(&error.to_string()));
    page(StatusCode::SERVICE_UNAVAILABLE, card)
}

/// The whole address of a one-time link at a console that is opened at `url`.
pub fn address(url: &str, link: &OneTimeLink) -> String {
    format!("{}{}", url.trim_end_matches('/'), link.path)
}
