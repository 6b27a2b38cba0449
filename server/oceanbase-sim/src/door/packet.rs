//! Packets on a socket: a length of three bytes, a number that counts up, and the splitting of what is long.

use std::io;
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The most one part carries; a part that is full is followed by another.
pub(crate) const FULL_PART: usize = 0xff_ff_ff;

/// Answers leave in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// How much of a packet that is refused for its size is read on, so that the refusal arrives.
const MOST_DISCARDED: usize = 128 * 1024 * 1024;

/// What carries packets: a TCP connection, with TLS or without.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// Why there is no packet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PacketError {
    /// The client closed its side, or stopped within a packet.
    #[error("the client left")]
    Left,
    /// The client was silent for too long.
    #[error("the client was silent for too long")]
    Silent,
    /// The packet does not have the number it must have.
    #[error("packets out of order")]
    OutOfOrder,
    /// The packet is larger than what is allowed.
    #[error("packet too large")]
    TooLarge,
    /// The socket does not work any more.
    #[error(transparent)]
    Socket(#[from] io::Error),
}

/// The two directions of a connection, in packets.
pub(crate) struct PacketStream<S> {
    socket: S,
    next_number: u8,
    outgoing: Vec<u8>,
    /// How long the bytes of one packet, or of one piece of an answer, may take.
    transfer: Duration,
}

impl<S: Socket> PacketStream<S> {
    pub(crate) fn new(socket: S, transfer: Duration) -> Self {
        PacketStream {
            socket,
            next_number: 0,
            outgoing: Vec::new(),
            transfer,
        }
    }

    /// The same conversation on another socket, such as the same one with TLS.
    pub(crate) async fn on<T: Socket, F: Future<Output = io::Result<T>>>(
        self,
        change: impl FnOnce(S) -> F,
    ) -> Result<PacketStream<T>, PacketError> {
        let socket = timeout(self.transfer, change(self.socket)).await;
        let socket = socket.map_err(|_| PacketError::Silent)??;
        Ok(PacketStream {
            socket,
            next_number: self.next_number,
            outgoing: self.outgoing,
            transfer: self.transfer,
        })
    }

    /// A new command begins: numbers start at zero again.
    pub(crate) fn begin(&mut self) {
        self.next_number = 0;
    }

    /// The next packet, put together from its parts. Waits `patience` for its first byte.
    pub(crate) async fn read(
        &mut self,
        largest: usize,
        patience: Duration,
    ) -> Result<Vec<u8>, PacketError> {
        let mut first = [0_u8; 1];
        let there = timeout(patience, self.socket.read(&mut first)).await;
        if there.map_err(|_| PacketError::Silent)?? == 0 {
            return Err(PacketError::Left);
        }
        timeout(self.transfer, self.read_parts(first[0], largest))
            .await
            .map_err(|_| PacketError::Silent)?
    }

    async fn read_parts(&mut self, first: u8, largest: usize) -> Result<Vec<u8>, PacketError> {
        let mut packet = Vec::new();
        let mut header = [first, 0, 0, 0];
        self.read_all(&mut header[1..]).await?;
        loop {
            let length = self.accept(header)?;
            if packet.len() + length > largest {
                self.discard(length).await?;
                return Err(PacketError::TooLarge);
            }
            let before = packet.len();
            // Grows with what arrives: a length alone must not cost memory.
            (&mut self.socket)
                .take(length as u64)
                .read_to_end(&mut packet)
                .await?;
            if packet.len() - before < length {
                return Err(PacketError::Left);
            }
            if length < FULL_PART {
                return Ok(packet);
            }
            self.read_all(&mut header).await?;
        }
    }

    /// Checks the number of a part and gives its length.
    fn accept(&mut self, header: [u8; 4]) -> Result<usize, PacketError> {
        if header[3] != self.next_number {
            return Err(PacketError::OutOfOrder);
        }
        self.next_number = self.next_number.wrapping_add(1);
        Ok(u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize)
    }

    async fn discard(&mut self, mut length: usize) -> Result<(), PacketError> {
        let mut discarded = 0;
        loop {
            let part = (&mut self.socket).take(length as u64);
            tokio::io::copy(&mut { part }, &mut tokio::io::sink()).await?;
            discarded += length;
            if length < FULL_PART || discarded >= MOST_DISCARDED {
                return Ok(());
            }
            let mut header = [0_u8; 4];
            self.read_all(&mut header).await?;
            length = self.accept(header)?;
        }
    }

