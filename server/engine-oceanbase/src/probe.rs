//! Trying a connection before it is used: what works, what is missing, step by step.

use crate::{
    engine::{NO_TENANTS, WITHOUT_TENANTS, lacking, read_comment, read_version},
    failure::Call,
    legacy::LegacyEngine,
    link::Link,
    observe::{Look, LookError, TenantFacts},
    session::{Connector, SqlFailure},
    version::Version,
    views::Columns,
};
use ::engine::{Engine, EngineError, TenantObservation};
use domain::archive::ArchiveState;
use domain::endpoint::{ConnectionReport, ConnectionStep, Finding};
use std::{collections::BTreeMap, sync::Arc};
use tokio::time::Instant;

/// Most tenants that a finding names.
const NAMED_MAX: usize = 5;

/// Tries everything that the console needs of a cluster, and changes nothing there.
pub async fn try_connection(connector: Arc<dyn Connector>) -> ConnectionReport {
    let mut probe = Probe {
        report: ConnectionReport::default(),
        begun: Instant::now(),
    };
    // Its end is in the report; what is returned only ends the steps.
    let _ = probe.run(connector).await;
    probe.report
}

struct Probe {
    report: ConnectionReport,
    begun: Instant,
}

/// The steps ended early; the report says why.
struct Ended;

impl Probe {
    async fn run(&mut self, connector: Arc<dyn Connector>) -> Result<(), Ended> {
        let address = connector.address();
        let call = Call {
            operation: "test of the connection",
            subject: &address,
        };
        let link = Link::new(Arc::clone(&connector));
        self.sign_in(&*connector, call).await?;
        let version = self.version(&link, call).await?;
        if version.is_per_tenant() {
            let columns = self.views(&link, call).await?;
            self.grants(&link).await;
            self.tenants(&link, &columns, call).await
        } else {
            self.whole(connector, &link, call).await
        }
    }

    /// A cluster before 4.0, which is backed up as a whole.
    async fn whole(
        &mut self,
        connector: Arc<dyn Connector>,
        link: &Link,
        call: Call<'_>,
    ) -> Result<(), Ended> {
        let engine = match LegacyEngine::open(call.subject, connector).await {
            Ok(engine) => engine,
            Err(error) => return self.end(VIEWS, &error),
        };
        self.step(VIEWS, Finding::Good(String::new()));
        self.grants(link).await;
        let seen = match engine.observe().await {
            Ok(seen) => seen,
            Err(error) => return self.end(TENANTS, &error),
        };
        self.step(TENANTS, Finding::Good(counted(seen.tenants.len())));
        let on = |tenant: &TenantObservation| tenant.archive.state == ArchiveState::Doing;
        let log = match seen.tenants.iter().any(on) {
            true => Finding::Good("on".to_owned()),
            false => Finding::Warning(
                "off; without it nothing can be backed up, so start it under Log Backup Tasks"
                    .to_owned(),
            ),
        };
        self.step("Log backup", log);
        Ok(())
    }

    fn step(&mut self, name: &str, finding: Finding) {
        let took = self.begun.elapsed().as_millis();
        self.begun = Instant::now();
        self.report.steps.push(ConnectionStep {
            name: name.to_owned(),
            finding,
            took_ms: u64::try_from(took).unwrap_or(u64::MAX),
        });
    }

    fn end<T>(&mut self, name: &str, error: &EngineError) -> Result<T, Ended> {
        self.step(name, Finding::Bad(error.message.clone()));
        Err(Ended)
    }

    async fn sign_in(&mut self, connector: &dyn Connector, call: Call<'_>) -> Result<(), Ended> {
        let (reach, sign_in) = ("Reach the server", "Sign in");
        let address = connector.address();
        match connector.connect().await {
            Ok(_) => {
                self.step(reach, Finding::Good(address));
                self.step(sign_in, Finding::Good(String::new()));
                Ok(())
            }
            Err(failure @ SqlFailure::Refused { .. }) => {
                self.step(reach, Finding::Good(address));
                self.end(sign_in, &call.failed(&failure))
            }
            Err(failure) => self.end(reach, &call.failed(&failure)),
        }
    }

