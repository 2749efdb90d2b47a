//! Reading DER, the encoding of certificates, as strictly as Go's `cryptobyte` reads it.
//!
//! Written here rather than taken from a crate because the decoded shape needs the raw bytes of parts, and a dozen
//! dependencies would come for a few tag-length-value rules. Every read is bounded by the bytes at hand.

/// Universal and context-specific tags.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const NUMERIC_STRING: u8 = 0x12;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const T61_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[n]`, primitive.
    pub(crate) const fn context(n: u8) -> u8 {
        0x80 | n
    }

    /// `[n]`, constructed.
    pub(crate) const fn constructed(n: u8) -> u8 {
        0xa0 | n
    }
}

/// The most bytes of an integer: RSA keys of 16384 bits fit.
const MAX_INTEGER: usize = 2050;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// The content.
    pub(crate) body: &'a [u8],
    /// The whole encoding.
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader(self.body)
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element of any tag.
    pub(crate) fn any(&mut self) -> Option<Element<'a>> {
        let [tag, length, rest @ ..] = self.0 else { return None };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (header, length) = match *length {
            length @ 0..=0x7f => (2, usize::from(length)),
            long @ 0x81..=0x84 => {
                let count = usize::from(long & 0x7f);
                let bytes = rest.get(..count)?;
                let length = bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
                // The shortest form is the only one.
                if bytes.first() == Some(&0) || length < 0x80 {
                    return None;
                }
                (2 + count, length)
            }
            _ => return None,
        };
        let end = header.checked_add(length)?;
        let raw = self.0.get(..end)?;
        let element = Element { tag: *tag, body: raw.get(header..)?, raw };
        self.0 = self.0.get(end..)?;
        Some(element)
    }

    /// The next element, which must have `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.next_is(tag) { self.any() } else { None }
    }

    /// The content of the next element, which must have `tag`.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(|element| element.reader())
    }

    /// Whether the next element has `tag`.
    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The elements until the end; `None` after the first that is malformed.
    pub(crate) fn each(mut self) -> impl Iterator<Item = Option<Element<'a>>> {
        let mut broken = false;
        std::iter::from_fn(move || {
            if self.is_empty() || broken {
                return None;
            }
            let element = self.any();
            broken = element.is_none();
            Some(element)
        })
    }

    pub(crate) fn boolean(&mut self) -> Option<bool> {
        match self.expect(tag::BOOLEAN)?.body {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// An integer's two's complement bytes, in the shortest form. Larger ones than any key needs are refused, because
    /// turning them into decimal takes quadratic time.
    pub(crate) fn integer(&mut self) -> Option<&'a [u8]> {
        shortest_integer(self.expect(tag::INTEGER)?.body).filter(|bytes| bytes.len() <= MAX_INTEGER)
    }

    pub(crate) fn small_integer(&mut self) -> Option<i64> {
        to_i64(self.integer()?)
    }

    pub(crate) fn oid(&mut self) -> Option<Vec<u64>> {
        parse_oid(self.expect(tag::OID)?.body)
    }

    /// The bits as bytes, moved right so that unused bits come first.
    pub(crate) fn bit_string(&mut self) -> Option<Vec<u8>> {
        let (unused, bytes) = self.bits()?;
        let mut carry = 0;
        let shift = |byte: &u8| {
            let moved = byte >> unused | carry;
            carry = if unused == 0 { 0 } else { byte << (8 - unused) };
            moved
        };
        Some(bytes.iter().map(shift).collect())
    }

    /// The number of unused bits at the end, and the bytes.
    pub(crate) fn bits(&mut self) -> Option<(u8, &'a [u8])> {
        let [unused @ 0..=7, bytes @ ..] = self.expect(tag::BIT_STRING)?.body else { return None };
        let spare = (1_u8 << unused) - 1;
        let valid = bytes.last().map_or(*unused == 0, |last| last & spare == 0);
        valid.then_some((*unused, bytes))
    }
}

pub(crate) fn shortest_integer(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [] => None,
        [0, next, ..] if next & 0x80 == 0 => None,
        [0xff, next, ..] if next & 0x80 != 0 => None,
        bytes => Some(bytes),
    }
}

pub(crate) fn to_i64(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.first()? & 0x80 != 0;
    let start = if negative { -1 } else { 0 };
    (bytes.len() <= 8).then(|| bytes.iter().fold(start, |value: i64, byte| value << 8 | i64::from(*byte)))
}

fn parse_oid(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut parts = Vec::new();
    let mut part = 0_u64;
    let mut started = false;
    for byte in bytes {
        if (!started && *byte == 0x80) || part >= 1 << 24 {
            return None;
        }
        part = part << 7 | u64::from(byte & 0x7f);
        started = byte & 0x80 != 0;
        if !started {
            match parts.len() {
                0 if part < 80 => parts.extend([part / 40, part % 40]),
                0 => parts.extend([2, part - 80]),
                _ => parts.push(part),
            }
            part = 0;
        }
    }
    (!started && !parts.is_empty()).then_some(parts)
}

/// An unsigned big-endian number in decimal.
pub fn decimal(bytes: &[u8]) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs = vec![0_u64];
    for byte in bytes {
        let mut carry = u64::from(*byte);
        for limb in &mut limbs {
            let value = *limb * 256 + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut limbs = limbs.into_iter().rev();
    let first = limbs.next().unwrap_or_default().to_string();
    limbs.fold(first, |text, limb| format!("{text}{limb:09}"))
}
