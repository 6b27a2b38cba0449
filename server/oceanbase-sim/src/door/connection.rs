//! One connection: the handshake, then one command after the other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::handshake::{self, Credentials, Response, STATUS_AUTOCOMMIT};
use super::packet::{PacketError, PacketStream, Socket};
use super::resultset::{self, Format};
use super::statements::Statements;
use super::{Cluster, ClusterSession, Limits, refusals};
use crate::{Answer, Delivery, SqlError};

/// A client that has not signed in yet has no business with long packets.
const LARGEST_RESPONSE: usize = 64 * 1024;

const QUIT: u8 = 0x01;
const INIT_DB: u8 = 0x02;
const QUERY: u8 = 0x03;
const FIELD_LIST: u8 = 0x04;
const PING: u8 = 0x0e;
const CHANGE_USER: u8 = 0x11;
const STMT_PREPARE: u8 = 0x16;
const STMT_EXECUTE: u8 = 0x17;
const STMT_SEND_LONG_DATA: u8 = 0x18;
const STMT_CLOSE: u8 = 0x19;
const STMT_RESET: u8 = 0x1a;
const SET_OPTION: u8 = 0x1b;
const STMT_FETCH: u8 = 0x1c;
const RESET_CONNECTION: u8 = 0x1f;

type Stream = PacketStream<Box<dyn Socket>>;

/// What all connections have in common.
pub(crate) struct Shared<C> {
    pub(crate) cluster: Arc<C>,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Whether the connection stays.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Stay,
    Close,
}

struct Connection<C: Cluster> {
    shared: Arc<Shared<C>>,
    stream: Stream,
    /// Away only while it works, and for good once it has panicked.
    session: Option<C::Session>,
    credentials: Credentials,
    statements: Statements,
    stop: watch::Receiver<bool>,
}

/// Serves a client until it leaves or must go.
pub(crate) async fn serve<C: Cluster>(
    shared: Arc<Shared<C>>,
    socket: Box<dyn Socket>,
    number: u32,
    stop: watch::Receiver<bool>,
) {
    let stream = PacketStream::new(socket, shared.limits.transfer);
    let limit = shared.limits.handshake;
    let mut stopping = stop.clone();
    let welcomed = tokio::select! {
        welcomed = timeout(limit, welcome(shared, stream, number, stop)) => welcomed,
        () = stopped(&mut stopping) => return,
    };
    // How a connection failed is of no interest here: the client knows, or has gone.
    if let Ok(Ok(Some(connection))) = welcomed {
        let _ = connection.serve_commands().await;
    }
}

/// The handshake. `None` if the client was refused and told so.
async fn welcome<C: Cluster>(
    shared: Arc<Shared<C>>,
    mut stream: Stream,
    number: u32,
    stop: watch::Receiver<bool>,
) -> Result<Option<Connection<C>>, PacketError> {
    let challenge = handshake::new_challenge().map_err(io::Error::other)?;
    let version = shared.cluster.handshake_version();
    let offered = shared.tls.is_some();
    stream
        .send(&handshake::greeting(&version, number, &challenge, offered))
        .await?;
    stream.flush().await?;
    let patience = shared.limits.handshake;
    let mut packet = stream.read(LARGEST_RESPONSE, patience).await;
    if let (Ok(first), Some(tls)) = (&packet, &shared.tls)
        && handshake::parse_response(first, challenge, true) == Ok(Response::Tls)
    {
        stream = stream
            .on(|socket| {
                let accepting = tls.accept(socket);
                async { Ok(Box::new(accepting.await?) as Box<dyn Socket>) }
            })
            .await?;
        packet = stream.read(LARGEST_RESPONSE, patience).await;
    }
    let packet = match packet {
        Ok(packet) => packet,
        Err(error) => return tell(&mut stream, error).await.map(|()| None),
    };
    let Ok(Response::SignIn(credentials)) = handshake::parse_response(&packet, challenge, offered)
    else {
        refuse(&mut stream, &refusals::bad_handshake()).await?;
        return Ok(None);
    };
    match sign_in(&shared, &credentials).await {
        Ok(session) => {
            stream.send(&resultset::ok(0, STATUS_AUTOCOMMIT)).await?;
            stream.flush().await?;
            let statements = Statements::default();
            let session = Some(session);
            Ok(Some(Connection {
                shared,
                stream,
                session,
                credentials,
                statements,
                stop,
            }))
        }
        Err(refused) => {
            refuse(&mut stream, &refused).await?;
            Ok(None)
        }
    }
}

