//! The attribute and the derives of the `audited` framework.
