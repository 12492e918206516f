//! The core through its public face: edges, fields, hunts, players, images and equal histories.

mod border;
mod carry;
mod cells;
mod determinism;
mod edges;
mod fields;
mod forms;
mod images;
mod players;
mod recall;
mod rollback;
mod rows;
mod support;
mod turmoil;
