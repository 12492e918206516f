//! Records, kinds, codes and limits. Generated from schema/wire.toml: edit that file.
#![allow(clippy::all)]

/// Version of the wire and of the log's records.
pub const VERSION: u16 = 1;

/// Hunts in one partition at a time.
pub const HUNTS: usize = 8;
/// Stages (clues and treasures) of a hunt.
pub const STAGES: usize = 64;
/// Alternatives of a stage's needs.
pub const NEEDS: usize = 4;
/// Hints of a stage.
pub const HINTS: usize = 4;
/// Gates of a hunt.
pub const GATES: usize = 32;
/// Edges of all gates of a hunt.
pub const GATE_EDGES: usize = 512;
/// Teams of a hunt.
pub const TEAMS: usize = 64;
/// Edges of one node.
pub const DEGREE: usize = 64;
/// Nodes of a partition.
pub const NODES: usize = 16777216;
/// Partitions of a world.
pub const PEERS: usize = 64;
/// Players on their way to other partitions at a time.
pub const PARCELS: usize = 4096;
/// Targets with rounds of guidance over borders at a time, of a partition.
pub const ROUNDS: usize = 16;
/// Greatest base cost of an edge.
pub const COST_MAX: u32 = 60000;
/// Greatest weight: base cost and heat term together.
pub const WEIGHT_MAX: u32 = 65534;
/// Greatest heat of an edge.
pub const HEAT_MAX: u32 = 254;
/// Different base costs of edges in a compact partition at a time.
pub const PRICES: usize = 127;
/// Records in one frame.
pub const FRAME_RECORDS: usize = 1024;
/// No node, no edge, no stage.
pub const NONE: u32 = 4294967295;
/// Distance where there is no path.
pub const UNREACHABLE: u32 = 4294967295;

/// What a player, a game server or the clock does to the state; also the log's record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Move {
    /// a Kind
    pub kind: u8,
    /// 0
    pub flags: u8,
    /// hunt slot, 65535 for none
    pub hunt: u16,
    /// the player's sequence number, dense from 1
    pub seq: u32,
    /// player id
    pub player: u64,
    /// node the player goes from; tail of an edge
    pub from: u32,
    /// node gone to or entered at; head of an edge
    pub to: u32,
    /// by kind: team, stage, cost, ticks, tick number
    pub arg: u32,
    /// set by the actor: which game server sent it
    pub server: u32,
    /// returned unread in the update
    pub echo: u64,
    /// tick: wall clock, milliseconds since 1970; 0 otherwise
    pub time_ms: u64,
    /// hash: the state hash
    pub a: u64,
    /// 0
    pub b: u64,
}

impl Move {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.player.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.from.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.to.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.arg.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.server.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.echo.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.time_ms.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.a.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.b.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            hunt: u16::from_le_bytes([bytes[2], bytes[3]]),
            seq: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            player: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            from: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            to: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
            arg: u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]),
            server: u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]),
            echo: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            time_ms: u64::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47]]),
            a: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            b: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// One row of a hunt on its way into the image; kinds hunt_begin to hunt_publish.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// a Kind
    pub kind: u8,
    /// gate: 1 = starts shut
    pub flags: u8,
    /// hunt slot
    pub hunt: u16,
    /// number of the stage or gate, dense from 0; traffic: decay shift
    pub index: u8,
    /// stage: a Form
    pub form: u8,
    /// stage: a Rule
    pub rule: u8,
    /// begin: count of teams, 0 = none
    pub teams: u8,
    /// stage: node; gate edge: tail
    pub from: u32,
    /// gate edge: head
    pub to: u32,
    /// ticks; begin: wait before opening; stage, gate: hunt time
    pub opens: u32,
    /// ticks of hunt time, 0 = never
    pub closes: u32,
    /// stage: wins possible, 0 = no bound; traffic: heat a move adds
    pub stock: u32,
    /// stage: points; traffic: bucket shift
    pub points: u32,
    /// hint: ticks; traffic: ticks of one decay round
    pub delay: u32,
    /// hint: points; traffic: weight a bucket adds
    pub cost: u32,
    /// need: stages needed; gate: stages that flip it; begin: bit per other partition that holds the hunt
    pub mask: u64,
    /// begin: id of the hunt
    pub hunt_id: u64,
    /// publish: rows sent since begin
    pub count: u32,
    /// stage: 0, or 1 + the partition it is in, `from` being its node there
    pub owner: u32,
}

