//! The pieces packets are made of: numbers, strings and how their lengths are written.

use bytes::{Buf, BufMut};

/// Bytes of a client that are not what the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed packet")]
pub(crate) struct Malformed;

/// Reads a packet from its start; nothing it is given can make it read past the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(packet: &'a [u8]) -> Self {
        Reader { rest: packet }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        self.rest.try_get_u8().map_err(|_| Malformed)
    }

    pub(crate) fn two_bytes(&mut self) -> Result<u16, Malformed> {
        self.rest.try_get_u16_le().map_err(|_| Malformed)
    }

    pub(crate) fn four_bytes(&mut self) -> Result<u32, Malformed> {
        self.rest.try_get_u32_le().map_err(|_| Malformed)
    }

    pub(crate) fn eight_bytes(&mut self) -> Result<u64, Malformed> {
        self.rest.try_get_u64_le().map_err(|_| Malformed)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// All that is left.
    pub(crate) fn remainder(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// A string up to the byte zero, which must be there.
    pub(crate) fn zero_ended(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.rest.iter().position(|byte| *byte == 0);
        let text = self.take(end.ok_or(Malformed)?)?;
        self.take(1)?;
        Ok(text)
    }

    /// A string up to the byte zero or the end of the packet.
    pub(crate) fn zero_or_packet_ended(&mut self) -> &'a [u8] {
        self.zero_ended().unwrap_or_else(|_| self.remainder())
    }

    /// A number that tells its own length.
    pub(crate) fn sized_number(&mut self) -> Result<u64, Malformed> {
        match self.byte()? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.two_bytes().map(u64::from),
            0xfd => {
                let three = self.take(3)?;
                Ok(u64::from(u32::from_le_bytes([
                    three[0], three[1], three[2], 0,
                ])))
            }
            0xfe => self.eight_bytes(),
            0xfb | 0xff => Err(Malformed),
        }
    }

    /// A string with its length in front.
    pub(crate) fn sized_string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.sized_number()?).map_err(|_| Malformed)?;
        self.take(length)
    }
}

/// The bytes as text, not longer than `most` bytes.
pub(crate) fn text(bytes: &[u8], most: usize) -> Result<String, Malformed> {
    if bytes.len() > most {
        return Err(Malformed);
    }
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| Malformed)
}

/// Appends a number that tells its own length.
pub(crate) fn put_sized_number(packet: &mut Vec<u8>, number: u64) {
    match number {
        0..=0xfa => packet.put_u8(number as u8),
        0xfb..=0xffff => {
            packet.put_u8(0xfc);
            packet.put_u16_le(number as u16);
        }
        0x1_0000..=0xff_ffff => {
            packet.put_u8(0xfd);
            packet.put_uint_le(number, 3);
        }
        _ => {
            packet.put_u8(0xfe);
            packet.put_u64_le(number);
        }
    }
}

/// Appends a string with its length in front.
pub(crate) fn put_sized_string(packet: &mut Vec<u8>, string: &[u8]) {
    put_sized_number(packet, string.len() as u64);
    packet.put_slice(string);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            let mut packet = Vec::new();
            put_sized_number(&mut packet, number);
            let mut reader = Reader::new(&packet);
            prop_assert_eq!(reader.sized_number(), Ok(number));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn a_cut_string_is_malformed(string in prop::collection::vec(any::<u8>(), 0..600), cut in any::<prop::sample::Index>()) {
            let mut packet = Vec::new();
            put_sized_string(&mut packet, &string);
            prop_assert_eq!(Reader::new(&packet).sized_string(), Ok(string.as_slice()));
            packet.truncate(cut.index(packet.len()));
            prop_assert_eq!(Reader::new(&packet).sized_string(), Err(Malformed));
        }
    }

    #[test]
    fn the_marks_of_null_and_error_are_no_lengths() {
        assert_eq!(Reader::new(&[0xfb]).sized_number(), Err(Malformed));
        assert_eq!(Reader::new(&[0xff]).sized_number(), Err(Malformed));
        assert_eq!(Reader::new(b"abc").zero_ended(), Err(Malformed));
        assert_eq!(Reader::new(b"abc").zero_or_packet_ended(), b"abc");
    }
}
