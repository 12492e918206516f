//! The log and the snapshots on simulated and real disks.

mod crash;
mod damage;
mod faults;
mod headers;
mod live;
mod pruning;
mod snapshots;
mod workload;