impl Rule {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[4..5].copy_from_slice(&self.index.to_le_bytes());
        bytes[5..6].copy_from_slice(&self.form.to_le_bytes());
        bytes[6..7].copy_from_slice(&self.rule.to_le_bytes());
        bytes[7..8].copy_from_slice(&self.teams.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.from.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.to.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.opens.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.closes.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.stock.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.points.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.delay.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.cost.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.mask.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.hunt_id.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.count.to_le_bytes());
        bytes[60..64].copy_from_slice(&self.owner.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            hunt: u16::from_le_bytes([bytes[2], bytes[3]]),
            index: u8::from_le_bytes([bytes[4]]),
            form: u8::from_le_bytes([bytes[5]]),
            rule: u8::from_le_bytes([bytes[6]]),
            teams: u8::from_le_bytes([bytes[7]]),
            from: u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
            to: u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
            opens: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            closes: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
            stock: u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]),
            points: u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]),
            delay: u32::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]),
            cost: u32::from_le_bytes([bytes[36], bytes[37], bytes[38], bytes[39]]),
            mask: u64::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47]]),
            hunt_id: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            count: u32::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59]]),
            owner: u32::from_le_bytes([bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// The engine's answer to one move.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// kind of the move
    pub kind: u8,
    /// Flag bits
    pub flags: u8,
    /// a Code, 0 = done
    pub code: u16,
    /// last sequence number taken from this player
    pub seq: u32,
    /// player id
    pub player: u64,
    /// log position of the move, 0 when it was not logged
    pub position: u64,
    /// where the player stands
    pub node: u32,
    /// next node on the way to the target
    pub next: u32,
    /// weight left to the target
    pub distance: u32,
    /// the target's node
    pub target: u32,
    /// tick whose weights the guidance is exact for
    pub epoch: u32,
    /// current tick
    pub tick: u32,
    /// the move's echo
    pub echo: u64,
    /// the player's points
    pub score: i32,
    /// stage of the target, 255 = none
    pub stage: u8,
    /// stage found or won by this move, 255 = none
    pub found: u8,
    /// number of the hint given, from 1
    pub hint: u8,
    /// 0, or 1 + the partition where the player goes on, at node `next` of that partition
    pub moved_to: u8,
}

impl Update {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.code.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.player.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.node.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.next.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.distance.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.target.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.tick.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.echo.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.score.to_le_bytes());
        bytes[60..61].copy_from_slice(&self.stage.to_le_bytes());
        bytes[61..62].copy_from_slice(&self.found.to_le_bytes());
        bytes[62..63].copy_from_slice(&self.hint.to_le_bytes());
        bytes[63..64].copy_from_slice(&self.moved_to.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            code: u16::from_le_bytes([bytes[2], bytes[3]]),
            seq: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            player: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            position: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            node: u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]),
            next: u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]),
            distance: u32::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]),
            target: u32::from_le_bytes([bytes[36], bytes[37], bytes[38], bytes[39]]),
            epoch: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            tick: u32::from_le_bytes([bytes[44], bytes[45], bytes[46], bytes[47]]),
            echo: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            score: i32::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59]]),
            stage: u8::from_le_bytes([bytes[60]]),
            found: u8::from_le_bytes([bytes[61]]),
            hint: u8::from_le_bytes([bytes[62]]),
            moved_to: u8::from_le_bytes([bytes[63]]),
        }
    }
}

/// A player handed over by another partition: what travels between the two, and what the receiver logs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Kind.ARRIVE
    pub kind: u8,
    /// 0
    pub flags: u8,
    /// partition it comes from
    pub from: u16,
    /// the player's last sequence number
    pub seq: u32,
    /// player id
    pub player: u64,
    /// number of the parcel between these two partitions, dense from 1
    pub number: u64,
    /// position of the move over the border in the sender's log
    pub cause: u64,
    /// bit per stage found or won
    pub progress: u64,
    /// node here
    pub node: u32,
    /// points
    pub score: i32,
    /// low half of the id of the player's hunt
    pub hunt_id: u32,
    /// ticks of hunt time since the target became the target
    pub waited: u32,
    /// hunt slot, 255 for none
    pub hunt: u8,
    /// team number
    pub team: u8,
    /// stage of the target, 255 for none
    pub target: u8,
    /// hints taken for the target
    pub hints: u8,
    /// 0
    pub spare: u32,
}

