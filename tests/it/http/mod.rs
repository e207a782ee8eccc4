//! Services over real sockets: what their answers decide, and what an [`AuditLayer`](audited::AuditLayer) makes of them.

mod context;
mod coverage;
mod decisions;
mod denials;
mod failing;
mod hanging_up;
mod refusals;
mod served;
mod stacks;
mod streams;
mod tower;
mod unruly;
