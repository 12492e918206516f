//! The core through its public face: fields, hunts, players, images and equal histories.

mod border;
mod determinism;
mod fields;
mod images;
mod players;
mod support;
mod turmoil;
