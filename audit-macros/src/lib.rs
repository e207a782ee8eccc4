//! The attribute and the derives of the `audited` framework.

mod ctxt;
mod symbol;