impl Arrival {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.from.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.player.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.cause.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.progress.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.node.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.score.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.hunt_id.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.waited.to_le_bytes());
        bytes[56..57].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[57..58].copy_from_slice(&self.team.to_le_bytes());
        bytes[58..59].copy_from_slice(&self.target.to_le_bytes());
        bytes[59..60].copy_from_slice(&self.hints.to_le_bytes());
        bytes[60..64].copy_from_slice(&self.spare.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            from: u16::from_le_bytes([bytes[2], bytes[3]]),
            seq: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            player: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            number: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            cause: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            progress: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            node: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            score: i32::from_le_bytes([bytes[44], bytes[45], bytes[46], bytes[47]]),
            hunt_id: u32::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51]]),
            waited: u32::from_le_bytes([bytes[52], bytes[53], bytes[54], bytes[55]]),
            hunt: u8::from_le_bytes([bytes[56]]),
            team: u8::from_le_bytes([bytes[57]]),
            target: u8::from_le_bytes([bytes[58]]),
            hints: u8::from_le_bytes([bytes[59]]),
            spare: u32::from_le_bytes([bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// What another partition tells of a stage that is there; what travels, and what the receiver logs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Kind.NOTICE
    pub kind: u8,
    /// 0
    pub flags: u8,
    /// partition it comes from
    pub from: u16,
    /// times the stage was found or won
    pub wins: u32,
    /// player who found or won it last
    pub winner: u64,
    /// number of the parcel between these two partitions, dense from 1
    pub number: u64,
    /// position of the find or the claim in the sender's log
    pub cause: u64,
    /// bit per team that found or won it
    pub team_bits: u64,
    /// low half of the hunt's id
    pub hunt_id: u32,
    /// hunt slot
    pub hunt: u8,
    /// stage
    pub stage: u8,
    /// 0
    pub spare: u16,
    /// 0
    pub a: u64,
    /// 0
    pub b: u64,
}

impl Notice {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.from.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.wins.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.winner.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.cause.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.team_bits.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.hunt_id.to_le_bytes());
        bytes[44..45].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[45..46].copy_from_slice(&self.stage.to_le_bytes());
        bytes[46..48].copy_from_slice(&self.spare.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.a.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.b.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            from: u16::from_le_bytes([bytes[2], bytes[3]]),
            wins: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            winner: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            number: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            cause: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            team_bits: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            hunt_id: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            hunt: u8::from_le_bytes([bytes[44]]),
            stage: u8::from_le_bytes([bytes[45]]),
            spare: u16::from_le_bytes([bytes[46], bytes[47]]),
            a: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            b: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// How a fork's cells become the partition's; kinds fence, correct and settle.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// a Kind
    pub kind: u8,
    /// correct: cells in this row, 0 to 3
    pub count: u8,
    /// correct: bit per cell that is taken away, its word unread
    pub gone: u8,
    /// 0
    pub flags: u8,
    /// 0
    pub spare: u32,
    /// the correction's id, not 0
    pub id: u64,
    /// correct: the first cell's name (rules, section 8)
    pub name_1: u64,
    /// correct: the first cell's new word; fence: state hash expected, 0 for any; settle: bare hash expected
    pub word_1: u64,
    /// correct: the second cell's name
    pub name_2: u64,
    /// correct: its new word
    pub word_2: u64,
    /// correct: the third cell's name
    pub name_3: u64,
    /// correct: its new word
    pub word_3: u64,
}

impl Correction {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.count.to_le_bytes());
        bytes[2..3].copy_from_slice(&self.gone.to_le_bytes());
        bytes[3..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.spare.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.name_1.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.word_1.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.name_2.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.word_2.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.name_3.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.word_3.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            count: u8::from_le_bytes([bytes[1]]),
            gone: u8::from_le_bytes([bytes[2]]),
            flags: u8::from_le_bytes([bytes[3]]),
            spare: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            id: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            name_1: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            word_1: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            name_2: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            word_2: u64::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47]]),
            name_3: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            word_3: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// What partitions tell each other of the way to a target; never logged.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bearing {
    /// a Bearing
    pub kind: u8,
    /// ack, done: 1 = a partition took no part, 2 = ways may go on beyond the reach; ways: 4 = more of them follow
    pub flags: u8,
    /// partition it comes from
    pub from: u16,
    /// number of the round; ask: 0
    pub round: u32,
    /// low half of the hunt's id
    pub hunt_id: u32,
    /// hunt slot
    pub hunt: u8,
    /// stage
    pub stage: u8,
    /// ask: borders it may still cross; ways: entries in use; ack: ways acknowledged
    pub count: u16,
    /// ack, done: ticks since the oldest weights that it rests on
    pub age: u32,
    /// ask: how far rounds are to reach; ways, done: no longer way was looked for
    pub reach: u32,
    /// ways: up to 4 pairs of u32: the sender's node, its distance to the target
    pub entries: [u8; 32],
    /// 0
    pub a: u64,
}

impl Bearing {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.flags.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.from.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.round.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.hunt_id.to_le_bytes());
        bytes[12..13].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[13..14].copy_from_slice(&self.stage.to_le_bytes());
        bytes[14..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.age.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.reach.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.entries);
        bytes[56..64].copy_from_slice(&self.a.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            flags: u8::from_le_bytes([bytes[1]]),
            from: u16::from_le_bytes([bytes[2], bytes[3]]),
            round: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            hunt_id: u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
            hunt: u8::from_le_bytes([bytes[12]]),
            stage: u8::from_le_bytes([bytes[13]]),
            count: u16::from_le_bytes([bytes[14], bytes[15]]),
            age: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            reach: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
            entries: [bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31], bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39], bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47], bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]],
            a: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// Proof of a claim; stands right behind the update it belongs to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Kind.RECEIPT
    pub kind: u8,
    /// stage won
    pub stage: u8,
    /// hunt slot
    pub hunt: u16,
    /// tick of the claim
    pub tick: u32,
    /// winner
    pub player: u64,
    /// log position of the claim
    pub position: u64,
    /// number of the receipt, from 1
    pub serial: u64,
    /// SHA-256 of the previous receipt's hash and this receipt's first 32 bytes
    pub hash: [u8; 32],
}

impl Receipt {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.stage.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.tick.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.player.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.serial.to_le_bytes());
        bytes[32..64].copy_from_slice(&self.hash);
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            stage: u8::from_le_bytes([bytes[1]]),
            hunt: u16::from_le_bytes([bytes[2], bytes[3]]),
            tick: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            player: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            position: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            serial: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            hash: [bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39], bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47], bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55], bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]],
        }
    }
}

/// One slot of the ring.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// sequence number + 1, written last
    pub stamp: u64,
    /// log position of the cause
    pub position: u64,
    /// player id, 0 for none
    pub player: u64,
    /// an Event
    pub kind: u8,
    /// delta: 1 = closed; entered: 1 = from another partition; claimed: team
    pub flags: u8,
    /// hunt slot
    pub hunt: u16,
    /// tick
    pub tick: u32,
    /// node
    pub from: u32,
    /// node
    pub to: u32,
    /// edge id
    pub edge: u32,
    /// by kind: weight, stage, state, code, players
    pub value: u32,
    /// ticked: state hash; claimed: receipt serial; handed: parcel number; noted: wins; corrected: id
    pub a: u64,
    /// 0
    pub b: u64,
}