    async fn version(&mut self, link: &Link, call: Call<'_>) -> Result<Version, Ended> {
        let name = "Read the version";
        let read = async {
            let version = read_version(link, call).await?;
            Ok::<_, EngineError>((version, read_comment(link, call).await?))
        };
        match read.await {
            Ok((version, comment)) => {
                let has_tenants = !comment.contains(WITHOUT_TENANTS);
                self.step(name, Finding::Good(comment));
                if !has_tenants {
                    self.step(TENANTS, Finding::Warning(NO_TENANTS.to_owned()));
                    return Err(Ended);
                }
                Ok(version)
            }
            Err(error) => self.end(name, &error),
        }
    }

    async fn views(&mut self, link: &Link, call: Call<'_>) -> Result<Columns, Ended> {
        let columns = Columns::of(link)
            .await
            .map_err(|failure| call.failed(&failure))
            .and_then(|columns| lacking(&columns, call).map(|()| columns));
        match columns {
            Ok(columns) => {
                self.step(VIEWS, Finding::Good(String::new()));
                Ok(columns)
            }
            Err(error) => self.end(VIEWS, &error),
        }
    }

    /// Whether the account may order anything. One that may only look can be added all the same.
    async fn grants(&mut self, link: &Link) {
        let finding = match link.read("SHOW GRANTS").await {
            Ok(table) => {
                let rows = table.rows.iter().flatten().flatten();
                let may = |grant: &&String| {
                    let grant = grant.to_uppercase();
                    grant.contains("ALL PRIVILEGES ON *.*") || grant.contains("ALTER SYSTEM")
                };
                match rows.filter(may).count() {
                    0 => Finding::Warning(
                        "the account lacks ALTER SYSTEM: everything can be seen, and nothing can be backed \
                         up, recovered or changed from here; grant it, or use root@sys"
                            .to_owned(),
                    ),
                    _ => Finding::Good(String::new()),
                }
            }
            Err(failure) => {
                Finding::Warning(format!("what the account may do cannot be read: {failure}"))
            }
        };
        self.step("May order backups and recoveries", finding);
    }

    async fn tenants(
        &mut self,
        link: &Link,
        columns: &Columns,
        call: Call<'_>,
    ) -> Result<(), Ended> {
        let looked = async {
            let look = Look::take(link, columns).await?;
            Ok::<_, LookError>(look.tenants()?)
        };
        let tenants = match looked.await {
            Ok(tenants) => tenants,
            Err(LookError::Failed(failure)) => return self.end(TENANTS, &call.failed(&failure)),
            Err(LookError::Bad(value)) => return self.end(TENANTS, &call.bad_value(&value)),
        };
        self.step(TENANTS, Finding::Good(counted(tenants.len())));
        self.step("Destinations", destinations(&tenants));
        self.step("Log backup", log_backup(&tenants));
        Ok(())
    }
}

const VIEWS: &str = "See backups and log backup";
const TENANTS: &str = "Look at the tenants";

fn counted(tenants: usize) -> String {
    match tenants {
        1 => "1 tenant".to_owned(),
        count => format!("{count} tenants"),
    }
}

/// Tenants without a destination cannot be backed up until they have one.
fn destinations(tenants: &BTreeMap<i64, TenantFacts>) -> Finding {
    let lacks = |tenant: &&TenantFacts| {
        tenant.data_destination.is_empty() || tenant.log_destination.is_empty()
    };
    let names: Vec<&str> = tenants.values().filter(lacks).map(|it| &*it.name).collect();
    match names.as_slice() {
        [] => Finding::Good("every tenant has them".to_owned()),
        names => Finding::Warning(format!(
            "not set for {}; a backup strategy sets them",
            some_of(names)
        )),
    }
}

fn log_backup(tenants: &BTreeMap<i64, TenantFacts>) -> Finding {
    let off = |tenant: &&TenantFacts| tenant.log_mode != "ARCHIVELOG";
    let names: Vec<&str> = tenants.values().filter(off).map(|it| &*it.name).collect();
    match names.as_slice() {
        [] => Finding::Good("on for every tenant".to_owned()),
        names => Finding::Warning(format!(
            "off for {}; without it nothing can be backed up, so start it under Log Backup Tasks",
            some_of(names)
        )),
    }
}

fn some_of(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED_MAX)].join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
