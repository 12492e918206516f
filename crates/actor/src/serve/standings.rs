//! How the hunts of a partition stand: what `huntgraph hunt ls` and `show` are told.

use huntgraph_core::schema::{HUNTS, STAGES, Slot, Standing, form, frame};
use huntgraph_core::{Hunt, Partition};

use crate::frame::{begin_frame, end_frame};

/// Puts a frame with all slots, each with its stages behind it, into an outbox.
pub(super) fn put_hunts(partition: &Partition<'_>, outbox: &mut Vec<u8>) {
    let at = begin_frame(outbox, frame::HUNTS, 0);
    for hunt in 0..HUNTS {
        put_hunt(partition, hunt, outbox);
    }
    end_frame(outbox, at);
}

fn put_hunt(partition: &Partition<'_>, number: usize, outbox: &mut Vec<u8>) {
    let hunt: &Hunt = &partition.hunts[number];
    let stages = &hunt.stage[..hunt.stages as usize];
    let hunters = |stage: usize| partition.guidance.hunters(number * STAGES + stage);
    let treasures = stages.iter().filter(|stage| stage.form == form::TREASURE && stage.owner == 0);
    let slot = Slot {
        kind: 1,
        hunt: number as u8,
        state: hunt.state,
        stages: hunt.stages,
        gates: hunt.gates,
        teams: hunt.teams,
        hunt_id: hunt.hunt_id,
        partitions: hunt.partitions,
        shut: hunt.shut,
        edition: hunt.edition,
        elapsed: hunt.elapsed_ticks,
        closes: hunt.closes,
        wait: hunt.wait,
        hunters: (0..stages.len()).map(hunters).sum(),
        wins: treasures.map(|stage| stage.wins).sum(),
        ..Slot::default()
    };
    outbox.extend_from_slice(&slot.encode());
    for (index, stage) in stages.iter().enumerate() {
        let standing = Standing {
            kind: 2,
            hunt: number as u8,
            stage: index as u8,
            form: stage.form,
            rule: stage.rule,
            owner: stage.owner,
            node: stage.node,
            stock: stage.stock,
            wins: stage.wins,
            hunters: hunters(index),
            team_bits: stage.team_bits,
            winner: stage.winner,
            position: stage.position,
            points: stage.points,
            opens: stage.opens,
            closes: stage.closes,
            ..Standing::default()
        };
        outbox.extend_from_slice(&standing.encode());
    }
}