impl Event {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..8].copy_from_slice(&self.stamp.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.position.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.player.to_le_bytes());
        bytes[24..25].copy_from_slice(&self.kind.to_le_bytes());
        bytes[25..26].copy_from_slice(&self.flags.to_le_bytes());
        bytes[26..28].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.tick.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.from.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.to.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.edge.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.value.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.a.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.b.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            stamp: u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]),
            position: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            player: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            kind: u8::from_le_bytes([bytes[24]]),
            flags: u8::from_le_bytes([bytes[25]]),
            hunt: u16::from_le_bytes([bytes[26], bytes[27]]),
            tick: u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]),
            from: u32::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]),
            to: u32::from_le_bytes([bytes[36], bytes[37], bytes[38], bytes[39]]),
            edge: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            value: u32::from_le_bytes([bytes[44], bytes[45], bytes[46], bytes[47]]),
            a: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            b: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// How a hunt slot stands in a partition.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// 1
    pub kind: u8,
    /// hunt slot
    pub hunt: u8,
    /// a State
    pub state: u8,
    /// stages in use
    pub stages: u8,
    /// gates in use
    pub gates: u8,
    /// teams, 0 = none
    pub teams: u8,
    /// 0
    pub spare: u16,
    /// id of the hunt
    pub hunt_id: u64,
    /// bit per other partition that holds the hunt
    pub partitions: u64,
    /// bit per gate that is shut
    pub shut: u64,
    /// number of hunts published in this slot
    pub edition: u32,
    /// hunt time in ticks
    pub elapsed: u32,
    /// hunt time at which it ends, 0 = never
    pub closes: u32,
    /// ticks left before it opens
    pub wait: u32,
    /// players here who have a target in it
    pub hunters: u32,
    /// treasures won here
    pub wins: u32,
    /// 0
    pub a: u64,
}

impl Slot {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[2..3].copy_from_slice(&self.state.to_le_bytes());
        bytes[3..4].copy_from_slice(&self.stages.to_le_bytes());
        bytes[4..5].copy_from_slice(&self.gates.to_le_bytes());
        bytes[5..6].copy_from_slice(&self.teams.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.spare.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.hunt_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.partitions.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.shut.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.edition.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.elapsed.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.closes.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.wait.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.hunters.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.wins.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.a.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            hunt: u8::from_le_bytes([bytes[1]]),
            state: u8::from_le_bytes([bytes[2]]),
            stages: u8::from_le_bytes([bytes[3]]),
            gates: u8::from_le_bytes([bytes[4]]),
            teams: u8::from_le_bytes([bytes[5]]),
            spare: u16::from_le_bytes([bytes[6], bytes[7]]),
            hunt_id: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            partitions: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            shut: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            edition: u32::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]),
            elapsed: u32::from_le_bytes([bytes[36], bytes[37], bytes[38], bytes[39]]),
            closes: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            wait: u32::from_le_bytes([bytes[44], bytes[45], bytes[46], bytes[47]]),
            hunters: u32::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51]]),
            wins: u32::from_le_bytes([bytes[52], bytes[53], bytes[54], bytes[55]]),
            a: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// How a stage stands in a partition; follows the slot that it belongs to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// 2
    pub kind: u8,
    /// hunt slot
    pub hunt: u8,
    /// number of the stage
    pub stage: u8,
    /// a Form
    pub form: u8,
    /// a Rule
    pub rule: u8,
    /// 0, or 1 + the partition it is in
    pub owner: u8,
    /// 0
    pub spare: u16,
    /// its node, 4294967295 = not here
    pub node: u32,
    /// wins possible, 0 = no bound
    pub stock: u32,
    /// times found or won, as far as known here
    pub wins: u32,
    /// players here whose target it is
    pub hunters: u32,
    /// bit per team that found or won it
    pub team_bits: u64,
    /// player who found or won it last
    pub winner: u64,
    /// log position of that; of another partition's: there
    pub position: u64,
    /// points for it
    pub points: u32,
    /// start of its window, hunt time in ticks
    pub opens: u32,
    /// end of its window, 0 = never
    pub closes: u32,
    /// 0
    pub b: u32,
}