    async fn read_all(&mut self, bytes: &mut [u8]) -> Result<(), PacketError> {
        match self.socket.read_exact(bytes).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(PacketError::Left),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a packet to what leaves with the next `flush`.
    pub(crate) async fn send(&mut self, packet: &[u8]) -> Result<(), PacketError> {
        let mut rest = packet;
        loop {
            let (part, after) = rest.split_at(rest.len().min(FULL_PART));
            self.outgoing.put_uint_le(part.len() as u64, 3);
            self.outgoing.put_u8(self.next_number);
            self.outgoing.put_slice(part);
            self.next_number = self.next_number.wrapping_add(1);
            rest = after;
            if self.outgoing.len() >= PIECE {
                self.flush().await?;
            }
            if part.len() < FULL_PART {
                return Ok(());
            }
        }
    }

    /// Sends what was added.
    pub(crate) async fn flush(&mut self) -> Result<(), PacketError> {
        let sending = async {
            self.socket.write_all(&self.outgoing).await?;
            self.socket.flush().await
        };
        timeout(self.transfer, sending)
            .await
            .map_err(|_| PacketError::Silent)??;
        self.outgoing.clear();
        // One long row must not cost memory for as long as the connection lives.
        self.outgoing.shrink_to(2 * PIECE);
        Ok(())
    }

    /// Waits until the client has left, whatever it sends until then.
    pub(crate) async fn wait_until_left(&mut self) {
        let mut ignored = [0_u8; 1024];
        while matches!(self.socket.read(&mut ignored).await, Ok(read) if read > 0) {}
    }

    /// Says goodbye as far as the socket allows.
    pub(crate) async fn close(&mut self) {
        // A client that does not listen must not keep the connection.
        let _ = timeout(self.transfer, self.socket.shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn long_packets_are_split_and_put_together() {
        for length in [0, 1, FULL_PART - 1, FULL_PART, FULL_PART + 1, 2 * FULL_PART] {
            let (near, far) = tokio::io::duplex(1 << 20);
            let mut near = PacketStream::new(near, 20 * SECOND);
            let mut far = PacketStream::new(far, 20 * SECOND);
            let packet: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let sent = packet.clone();
            let sending = async {
                near.send(&sent).await?;
                near.flush().await
            };
            let (sent, read) = tokio::join!(sending, far.read(usize::MAX, SECOND));
            sent.unwrap();
            assert!(read.unwrap() == packet, "{length}");
            assert_eq!(near.next_number, far.next_number);
        }
    }

    #[tokio::test]
    async fn a_packet_that_is_too_large_is_refused_after_it_was_read() {
        let (mut near, far) = tokio::io::duplex(1 << 10);
        let mut far = PacketStream::new(far, SECOND);
        let sending = async {
            near.write_all(&[0, 8, 0, 0]).await?;
            near.write_all(&[7; 2048]).await?;
            near.write_all(&[1, 0, 0, 1, 9]).await
        };
        let (sent, read) = tokio::join!(sending, far.read(1000, SECOND));
        sent.unwrap();
        assert!(matches!(read, Err(PacketError::TooLarge)));
        assert_eq!(far.read(1000, SECOND).await.unwrap(), [9]);
    }

    #[tokio::test]
    async fn silence_departure_and_wrong_numbers_are_told_apart() {
        let (mut near, far) = tokio::io::duplex(64);
        let mut far = PacketStream::new(far, Duration::from_millis(30));
        let silent = far.read(9, Duration::from_millis(10)).await;
        assert!(matches!(silent, Err(PacketError::Silent)));
        near.write_all(&[3, 0, 0, 0, 1]).await.unwrap();
        assert!(matches!(
            far.read(9, SECOND).await,
            Err(PacketError::Silent)
        ));
        near.write_all(&[3, 0, 0, 7, 1]).await.unwrap();
        assert!(matches!(
            far.read(9, SECOND).await,
            Err(PacketError::OutOfOrder)
        ));
        drop(near);
        while !matches!(far.read(9, SECOND).await, Err(PacketError::Left)) {}
    }
}
