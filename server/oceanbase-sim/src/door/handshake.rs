//! The first packets of a connection: the greeting, what the client answers, and the proof of a password.

use bytes::BufMut;
use sha1::{Digest, Sha1};

use super::wire::{Malformed, Reader, text};

/// The one way to sign in.
pub(crate) const PLUGIN: &str = "mysql_native_password";

/// Bytes of a challenge and of its answer.
pub(crate) const CHALLENGE_LENGTH: usize = 20;

/// Statements end with commits of their own.
pub(crate) const STATUS_AUTOCOMMIT: u16 = 0x0002;

const CONNECT_WITH_DATABASE: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const TLS: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const CONNECT_ATTRIBUTES: u32 = 1 << 20;
const SIZED_PROOF: u32 = 1 << 21;

/// What the server says it can, without TLS. Neither several statements nor several results are in it, although
/// both are carried out; nor compression, nor results without their end mark.
const CAPABILITIES: u32 = 1 // long passwords
    | 1 << 1 // found rows
    | 1 << 2 // long flags
    | CONNECT_WITH_DATABASE
    | 1 << 4 // no schema
    | 1 << 6 // ODBC
    | 1 << 7 // local files
    | 1 << 8 // spaces before parentheses
    | PROTOCOL_41
    | 1 << 10 // interactive
    | 1 << 12 // ignores SIGPIPE
    | 1 << 13 // transactions
    | 1 << 14 // reserved
    | SECURE_CONNECTION
    | 1 << 18 // several results of prepared statements
    | PLUGIN_AUTH
    | CONNECT_ATTRIBUTES;

/// `utf8mb4_bin`.
const CHARSET: u8 = 46;

const LONGEST_USER: usize = 512;
const LONGEST_DATABASE: usize = 512;
const LONGEST_PLUGIN: usize = 64;

/// The random bytes a client has to answer.
pub(crate) type Challenge = [u8; CHALLENGE_LENGTH];

/// A new challenge, of printable characters: some clients end it at a zero.
pub(crate) fn new_challenge() -> Result<Challenge, getrandom::Error> {
    let mut challenge = [0; CHALLENGE_LENGTH];
    getrandom::fill(&mut challenge)?;
    Ok(challenge.map(|byte| b'!' + byte % 94))
}

/// The first packet of a connection.
pub(crate) fn greeting(
    version: &str,
    connection: u32,
    challenge: &Challenge,
    tls: bool,
) -> Vec<u8> {
    let capabilities = CAPABILITIES | if tls { TLS } else { 0 };
    let mut packet = Vec::with_capacity(96);
    packet.put_u8(10);
    packet.extend(version.bytes().filter(|byte| *byte != 0));
    packet.put_u8(0);
    packet.put_u32_le(connection);
    packet.put_slice(&challenge[..8]);
    packet.put_u8(0);
    packet.put_u16_le(capabilities as u16);
    packet.put_u8(CHARSET);
    packet.put_u16_le(STATUS_AUTOCOMMIT);
    packet.put_u16_le((capabilities >> 16) as u16);
    packet.put_u8(CHALLENGE_LENGTH as u8 + 1);
    packet.put_bytes(0, 10);
    packet.put_slice(&challenge[8..]);
    packet.put_u8(0);
    packet.put_slice(PLUGIN.as_bytes());
    packet.put_u8(0);
    packet
}

/// What a client signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) proof: Vec<u8>,
    pub(crate) challenge: Challenge,
    pub(crate) database: Option<String>,
}

impl Credentials {
    /// Whether the client knew this password.
    pub(crate) fn proves(&self, password: &str) -> bool {
        match (self.proof.is_empty(), password.is_empty()) {
            (true, true) => true,
            (false, false) => {
                // Looks at every byte, so that the time taken tells nothing.
                let expected = proof(password, &self.challenge);
                let pairs = expected.iter().zip(&self.proof);
                self.proof.len() == CHALLENGE_LENGTH
                    && pairs.fold(0, |differing, (left, right)| differing | (left ^ right)) == 0
            }
            _ => false,
        }
    }
}

/// What a client that knows `password` answers to `challenge`.
fn proof(password: &str, challenge: &Challenge) -> Challenge {
    let once = Sha1::digest(password.as_bytes());
    let twice = Sha1::digest(once);
    let mixed = Sha1::new()
        .chain_update(challenge)
        .chain_update(twice)
        .finalize();
    std::array::from_fn(|index| once[index] ^ mixed[index])
}

/// The client's first packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// It wants TLS and says the rest afterwards.
    Tls,
    /// It signs in.
    SignIn(Credentials),
}

/// Reads the client's first packet, or its second after TLS was set up.
pub(crate) fn parse_response(
    packet: &[u8],
    challenge: Challenge,
    tls: bool,
) -> Result<Response, Malformed> {
    let mut reader = Reader::new(packet);
    let capabilities = reader.four_bytes()?;
    if capabilities & PROTOCOL_41 == 0 {
        return Err(Malformed);
    }
    // The largest packet it takes, its charset, and what is reserved.
    reader.take(4 + 1 + 23)?;
    if capabilities & TLS != 0 && reader.is_empty() {
        return if tls {
            Ok(Response::Tls)
        } else {
            Err(Malformed)
        };
    }
    let user = text(reader.zero_ended()?, LONGEST_USER)?;
    let proof = if capabilities & SIZED_PROOF != 0 {
        reader.sized_string()?
    } else if capabilities & SECURE_CONNECTION != 0 {
        let length = reader.byte()?;
        reader.take(usize::from(length))?
    } else {
        reader.zero_or_packet_ended()
    };
    let database = if capabilities & CONNECT_WITH_DATABASE != 0 && !reader.is_empty() {
        text(reader.zero_or_packet_ended(), LONGEST_DATABASE)?
    } else {
        String::new()
    };
    skip_plugin_and_attributes(&mut reader, capabilities)?;
    Ok(Response::SignIn(credentials(
        user, proof, challenge, database,
    )))
}