impl Standing {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..1].copy_from_slice(&self.kind.to_le_bytes());
        bytes[1..2].copy_from_slice(&self.hunt.to_le_bytes());
        bytes[2..3].copy_from_slice(&self.stage.to_le_bytes());
        bytes[3..4].copy_from_slice(&self.form.to_le_bytes());
        bytes[4..5].copy_from_slice(&self.rule.to_le_bytes());
        bytes[5..6].copy_from_slice(&self.owner.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.spare.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.node.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.stock.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.wins.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.hunters.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.team_bits.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.winner.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.position.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.points.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.opens.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.closes.to_le_bytes());
        bytes[60..64].copy_from_slice(&self.b.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            kind: u8::from_le_bytes([bytes[0]]),
            hunt: u8::from_le_bytes([bytes[1]]),
            stage: u8::from_le_bytes([bytes[2]]),
            form: u8::from_le_bytes([bytes[3]]),
            rule: u8::from_le_bytes([bytes[4]]),
            owner: u8::from_le_bytes([bytes[5]]),
            spare: u16::from_le_bytes([bytes[6], bytes[7]]),
            node: u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
            stock: u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
            wins: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            hunters: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
            team_bits: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            winner: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            position: u64::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47]]),
            points: u32::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51]]),
            opens: u32::from_le_bytes([bytes[52], bytes[53], bytes[54], bytes[55]]),
            closes: u32::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59]]),
            b: u32::from_le_bytes([bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// First frame of a game server.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// wire version
    pub version: u16,
    /// 0
    pub flags: u16,
    /// partition wanted
    pub partition: u16,
    /// 0
    pub spare: u16,
    /// world expected, 0 = any
    pub world_id: u64,
    /// random id of this client, same over reconnects
    pub client: u64,
    /// 0
    pub a: u64,
    /// 0
    pub b: u64,
    /// 0
    pub c: u64,
    /// 0
    pub d: u64,
    /// 0
    pub e: u64,
}

impl Hello {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..2].copy_from_slice(&self.version.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.partition.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.spare.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.world_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.client.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.a.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.b.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.c.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.d.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.e.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            version: u16::from_le_bytes([bytes[0], bytes[1]]),
            flags: u16::from_le_bytes([bytes[2], bytes[3]]),
            partition: u16::from_le_bytes([bytes[4], bytes[5]]),
            spare: u16::from_le_bytes([bytes[6], bytes[7]]),
            world_id: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            client: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            a: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            b: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            c: u64::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43], bytes[44], bytes[45], bytes[46], bytes[47]]),
            d: u64::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51], bytes[52], bytes[53], bytes[54], bytes[55]]),
            e: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// The actor's answer to hello.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// wire version
    pub version: u16,
    /// bit 0: moves and ticks are held; bit 1: a correction is under way; bit 2: the world is a part, parcels come and go
    pub flags: u16,
    /// partition
    pub partition: u16,
    /// parcels that wait for other partitions
    pub parcels: u16,
    /// the world's id
    pub world_id: u64,
    /// last log position
    pub position: u64,
    /// durable up to here
    pub durable: u64,
    /// epoch of the log: number of starts
    pub epoch: u64,
    /// current tick
    pub tick: u32,
    /// most records in a frame
    pub frame_records: u32,
    /// most unanswered records of a connection
    pub in_flight: u32,
    /// nodes of the partition
    pub nodes: u32,
    /// state hash at position
    pub state_hash: u64,
}

impl Welcome {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 64;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0..2].copy_from_slice(&self.version.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.partition.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.parcels.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.world_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.tick.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.frame_records.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.in_flight.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.nodes.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.state_hash.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 64]) -> Self {
        Self {
            version: u16::from_le_bytes([bytes[0], bytes[1]]),
            flags: u16::from_le_bytes([bytes[2], bytes[3]]),
            partition: u16::from_le_bytes([bytes[4], bytes[5]]),
            parcels: u16::from_le_bytes([bytes[6], bytes[7]]),
            world_id: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
            position: u64::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]),
            durable: u64::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30], bytes[31]]),
            epoch: u64::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35], bytes[36], bytes[37], bytes[38], bytes[39]]),
            tick: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            frame_records: u32::from_le_bytes([bytes[44], bytes[45], bytes[46], bytes[47]]),
            in_flight: u32::from_le_bytes([bytes[48], bytes[49], bytes[50], bytes[51]]),
            nodes: u32::from_le_bytes([bytes[52], bytes[53], bytes[54], bytes[55]]),
            state_hash: u64::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59], bytes[60], bytes[61], bytes[62], bytes[63]]),
        }
    }
}

/// Header before every frame's body.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// bytes of the body
    pub length: u32,
    /// a Frame
    pub kind: u16,
    /// records in the body; failed: the code
    pub count: u16,
    /// moves, updates: number of the first record on this connection, from 1; durable: the position
    pub first: u64,
}

impl Frame {
    /// Bytes of the encoded record.
    pub const BYTES: usize = 16;

    /// The record as little-endian bytes.
    #[inline]
    pub fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.kind.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.count.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes
    }

    /// Reads a record from little-endian bytes.
    #[inline]
    pub fn decode(bytes: &[u8; 16]) -> Self {
        Self {
            length: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            kind: u16::from_le_bytes([bytes[4], bytes[5]]),
            count: u16::from_le_bytes([bytes[6], bytes[7]]),
            first: u64::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]),
        }
    }
}

