//! The QUIC engine: both ends on one thread, over real sockets, with real certificates.

#[path = "quic/admission.rs"]
mod admission;
#[path = "quic/certificates.rs"]
mod certificates;
#[path = "quic/ending.rs"]
mod ending;
#[path = "quic/flow.rs"]
mod flow;
#[path = "quic/hostile.rs"]
mod hostile;
#[path = "quic/pair.rs"]
mod pair;
#[path = "quic/waiting.rs"]
mod waiting;