fn credentials(user: String, proof: &[u8], challenge: Challenge, database: String) -> Credentials {
    // Some clients write the empty password as one zero.
    let proof = if proof == [0] { &[] } else { proof };
    Credentials {
        user,
        proof: proof.to_vec(),
        challenge,
        database: (!database.is_empty()).then_some(database),
    }
}

/// A client that names another plugin is not told to change it: its proof is then simply wrong.
fn skip_plugin_and_attributes(reader: &mut Reader<'_>, capabilities: u32) -> Result<(), Malformed> {
    if capabilities & PLUGIN_AUTH != 0 && !reader.is_empty() {
        text(reader.zero_or_packet_ended(), LONGEST_PLUGIN)?;
    }
    if capabilities & CONNECT_ATTRIBUTES != 0 && !reader.is_empty() {
        let mut attributes = Reader::new(reader.sized_string()?);
        while !attributes.is_empty() {
            attributes.sized_string()?;
            attributes.sized_string()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::wire::{put_sized_number, put_sized_string};
    use proptest::prelude::*;

    const CHALLENGE: Challenge = *b"abcdefghijklmnopqrst";

    fn response(capabilities: u32, after: &[u8]) -> Vec<u8> {
        let mut packet = (capabilities | PROTOCOL_41).to_le_bytes().to_vec();
        packet.extend([0, 0, 0, 1, 45]);
        packet.extend([0; 23]);
        packet.extend(after);
        packet
    }

    #[test]
    fn everything_a_client_may_say_is_read() {
        let mut after = b"root@t1\0".to_vec();
        put_sized_string(&mut after, &proof("secret", &CHALLENGE));
        after.extend(b"oceanbase\0mysql_native_password\0");
        let mut attributes = Vec::new();
        put_sized_string(&mut attributes, b"_client_name");
        put_sized_string(&mut attributes, &[b'x'; 300]);
        put_sized_string(&mut after, &attributes);
        let all = SECURE_CONNECTION | CONNECT_WITH_DATABASE | PLUGIN_AUTH | CONNECT_ATTRIBUTES;
        for capabilities in [all, all | SIZED_PROOF] {
            let packet = response(capabilities, &after);
            let Response::SignIn(read) = parse_response(&packet, CHALLENGE, false).unwrap() else {
                panic!("TLS was not asked for");
            };
            assert_eq!(read.user, "root@t1");
            assert_eq!(read.database.as_deref(), Some("oceanbase"));
            assert!(read.proves("secret"));
            assert!(!read.proves("Secret"));
            assert!(!read.proves(""));
        }
    }

    #[test]
    fn an_empty_answer_is_the_empty_password() {
        let packet = response(SECURE_CONNECTION, b"root\0\0");
        let Ok(Response::SignIn(read)) = parse_response(&packet, CHALLENGE, false) else {
            panic!("not read");
        };
        assert!(read.proves(""));
        assert!(!read.proves("secret"));
        assert_eq!(read.database, None);
    }

    #[test]
    fn a_proof_of_another_length_proves_nothing() {
        let mut short = credentials("root".into(), &[7; 19], CHALLENGE, String::new());
        assert!(!short.proves("secret"));
        short.proof = proof("secret", &CHALLENGE).to_vec();
        assert!(short.proves("secret"));
        short.proof.push(0);
        assert!(!short.proves("secret"));
    }

    #[test]
    fn tls_is_asked_for_only_where_it_was_offered() {
        let packet = response(TLS, b"");
        assert_eq!(parse_response(&packet, CHALLENGE, true), Ok(Response::Tls));
        assert_eq!(parse_response(&packet, CHALLENGE, false), Err(Malformed));
    }

    #[test]
    fn names_and_attributes_have_limits() {
        let mut after = vec![b'r'; LONGEST_USER + 1];
        after.extend([0, 0]);
        let packet = response(SECURE_CONNECTION, &after);
        assert_eq!(parse_response(&packet, CHALLENGE, false), Err(Malformed));
        let mut after = b"root\0\0".to_vec();
        put_sized_number(&mut after, u64::MAX);
        let packet = response(SECURE_CONNECTION | CONNECT_ATTRIBUTES, &after);
        assert_eq!(parse_response(&packet, CHALLENGE, false), Err(Malformed));
    }

    #[test]
    fn the_greeting_offers_what_is_served() {
        for tls in [false, true] {
            let packet = greeting("5.7.25", 9, &CHALLENGE, tls);
            assert_eq!(&packet[..8], b"\x0a5.7.25\0");
            let low = u32::from(u16::from_le_bytes([packet[21], packet[22]]));
            assert_eq!(packet[23], 46);
            let high = u32::from(u16::from_le_bytes([packet[26], packet[27]]));
            let offered = low | high << 16;
            // Several statements, several results, no end marks, compression, proofs with a sized length.
            for absent in [1 << 16, 1 << 17, 1 << 24, 1 << 5, SIZED_PROOF] {
                assert_eq!(offered & absent, 0);
            }
            assert_eq!(offered & TLS != 0, tls);
            assert_eq!(packet[28], 21);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            capabilities in any::<u32>(),
            after in prop::collection::vec(any::<u8>(), 0..300),
            tls in any::<bool>(),
        ) {
            let _ = parse_response(&after, CHALLENGE, tls);
            let _ = parse_response(&response(capabilities, &after), CHALLENGE, tls);
        }
    }
}