/// Kinds of input records.
pub mod kind {
    /// a player appears at node `to` in `hunt`, team `arg`
    pub const ENTER: u8 = 1;
    /// a player goes along the edge `from` -> `to`
    pub const GO: u8 = 2;
    /// a player disappears
    pub const LEAVE: u8 = 3;
    /// a player claims the treasure at its node (`arg`: stage or NONE)
    pub const CLAIM: u8 = 4;
    /// a player asks for the next hint
    pub const HINT: u8 = 5;
    /// in a fork, in place of a player's record: it takes its number and does nothing
    pub const STRIKE: u8 = 6;
    /// in a fork: `player` wins treasure `arg` of `hunt`, joining it with team `from` if it has to
    pub const GRANT: u8 = 7;
    /// edge `from` -> `to` closes
    pub const EDGE_CLOSE: u8 = 16;
    /// edge `from` -> `to` opens
    pub const EDGE_OPEN: u8 = 17;
    /// edge `from` -> `to` gets base cost `arg`
    pub const EDGE_PRICE: u8 = 18;
    /// edge `from` -> `to` is no more
    pub const EDGE_REMOVE: u8 = 19;
    /// there is an edge `from` -> `to` of base cost `arg`
    pub const EDGE_ADD: u8 = 20;
    /// a hunt starts loading into a slot
    pub const HUNT_BEGIN: u8 = 32;
    /// row: a clue or treasure
    pub const HUNT_STAGE: u8 = 33;
    /// row: one alternative of a stage's needs
    pub const HUNT_NEED: u8 = 34;
    /// row: a hint of a stage
    pub const HUNT_HINT: u8 = 35;
    /// row: a gate
    pub const HUNT_GATE: u8 = 36;
    /// row: an edge of the newest gate
    pub const HUNT_GATE_EDGE: u8 = 37;
    /// row: the traffic rule
    pub const HUNT_TRAFFIC: u8 = 38;
    /// the hunt is whole; effective at the next tick
    pub const HUNT_PUBLISH: u8 = 39;
    /// at the next tick
    pub const HUNT_PAUSE: u8 = 40;
    /// at the next tick
    pub const HUNT_RESUME: u8 = 41;
    /// by `arg` ticks, at the next tick
    pub const HUNT_EXTEND: u8 = 42;
    /// at the next tick
    pub const HUNT_CLOSE: u8 = 43;
    /// a player comes from another partition: record `arrival`
    pub const ARRIVE: u8 = 48;
    /// partition `arg` holds all players handed to it up to number `a`, durably
    pub const HANDED_ON: u8 = 49;
    /// a stage of another partition was found or won: record `notice`
    pub const NOTICE: u8 = 50;
    /// 50 ms of logged time
    pub const TICK: u8 = 64;
    /// the state hash before this record, for replays to compare
    pub const HASH: u8 = 65;
    /// marks a receipt
    pub const RECEIPT: u8 = 66;
    /// a correction begins: record `correction`
    pub const FENCE: u8 = 80;
    /// some cells get new words: record `correction`
    pub const CORRECT: u8 = 81;
    /// the correction is whole: record `correction`
    pub const SETTLE: u8 = 82;
}

/// Kinds of ring events.
pub mod event {
    /// player at `to`; flag 1 = from another partition, `value`
    pub const ENTERED: u8 = 1;
    /// player `from` -> `to` over `edge`
    pub const WENT: u8 = 2;
    /// player at `from`
    pub const LEFT: u8 = 3;
    /// clue `value` at `to`
    pub const FOUND: u8 = 4;
    /// treasure `value` at `to` by one of team `flags`, `a` = receipt serial
    pub const CLAIMED: u8 = 5;
    /// hint for stage `value`
    pub const HINTED: u8 = 6;
    /// player at `to` goes on in partition `value`; `a` = number of its parcel
    pub const HANDED: u8 = 7;
    /// stage `value` of `hunt`, in another partition, was found or won by the player; `a` = wins
    pub const NOTED: u8 = 8;
    /// `edge` `from` -> `to` has weight `value`, 0 = removed; flag 1 = closed
    pub const DELTA: u8 = 16;
    /// gate `edge` of `hunt` is shut (1) or open (0): `value`
    pub const GATE: u8 = 17;
    /// `hunt` has State `value`
    pub const HUNT: u8 = 32;
    /// `value` players present
    pub const TICKED: u8 = 64;
    /// correction `a` is settled: any cell may have changed
    pub const CORRECTED: u8 = 65;
    /// a logged move was refused with Code `value`
    pub const REFUSED: u8 = 80;
}

/// Kinds of frames.
pub mod frame {
    /// game server -> actor
    pub const HELLO: u16 = 1;
    /// actor -> game server
    pub const WELCOME: u16 = 2;
    /// game server -> actor: moves
    pub const MOVES: u16 = 3;
    /// actor -> game server: updates and receipts; this is the applied acknowledgement
    pub const UPDATES: u16 = 4;
    /// actor -> game server: `first` is the durable position
    pub const DURABLE: u16 = 5;
    /// either way: `count` is a Code, the body its text; the sender closes
    pub const FAILED: u16 = 6;
    /// actor -> game server: no new moves please, the actor is stopping; or game server -> actor: answer when all is durable
    pub const DRAIN: u16 = 7;
    /// supervisor or neighbour -> actor over the control socket: moves, rules, arrivals
    pub const CONTROL: u16 = 8;
    /// supervisor or neighbour -> actor: answered by WELCOME
    pub const STATUS: u16 = 9;
    /// supervisor -> actor: moves and ticks wait from now on; answered by WELCOME
    pub const HOLD: u16 = 10;
    /// supervisor -> actor: they go on; answered by WELCOME
    pub const RELEASE: u16 = 11;
    /// neighbour -> actor over the control socket: bearings, not answered
    pub const BEARINGS: u16 = 12;
    /// supervisor -> actor, empty: how the hunts stand; answered by HUNTS with slots and standings
    pub const HUNTS: u16 = 13;
    /// supervisor -> actor: answered by WELCOME as soon as all that this session was answered is on disk
    pub const SYNC: u16 = 14;
    /// supervisor -> actor: a HOLD will come soon; answered by WELCOME as soon as all that was logged is on disk
    pub const READY: u16 = 15;
    /// supervisor -> actor: segments of the log with no position behind `first` may go; answered by WELCOME
    pub const DROP: u16 = 16;
}