/// A new session, in the database that was asked for.
async fn sign_in<C: Cluster>(
    shared: &Shared<C>,
    credentials: &Credentials,
) -> Result<C::Session, SqlError> {
    let cluster = Arc::clone(&shared.cluster);
    let credentials = credentials.clone();
    let signing_in = tokio::task::spawn_blocking(move || {
        let proof = |password: &str| credentials.proves(password);
        let mut session = cluster.sign_in(&credentials.user, &proof)?;
        if let Some(database) = &credentials.database {
            session.use_database(database)?;
        }
        Ok(session)
    });
    signing_in
        .await
        .unwrap_or_else(|_| Err(refusals::internal()))
}

/// Sends a refusal.
async fn refuse(stream: &mut Stream, refused: &SqlError) -> Result<(), PacketError> {
    stream.send(&resultset::error(refused)).await?;
    stream.flush().await
}

/// Says goodbye to a client whose packet could not be read, with the reason if it can be told.
async fn tell(stream: &mut Stream, error: PacketError) -> Result<(), PacketError> {
    let refused = match error {
        PacketError::TooLarge => refusals::packet_too_large(),
        PacketError::OutOfOrder => refusals::packets_out_of_order(),
        PacketError::Left | PacketError::Silent | PacketError::Socket(_) => return Err(error),
    };
    refuse(stream, &refused).await?;
    stream.close().await;
    Ok(())
}

impl<C: Cluster> Connection<C> {
    async fn serve_commands(mut self) -> Result<(), PacketError> {
        let Limits {
            packet: largest,
            idle,
            ..
        } = self.shared.limits;
        loop {
            self.stream.begin();
            let packet = tokio::select! {
                packet = self.stream.read(largest, idle) => packet,
                () = stopped(&mut self.stop) => break,
            };
            match packet {
                Ok(packet) => {
                    if self.command(packet).await? == After::Close {
                        break;
                    }
                }
                Err(error) => return tell(&mut self.stream, error).await,
            }
        }
        self.stream.close().await;
        Ok(())
    }

    async fn command(&mut self, packet: Vec<u8>) -> Result<After, PacketError> {
        let Some((command, body)) = packet.split_first() else {
            return self.refuse(refusals::unknown_command()).await;
        };
        match *command {
            QUIT => Ok(After::Close),
            QUERY => match std::str::from_utf8(body) {
                Ok(text) => self.run(text.to_owned(), Format::Text).await,
                Err(_) => self.refuse(refusals::not_text()).await,
            },
            INIT_DB => self.use_database(body).await,
            PING => self.done().await,
            FIELD_LIST => self.refuse(refusals::not_supported("COM_FIELD_LIST")).await,
            CHANGE_USER => {
                self.refuse(refusals::not_supported("COM_CHANGE_USER"))
                    .await
            }
            RESET_CONNECTION => self.begin_anew().await,
            SET_OPTION => self.set_option(body).await,
            STMT_PREPARE => self.prepare(body).await,
            STMT_EXECUTE => match self.statements.filled_in(body) {
                Ok(text) => self.run(text, Format::Binary).await,
                Err(refused) => self.refuse(refused).await,
            },
            STMT_RESET => match self.statements.reset(body) {
                Ok(()) => self.done().await,
                Err(refused) => self.refuse(refused).await,
            },
            STMT_SEND_LONG_DATA => {
                self.statements.long_data(body);
                Ok(After::Stay)
            }
            STMT_CLOSE => {
                self.statements.close(body);
                Ok(After::Stay)
            }
            STMT_FETCH => self.refuse(refusals::not_supported("cursors")).await,
            _ => self.refuse(refusals::unknown_command()).await,
        }
    }

    async fn done(&mut self) -> Result<After, PacketError> {
        self.stream
            .send(&resultset::ok(0, STATUS_AUTOCOMMIT))
            .await?;
        self.stream.flush().await?;
        Ok(After::Stay)
    }

