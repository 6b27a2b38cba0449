//! The routes: pages and server functions, their files, the commands' API, health and metrics; and the guards
//! around all.

use crate::{
    http::{
        client, commands,
        counts::Counts,
        export, export_tasks, guard, headers, health, language,
        metrics::{self, Metrics},
        one_thread, request,
        session::{self, Gate},
        sign_in, users,
    },
    listen::{Rules, tls::Tls},
};
use app::{App, document};
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use control::Console;
use domain::access::Actor;
use leptos::{
    config::{Env, LeptosOptions},
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, ResponseOptions, file_and_error_handler_with_context,
    generate_route_list,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};
use tower_http::{limit::RequestBodyLimitLayer, services::ServeDir};

/// Name of the pages' files, as in the build's settings.
const OUTPUT_NAME: &str = "tidemark";
/// Longest body of any request: SQL text in JSON, with room for escapes.
const BODY_BYTES_MAX: usize = 2 * commands::SQL_BYTES_MAX;

/// The addresses of the pages. They are listed once per process: as long as a list is being made, whatever
/// another page waits for is held back and never comes.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// What the routes need.
#[derive(Clone)]
pub struct Parts {
    /// The use cases.
    pub console: Console,
    /// What commands have to show.
    pub token: Arc<str>,
    /// Where people open the console; one-time links begin with it.
    pub url: Arc<str>,
}

/// What surrounds the routes: who may come how, and what is measured.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// Names, proxies, encryption.
    pub rules: Arc<Rules>,
    /// The counts of requests.
    pub counts: Arc<Counts>,
    /// File of the token that opens `/metrics` to other machines.
    pub metrics_token_file: Option<PathBuf>,
    /// The certificate in use.
    pub tls: Option<Arc<Tls>>,
}

/// The routes of a server at `address` whose pages' files are in `site`, for this machine.
pub fn router(parts: Parts, site: &Path, address: SocketAddr) -> Router {
    router_in(parts, site, address, &Surroundings::default())
}

/// The routes of a server for whoever `around` lets in.
pub fn router_in(parts: Parts, site: &Path, address: SocketAddr, around: &Surroundings) -> Router {
    let local = local_routes(&parts, around);
    let pages = pages(parts, site, address);
    guarded(local.merge(pages), around)
}

/// Only what is for this machine: commands, health and metrics. Other machines come by another door.
pub fn local_router(parts: &Parts, around: &Surroundings) -> Router {
    guarded(local_routes(parts, around), around)
}

fn local_routes(parts: &Parts, around: &Surroundings) -> Router {
    let metrics = Metrics {
        console: parts.console.clone(),
        counts: Arc::clone(&around.counts),
        token_file: around.metrics_token_file.clone(),
        tls: around.tls.clone(),
    };
    let token = Arc::clone(&parts.token);
    let token_only = middleware::from_fn_with_state(token, guard::token_only);
    let commands = commands::routes(parts.console.clone())
        .merge(users::routes(parts.console.clone(), Arc::clone(&parts.url)))
        .layer(token_only);
    Router::new()
        .nest("/cli/v1", commands)
        .route("/healthz", get(health::alive))
        .route(
            "/readyz",
            get(health::ready).with_state(parts.console.clone()),
        )
        .route("/metrics", get(metrics::metrics).with_state(metrics))
}

/// What every request passes before it is answered; the last layer comes first.
fn guarded(routes: Router, around: &Surroundings) -> Router {
    let rules = || Arc::clone(&around.rules);
    routes
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard::own_pages_only))
        .layer(middleware::from_fn_with_state(
            rules(),
            guard::own_name_only,
        ))
        .layer(middleware::from_fn(headers::add_secure))
        .layer(middleware::from_fn_with_state(rules(), client::recognise))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&around.counts),
            request::follow,
        ))
}

fn pages(parts: Parts, site: &Path, address: SocketAddr) -> Router {
    let options = LeptosOptions::builder()
        .output_name(OUTPUT_NAME)
        .site_root(site.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .site_addr(address)
        .env(if cfg!(debug_assertions) {
            Env::DEV
        } else {
            Env::PROD
        })
        .build();
    let context = page_context(parts.console.clone());
    let shell = {
        let options = options.clone();
        move || document(options.clone())
    };
    let not_found = Router::new()
        .fallback(file_and_error_handler_with_context(
            context.clone(),
            document,
        ))
        .with_state(options.clone());
    // Files are answered here and not by the pages' own handler, which runs under whatever reactive
    // owner its thread had last and may copy another answer's status onto a file.
    let files = ServeDir::new(site)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .call_fallback_on_method_not_allowed(true)
        .fallback(not_found);
    let pages = Router::new()
        .leptos_routes_with_context(&options, ROUTES.clone(), context, shell)
        .layer(middleware::from_fn(one_thread::render))
        .fallback_service(files)
        .with_state(options);
    let gate = Gate::new(parts.console.clone(), address.port());
    pages
        .merge(sign_in::routes(gate.clone()))
        .merge(language::routes())
        .merge(export::routes(parts.console.clone()))
        .merge(export_tasks::routes(parts.console))
        .layer(middleware::from_fn_with_state(gate, session::identify))
}

/// What pages and server functions find in their context.
fn page_context(console: Console) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(console.clone());
        let request = use_context::<axum::http::request::Parts>();
        if let Some(parts) = &request {
            provide_context(language::asked(&parts.headers));
        }
        // Who is signed in, as the layer in front of the pages found out.
        if let Some(actor) = request.and_then(|parts| parts.extensions.get::<Actor>().cloned()) {
            provide_context(actor);
        }
        // Server functions have no nonce, because they render nothing.
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
            && let Some(policy) = headers::page_policy(&nonce)
        {
            response.insert_header(axum::http::header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}
