//! Opening a log: survey what is there, cut a torn tail, stand ready for the next record.

use std::sync::Arc;
use std::time::Duration;

use super::recovery;
use super::segment::{self, Chain, Identity};
use super::shared::Shared;
use super::spare::{self, Spare};
use super::worker::{self, Fault, Worker};
use super::{LogError, LogOptions, Logger, Recovered};
use crate::disk::Disk;

fn identity(options: &LogOptions) -> Identity {
    Identity { partition: options.partition, world_id: options.world_id }
}

/// Opens the log in `disk` (making it where there is none) without a thread: the caller gives the
/// worker its turns. [`Logger::start`] is the usual way.
///
/// # Errors
/// `log-locked` when another process writes it, `log-damaged`, `log-foreign` for another
/// partition, world or version, `log-no-space`, `log-io`, `log-options`. The files are unchanged
/// after the first three.
pub fn open<D: Disk>(
    disk: D,
    options: &LogOptions,
) -> Result<(Recovered, Logger, Worker<D>), LogError> {
    worker::check_options(options).map_err(|detail| LogError::Options { detail })?;
    let identity = identity(options);
    let mut survey = recovery::recover(&disk, identity, options.covered)?;
    let recovered = Recovered::of(&mut survey);
    let describe =
        |Fault(operation, source)| LogError::Io { directory: disk.describe(), operation, source };
    let time_ms = options.time_ms.max(recovered.time_ms);
    let shared = Shared::new(options.queue_records, recovered.durable, time_ms)
        .map_err(|e| describe(Fault("make the wake-up event", e)))?;
    shared.first.set(recovered.first_position);
    let shared = Arc::new(shared);
    let logger = Logger { shared: shared.clone(), appended: recovered.durable, thread: None };
    let ready = ready_segments(&disk, identity, &mut survey, options).map_err(describe)?;
    let mut worker = Worker::new(disk, options, shared, recovered.epoch, survey, ready);
    match worker.open_epoch() {
        Ok(()) => Ok((recovered, logger, worker)),
        Err(Fault(operation, source)) => {
            Err(LogError::Io { directory: worker.disk.describe(), operation, source })
        }
    }
}

/// Makes a whole empty segment now; what was begun is removed when that fails.
fn make_segment<D: Disk>(
    disk: &D,
    identity: Identity,
    sequence: u32,
    options: &LogOptions,
) -> Result<segment::Segment<D::File>, Fault> {
    let mut spare = Spare::none();
    loop {
        let slice_bytes = options.slice_bytes;
        match spare.advance(disk, identity, sequence, options.segment_bytes, slice_bytes) {
            Ok(spare::Progress::More) => {}
            Ok(spare::Progress::Ready(segment)) => return Ok(segment),
            Err(fault) => {
                // The first error is the one to report; the file goes at the next start at last.
                let _ = spare.discard(disk);
                return Err(fault);
            }
        }
    }
}

impl Recovered {
    fn of<D: Disk>(survey: &mut recovery::Survey<D>) -> Self {
        let chain = survey.chain;
        Self {
            first_position: survey.first_position,
            next_position: chain.next_position,
            epoch: chain.epoch + 1,
            durable: chain.next_position - 1,
            cut_bytes: survey.cut_bytes,
            segments: survey.segments,
            time_ms: chain.time_ms,
            damaged: std::mem::take(&mut survey.damaged),
        }
    }
}

/// The segment to go on with, its first free page, and the next segment where it is needed at once.
type Ready<F> = (segment::Segment<F>, u32, Option<segment::Segment<F>>);

fn ready_segments<D: Disk>(
    disk: &D,
    identity: Identity,
    survey: &mut recovery::Survey<D>,
    options: &LogOptions,
) -> Result<Ready<D::File>, Fault> {
    let (current, page) = match survey.current.take() {
        Some(current) => current,
        None => (make_segment(disk, identity, 1, options)?, 1),
    };
    let mut next = survey.next.take();
    if page == current.pages && next.is_none() {
        next = Some(make_segment(disk, identity, current.sequence + 1, options)?);
    }
    Ok((current, page, next))
}

impl<D: Disk> Worker<D> {
    /// The worker that goes on where the survey ended.
    fn new(
        disk: D,
        options: &LogOptions,
        shared: Arc<Shared>,
        epoch: u64,
        survey: recovery::Survey<D>,
        (current, page, next): Ready<D::File>,
    ) -> Self {
        let chain = Chain { epoch, ..survey.chain };
        Self {
            identity: identity(options),
            shared,
            chain,
            buffer: worker::block_buffer(),
            synced: current.sequence - u32::from(!survey.current_has_block),
            oldest: survey.oldest.max(1),
            current,
            page,
            next,
            spare: Spare::none(),
            written: chain.next_position - 1,
            sealed: true,
            dropped_through: 0,
            segment_bytes: options.segment_bytes,
            slice_bytes: options.slice_bytes,
            retry: Duration::from_millis(options.space_retry_ms),
            retry_at: None,
            linger: Duration::from_micros(options.linger_us),
            _lock: survey.lock,
            disk,
        }
    }

    /// Writes the block that makes the new epoch stand in the log.
    fn open_epoch(&mut self) -> Result<(), Fault> {
        self.write_block(0)?;
        self.sync_current()?;
        self.publish_durable();
        self.publish_segments();
        Ok(())
    }
}
