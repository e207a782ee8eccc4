//! How much of a payload a record takes.

/// The most bytes of JSON that one field of a detail takes, unless the recorder says otherwise.
pub const DEFAULT_FIELD_BYTES: usize = 16 * 1024;
/// The most bytes of JSON that a whole detail takes, apart from the marks that stand for what was cut, unless the
/// recorder says otherwise.
pub const DEFAULT_DETAIL_BYTES: usize = 64 * 1024;
/// How deep a payload may nest, unless the recorder says otherwise.
pub const DEFAULT_DEPTH: usize = 64;
/// How many entries a list or a map may have, unless the recorder says otherwise.
pub const DEFAULT_ENTRIES: usize = 4096;

/// The bounds of a payload. What is over one is cut: its size and the digest of its redacted bytes take its place, its
/// path is in the record's list of what was cut, and the record is flagged. Nothing fails.
///
/// ```
/// # use audit_core as audited;
/// use audited::Limits;
///
/// let limits = Limits::new().field_bytes(4096).detail_bytes(16 * 1024).depth(8).entries(100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) field_bytes: usize,
    pub(crate) detail_bytes: usize,
    pub(crate) depth: usize,
    pub(crate) entries: usize,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        field_bytes: DEFAULT_FIELD_BYTES,
        detail_bytes: DEFAULT_DETAIL_BYTES,
        depth: DEFAULT_DEPTH,
        entries: DEFAULT_ENTRIES,
    };

    /// For what never stands in a record itself, but is hashed or counted.
    pub(super) const NONE: Self =
        Self { field_bytes: usize::MAX, detail_bytes: usize::MAX, depth: DEFAULT_DEPTH, entries: usize::MAX };

    /// The defaults.
    pub const fn new() -> Self {
        Self::DEFAULT
    }

    /// Sets the most bytes of JSON that one field of a detail takes; fewer than 128 count as 128. Unless it is set,
    /// that is [`DEFAULT_FIELD_BYTES`].
    #[must_use]
    pub const fn field_bytes(mut self, bytes: usize) -> Self {
        self.field_bytes = within(bytes, 128, 1 << 30);
        self
    }

    /// Sets the most bytes of JSON that a whole detail takes, apart from the marks that stand for what was cut; fewer
    /// than 128 count as 128. Unless it is set, that is [`DEFAULT_DETAIL_BYTES`].
    #[must_use]
    pub const fn detail_bytes(mut self, bytes: usize) -> Self {
        self.detail_bytes = within(bytes, 128, 1 << 30);
        self
    }

    /// Sets how deep a payload may nest: from one level to 120, beyond which common JSON parsers would refuse the record.
    /// Unless it is set, that is [`DEFAULT_DEPTH`].
    #[must_use]
    pub const fn depth(mut self, levels: usize) -> Self {
        self.depth = within(levels, 1, 120);
        self
    }

    /// Sets how many entries a list or a map may have, at least one. Unless it is set, that is [`DEFAULT_ENTRIES`].
    #[must_use]
    pub const fn entries(mut self, entries: usize) -> Self {
        self.entries = within(entries, 1, 1 << 30);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const fn within(number: usize, least: usize, most: usize) -> usize {
    if number < least {
        least
    } else if number > most {
        most
    } else {
        number
    }
}