/// Kinds of bearings.
pub mod bearing {
    /// somebody hunts this target
    pub const ASK: u8 = 1;
    /// distances of the sender's nodes at the border, in this round
    pub const WAYS: u8 = 2;
    /// `count` ways were taken and passed on
    pub const ACK: u8 = 3;
    /// the round is whole: what it found is exact
    pub const DONE: u8 = 4;
}

/// Forms of a stage.
pub mod form {
    /// found by arriving
    pub const CLUE: u8 = 1;
    /// won by a claim
    pub const TREASURE: u8 = 2;
}

/// Who can win a treasure.
pub mod rule {
    /// one player in all
    pub const EXCLUSIVE: u8 = 1;
    /// each team once
    pub const TEAM: u8 = 2;
    /// each player once
    pub const PLAYER: u8 = 3;
}

/// States of a hunt.
pub mod state {
    /// slot never used
    pub const EMPTY: u8 = 0;
    /// rows are coming
    pub const LOADING: u8 = 1;
    /// published, waits for its opening
    pub const READY: u8 = 2;
    /// running
    pub const OPEN: u8 = 3;
    /// walking goes on, nothing is found or won, hunt time stands
    pub const PAUSED: u8 = 4;
    /// over
    pub const CLOSED: u8 = 5;
}

/// Flag bits of an update.
pub mod flag {
    /// next and distance are valid (not set together with ARRIVED, whose distance is 0)
    pub const GUIDED: u8 = 1;
    /// exact on the live weights right after this move
    pub const EXACT_NOW: u8 = 2;
    /// globally exact for the weights of `epoch`
    pub const CERTIFIED: u8 = 4;
    /// no open way to the target; distance is UNREACHABLE
    pub const NO_PATH: u8 = 8;
    /// the player stands on its target
    pub const ARRIVED: u8 = 16;
    /// answered again, not applied again
    pub const DUPLICATE: u8 = 32;
    /// a receipt follows
    pub const RECEIPT: u8 = 64;
    /// the target's field is still being built
    pub const PENDING: u8 = 128;
}

/// Why a record was refused; 0 is done.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// Unknown kind of record.
    BadKind = 10,
    /// This player never entered.
    UnknownPlayer = 11,
    /// No hunt in this slot.
    UnknownHunt = 12,
    /// The partition has no such node.
    UnknownNode = 13,
    /// There is no edge between these nodes.
    NoEdge = 14,
    /// The edge is closed.
    EdgeClosed = 15,
    /// The player stands on another node.
    WrongNode = 16,
    /// A move is missing before this one.
    SeqGap = 17,
    /// An older move, applied before.
    Duplicate = 18,
    /// The player has left.
    NotPresent = 19,
    /// The player table is full.
    PlayersFull = 20,
    /// The hunt is not open.
    HuntNotOpen = 21,
    /// The hunt is paused.
    HuntPaused = 22,
    /// No treasure at this node.
    NothingHere = 23,
    /// Clues are missing for this treasure.
    Locked = 24,
    /// Outside the time window.
    NotInWindow = 25,
    /// Already won by another player.
    Taken = 26,
    /// Already won by this team.
    TeamWon = 27,
    /// Already won by this player.
    AlreadyWon = 28,
    /// No hint left for the target.
    NoHint = 29,
    /// The hint's delay has not passed.
    HintEarly = 30,
    /// No such team, or the player is in another.
    BadTeam = 31,
    /// Cost out of range.
    BadCost = 32,
    /// Not the next tick.
    BadTick = 33,
    /// The state differs from the log's hash.
    HashMismatch = 34,
    /// The player is in another partition.
    Moved = 35,
    /// Too many players are on their way to other partitions.
    BorderFull = 36,
    /// There is such an edge already.
    EdgeExists = 37,
    /// No room for another edge, in the partition or at one of its nodes.
    EdgesFull = 38,
    /// An edge must lead to another node.
    BadEdge = 39,
    /// The slot holds a running hunt.
    HuntInUse = 40,
    /// No hunt is loading in this slot.
    NotLoading = 41,
    /// A row of the hunt is out of range or out of order.
    BadRule = 42,
    /// The move was struck out of this history.
    Struck = 43,
    /// A correction is under way.
    Fenced = 44,
    /// No correction of this id is under way.
    NotFenced = 45,
    /// The partition has moved on since the fork was compared with it.
    StaleHash = 46,
    /// A cell's name or word is out of range.
    BadCell = 47,
    /// Edges have as many different costs as the partition can tell apart.
    PricesFull = 48,
    /// Too many unanswered moves.
    Busy = 50,
    /// The log has no room.
    LogFull = 51,
    /// The log failed, the partition has stopped.
    LogFailed = 52,
    /// The actor is stopping.
    Draining = 53,
    /// Malformed frame.
    BadFrame = 60,
    /// Too many records in a frame.
    FrameTooLarge = 61,
    /// Unknown wire version.
    BadVersion = 62,
    /// Another partition lives here.
    WrongPartition = 63,
    /// Another world is loaded here.
    WrongWorld = 64,
    /// The frame's first record number is not the next.
    BadSequence = 65,
    /// This kind is not allowed on this link.
    NotAllowed = 66,
}