    async fn refuse(&mut self, refused: SqlError) -> Result<After, PacketError> {
        refuse(&mut self.stream, &refused).await?;
        Ok(After::Stay)
    }

    /// Lets the session work where it may take its time. It is gone if it panics.
    async fn with_session<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut C::Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        let mut session = self.session.take().ok_or_else(refusals::internal)?;
        let working = tokio::task::spawn_blocking(move || {
            let made = work(&mut session);
            (session, made)
        });
        let (session, made) = working.await.map_err(|_| refusals::internal())?;
        self.session = Some(session);
        made
    }

    async fn run(&mut self, text: String, format: Format) -> Result<After, PacketError> {
        let reply = match self
            .with_session(move |session| Ok(session.run(&text)))
            .await
        {
            Ok(reply) => reply,
            Err(refused) => {
                self.refuse(refused).await?;
                return Ok(After::Close);
            }
        };
        if reply.delay_ns > 0 {
            tokio::select! {
                () = sleep(Duration::from_nanos(reply.delay_ns)) => {}
                () = stopped(&mut self.stop) => return Ok(After::Close),
            }
        }
        match reply.delivery {
            Delivery::Whole => {
                self.send_answers(reply.answers, format).await?;
                Ok(After::Stay)
            }
            Delivery::LostAfter | Delivery::LostBefore => Ok(After::Close),
            Delivery::Hangs => {
                tokio::select! {
                    () = self.stream.wait_until_left() => {}
                    () = stopped(&mut self.stop) => {}
                }
                Ok(After::Close)
            }
        }
    }

    async fn send_answers(
        &mut self,
        mut answers: Vec<Result<Answer, SqlError>>,
        format: Format,
    ) -> Result<(), PacketError> {
        if answers.is_empty() {
            answers.push(Err(refusals::empty_query()));
        }
        resultset::send_answers(&mut self.stream, &answers, format).await
    }

    async fn use_database(&mut self, body: &[u8]) -> Result<After, PacketError> {
        let Ok(name) = std::str::from_utf8(body).map(str::to_owned) else {
            return self.refuse(refusals::not_text()).await;
        };
        let asked = name.clone();
        match self
            .with_session(move |session| session.use_database(&asked))
            .await
        {
            Ok(()) => {
                self.credentials.database = Some(name);
                self.done().await
            }
            Err(refused) => self.refuse(refused).await,
        }
    }

    /// A session without a past, with the same user and database.
    async fn begin_anew(&mut self) -> Result<After, PacketError> {
        self.statements = Statements::default();
        match sign_in(&self.shared, &self.credentials).await {
            Ok(session) => {
                self.session = Some(session);
                self.done().await
            }
            Err(refused) => {
                self.refuse(refused).await?;
                Ok(After::Close)
            }
        }
    }

    async fn set_option(&mut self, body: &[u8]) -> Result<After, PacketError> {
        // Several statements on or off: they are carried out either way.
        if !matches!(body, [0 | 1, 0]) {
            return self.refuse(refusals::unknown_command()).await;
        }
        self.stream.send(&resultset::end(STATUS_AUTOCOMMIT)).await?;
        self.stream.flush().await?;
        Ok(After::Stay)
    }

    async fn prepare(&mut self, body: &[u8]) -> Result<After, PacketError> {
        let Ok(text) = std::str::from_utf8(body).map(str::to_owned) else {
            return self.refuse(refusals::not_text()).await;
        };
        let asked = text.clone();
        let prepared = self
            .with_session(move |session| session.prepare(&asked))
            .await;
        let kept = prepared
            .and_then(|parameters| Ok((self.statements.keep(text, parameters)?, parameters)));
        let (statement, parameters) = match kept {
            Ok(kept) => kept,
            Err(refused) => return self.refuse(refused).await,
        };
        // Columns are told with the rows.
        self.stream
            .send(&resultset::prepared(statement, parameters))
            .await?;
        if parameters > 0 {
            for _ in 0..parameters {
                self.stream.send(&resultset::parameter()).await?;
            }
            self.stream.send(&resultset::end(STATUS_AUTOCOMMIT)).await?;
        }
        self.stream.flush().await?;
        Ok(After::Stay)
    }
}

/// Waits until the door closes.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error is a door that was dropped, which closes it too.
    let _ = stop.wait_for(|stop| *stop).await;
}
