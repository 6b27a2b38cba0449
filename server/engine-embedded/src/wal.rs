//! The write-ahead log as SQLite writes it: header, frames, running checksum. Pure; reads no file.
//!
//! Source of the layout: SQLite's file format document, section "The Write-Ahead Log".

/// Bytes of the header at the start of a `-wal` file.
pub(crate) const WAL_HEADER_BYTES: usize = 32;
/// Bytes in front of each page in a `-wal` file.
pub(crate) const FRAME_HEADER_BYTES: usize = 24;

/// The two salts as they stand in the file; a new pair means that the log began anew.
pub(crate) type Salts = [u8; 8];

/// The running checksum, chained from the header through every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Chain {
    pub(crate) s1: u32,
    pub(crate) s2: u32,
}

/// In which byte order the checksum adds up words; the writer's machine decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordOrder {
    Little,
    Big,
}

impl Chain {
    /// Adds `bytes`, a multiple of eight.
    pub(crate) fn add(&mut self, order: WordOrder, bytes: &[u8]) {
        let (mut s1, mut s2) = (self.s1, self.s2);
        for pair in bytes.chunks_exact(8) {
            let (a, b) = match order {
                WordOrder::Little => (le32(pair, 0), le32(pair, 4)),
                WordOrder::Big => (be32(pair, 0), be32(pair, 4)),
            };
            s1 = s1.wrapping_add(a).wrapping_add(s2);
            s2 = s2.wrapping_add(b).wrapping_add(s1);
        }
        *self = Chain { s1, s2 };
    }
}

/// The header of a `-wal` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WalHeader {
    pub(crate) order: WordOrder,
    pub(crate) page_size: u32,
    pub(crate) salts: Salts,
    /// The chain after the header, where the first frame goes on.
    pub(crate) chain: Chain,
}

impl WalHeader {
    /// Reads a header; `None` when it is none or its checksum is wrong.
    pub(crate) fn parse(bytes: &[u8; WAL_HEADER_BYTES]) -> Option<Self> {
        let order = match be32(bytes, 0) {
            0x377f_0682 => WordOrder::Little,
            0x377f_0683 => WordOrder::Big,
            _ => return None,
        };
        let mut chain = Chain::default();
        chain.add(order, &bytes[..24]);
        if chain
            != (Chain {
                s1: be32(bytes, 24),
                s2: be32(bytes, 28),
            })
        {
            return None;
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[16..24]);
        Some(WalHeader {
            order,
            page_size: be32(bytes, 8),
            salts,
            chain,
        })
    }
}

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Page number, from 1.
    pub(crate) page: u32,
    /// Pages of the database after this commit; zero when the frame ends no commit.
    pub(crate) db_pages: u32,
    pub(crate) salts: Salts,
    pub(crate) chain: Chain,
}

impl FrameHeader {
    /// Reads the first 24 bytes of a frame.
    pub(crate) fn parse(frame: &[u8]) -> Self {
        let mut salts = [0; 8];
        salts.copy_from_slice(&frame[8..16]);
        FrameHeader {
            page: be32(frame, 0),
            db_pages: be32(frame, 4),
            salts,
            chain: Chain {
                s1: be32(frame, 16),
                s2: be32(frame, 20),
            },
        }
    }
}

/// Checks `frame` (header and page) against the chain so far, which it advances. False when it does not follow.
pub(crate) fn follows(chain: &mut Chain, order: WordOrder, salts: Salts, frame: &[u8]) -> bool {
    let header = FrameHeader::parse(frame);
    chain.add(order, &frame[..8]);
    chain.add(order, &frame[FRAME_HEADER_BYTES..]);
    header.salts == salts && header.chain == *chain && header.page != 0
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