impl Code {
    /// What happened, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::BadKind => "unknown kind of record",
            Self::UnknownPlayer => "this player never entered",
            Self::UnknownHunt => "no hunt in this slot",
            Self::UnknownNode => "the partition has no such node",
            Self::NoEdge => "there is no edge between these nodes",
            Self::EdgeClosed => "the edge is closed",
            Self::WrongNode => "the player stands on another node",
            Self::SeqGap => "a move is missing before this one",
            Self::Duplicate => "an older move, applied before",
            Self::NotPresent => "the player has left",
            Self::PlayersFull => "the player table is full",
            Self::HuntNotOpen => "the hunt is not open",
            Self::HuntPaused => "the hunt is paused",
            Self::NothingHere => "no treasure at this node",
            Self::Locked => "clues are missing for this treasure",
            Self::NotInWindow => "outside the time window",
            Self::Taken => "already won by another player",
            Self::TeamWon => "already won by this team",
            Self::AlreadyWon => "already won by this player",
            Self::NoHint => "no hint left for the target",
            Self::HintEarly => "the hint's delay has not passed",
            Self::BadTeam => "no such team, or the player is in another",
            Self::BadCost => "cost out of range",
            Self::BadTick => "not the next tick",
            Self::HashMismatch => "the state differs from the log's hash",
            Self::Moved => "the player is in another partition",
            Self::BorderFull => "too many players are on their way to other partitions",
            Self::EdgeExists => "there is such an edge already",
            Self::EdgesFull => "no room for another edge, in the partition or at one of its nodes",
            Self::BadEdge => "an edge must lead to another node",
            Self::HuntInUse => "the slot holds a running hunt",
            Self::NotLoading => "no hunt is loading in this slot",
            Self::BadRule => "a row of the hunt is out of range or out of order",
            Self::Struck => "the move was struck out of this history",
            Self::Fenced => "a correction is under way",
            Self::NotFenced => "no correction of this id is under way",
            Self::StaleHash => "the partition has moved on since the fork was compared with it",
            Self::BadCell => "a cell's name or word is out of range",
            Self::PricesFull => "edges have as many different costs as the partition can tell apart",
            Self::Busy => "too many unanswered moves",
            Self::LogFull => "the log has no room",
            Self::LogFailed => "the log failed, the partition has stopped",
            Self::Draining => "the actor is stopping",
            Self::BadFrame => "malformed frame",
            Self::FrameTooLarge => "too many records in a frame",
            Self::BadVersion => "unknown wire version",
            Self::WrongPartition => "another partition lives here",
            Self::WrongWorld => "another world is loaded here",
            Self::BadSequence => "the frame's first record number is not the next",
            Self::NotAllowed => "this kind is not allowed on this link",
        }
    }
}

/// All codes: number and name.
pub const CODES: [(u16, &str); 51] = [
    (0, "OK"),
    (10, "BAD_KIND"),
    (11, "UNKNOWN_PLAYER"),
    (12, "UNKNOWN_HUNT"),
    (13, "UNKNOWN_NODE"),
    (14, "NO_EDGE"),
    (15, "EDGE_CLOSED"),
    (16, "WRONG_NODE"),
    (17, "SEQ_GAP"),
    (18, "DUPLICATE"),
    (19, "NOT_PRESENT"),
    (20, "PLAYERS_FULL"),
    (21, "HUNT_NOT_OPEN"),
    (22, "HUNT_PAUSED"),
    (23, "NOTHING_HERE"),
    (24, "LOCKED"),
    (25, "NOT_IN_WINDOW"),
    (26, "TAKEN"),
    (27, "TEAM_WON"),
    (28, "ALREADY_WON"),
    (29, "NO_HINT"),
    (30, "HINT_EARLY"),
    (31, "BAD_TEAM"),
    (32, "BAD_COST"),
    (33, "BAD_TICK"),
    (34, "HASH_MISMATCH"),
    (35, "MOVED"),
    (36, "BORDER_FULL"),
    (37, "EDGE_EXISTS"),
    (38, "EDGES_FULL"),
    (39, "BAD_EDGE"),
    (40, "HUNT_IN_USE"),
    (41, "NOT_LOADING"),
    (42, "BAD_RULE"),
    (43, "STRUCK"),
    (44, "FENCED"),
    (45, "NOT_FENCED"),
    (46, "STALE_HASH"),
    (47, "BAD_CELL"),
    (48, "PRICES_FULL"),
    (50, "BUSY"),
    (51, "LOG_FULL"),
    (52, "LOG_FAILED"),
    (53, "DRAINING"),
    (60, "BAD_FRAME"),
    (61, "FRAME_TOO_LARGE"),
    (62, "BAD_VERSION"),
    (63, "WRONG_PARTITION"),
    (64, "WRONG_WORLD"),
    (65, "BAD_SEQUENCE"),
    (66, "NOT_ALLOWED"),
];
