//! The client against a server that follows a script, over real sockets with real certificates.

#[path = "quic/certificates.rs"]
#[allow(dead_code, reason = "shared with the tests of the QUIC engine")]
mod certificates;
#[path = "client/endings.rs"]
mod endings;
#[path = "client/repeats.rs"]
mod repeats;
#[path = "client/restarts.rs"]
mod restarts;
#[path = "client/script.rs"]
mod script;
#[path = "client/window.rs"]
mod window;
