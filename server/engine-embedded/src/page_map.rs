//! The page map: a hash of every page, and the state digest over all of them.
//!
//! The digest is the XOR of the page hashes, so it follows each changed page at once and two equal
//! states have equal digests whatever path led to them. It serves equality, not defence against
//! somebody who crafts pages; files carry BLAKE3 for that.

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Offset of the page that SQLite never stores data in, because its lock bytes lie there.
const LOCK_BYTE_OFFSET: u64 = 1 << 30;

/// Hash of every page of one state of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageMap {
    page_size: u32,
    hashes: Vec<u128>,
    digest: u128,
}

impl PageMap {
    /// The map of a database without pages.
    pub(crate) fn new(page_size: u32) -> Self {
        PageMap {
            page_size,
            hashes: Vec::new(),
            digest: 0,
        }
    }

    /// The hash that `page` (numbered from 1) with `content` has in a map; zero for the lock-byte page.
    pub(crate) fn hash(page_size: u32, page: u32, content: &[u8]) -> u128 {
        if is_lock_byte_page(page_size, page) {
            return 0;
        }
        xxh3_128_with_seed(content, u64::from(page))
    }

    /// Sets the hash of a page, growing the map as needed.
    pub(crate) fn set(&mut self, page: u32, hash: u128) {
        let index = page as usize - 1;
        if index >= self.hashes.len() {
            self.hashes.resize(index + 1, 0);
        }
        self.digest ^= self.hashes[index] ^ hash;
        self.hashes[index] = hash;
    }

    /// Gives the map exactly `pages` pages, as a commit that shrinks or grows the database does.
    pub(crate) fn resize(&mut self, pages: u32) {
        for hash in self.hashes.drain((pages as usize).min(self.hashes.len())..) {
            self.digest ^= hash;
        }
        self.hashes.resize(pages as usize, 0);
    }

    /// Digest of the whole state.
    pub(crate) fn digest(&self) -> u128 {
        self.digest
    }

    /// Number of pages.
    pub(crate) fn pages(&self) -> u32 {
        u32::try_from(self.hashes.len()).expect("invariant: page numbers are 32 bit")
    }

    /// Bytes of a page.
    pub(crate) fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Hash of a page, or zero beyond the end.
    pub(crate) fn get(&self, page: u32) -> u128 {
        self.hashes.get(page as usize - 1).copied().unwrap_or(0)
    }

    /// The stored form: sixteen bytes a page, little endian.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.hashes
            .iter()
            .flat_map(|hash| hash.to_le_bytes())
            .collect()
    }

    /// Reads [`PageMap::to_bytes`]; `None` when the length is wrong.
    pub(crate) fn from_bytes(page_size: u32, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<16>();
        if !rest.is_empty() {
            return None;
        }
        let hashes: Vec<u128> = hashes
            .iter()
            .map(|bytes| u128::from_le_bytes(*bytes))
            .collect();
        let digest = hashes.iter().fold(0, |digest, hash| digest ^ hash);
        Some(PageMap {
            page_size,
            hashes,
            digest,
        })
    }
}

/// Whether `page` is the one that never holds data.
pub(crate) fn is_lock_byte_page(page_size: u32, page: u32) -> bool {
    u64::from(page) == LOCK_BYTE_OFFSET / u64::from(page_size) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lock_byte_page_counts_for_nothing() {
        assert!(is_lock_byte_page(4096, 262_145));
        assert_eq!(PageMap::hash(4096, 262_145, &[1; 8]), 0);
        assert_ne!(PageMap::hash(4096, 262_146, &[1; 8]), 0);
    }

    #[test]
    fn equal_content_on_another_page_has_another_hash() {
        assert_ne!(
            PageMap::hash(4096, 1, &[7; 4096]),
            PageMap::hash(4096, 2, &[7; 4096])
        );
    }

    proptest! {
        /// However pages come and go, the digest is that of the pages that are there.
        #[test]
        fn the_running_digest_equals_one_computed_from_scratch(
            steps in proptest::collection::vec((1u32..40, any::<u128>(), proptest::option::of(0u32..40)), 0..60),
        ) {
            let mut map = PageMap::new(512);
            let mut model: Vec<u128> = Vec::new();
            for (page, hash, resize) in steps {
                map.set(page, hash);
                if model.len() < page as usize { model.resize(page as usize, 0); }
                model[page as usize - 1] = hash;
                if let Some(pages) = resize {
                    map.resize(pages);
                    model.resize(pages as usize, 0);
                }
                prop_assert_eq!(map.digest(), model.iter().fold(0, |d, h| d ^ h));
                prop_assert_eq!(map.pages() as usize, model.len());
            }
            let back = PageMap::from_bytes(512, &map.to_bytes());
            prop_assert_eq!(back.as_ref(), Some(&map));
        }
    }
}
