//! Rings of other people: rtrb and disruptor (threads of one process), iceoryx2 (shared memory).

use std::thread;

use disruptor::{BusySpin, Producer};
use huntgraph_actor::bench::{Bus, Entry, Publish, SLOTS, Taker, failure};
use huntgraph_actor::failure::Failure;
use iceoryx2::prelude::*;

/// The bus of a name: `rtrb`, `disruptor` or `iceoryx2`.
pub fn named(name: &str) -> Result<Box<dyn Bus>, Failure> {
    match name {
        "rtrb" => Ok(Box::new(Rtrb)),
        "disruptor" => Ok(Box::new(Disruptor)),
        "iceoryx2" => Ok(Box::new(Iceoryx2 { opened: 0 })),
        _ => Err(failure("there is no such bus", name)),
    }
}

struct Rtrb;

impl Bus for Rtrb {
    fn open(&mut self, mut taker: Taker) -> Result<Publish, Failure> {
        let (mut writer, mut reader) = rtrb::RingBuffer::<Slot>::new(SLOTS);
        thread::spawn(move || {
            while !taker.stopped() {
                let there = reader.slots();
                let Ok(chunk) = reader.read_chunk(there) else { continue };
                for Slot { entry, .. } in chunk {
                    if !taker.take(&entry) {
                        return;
                    }
                }
            }
        });
        Ok(Box::new(move |entries| {
            let chunk = loop {
                match writer.write_chunk_uninit(entries.len()) {
                    Ok(chunk) => break chunk,
                    Err(_) => std::hint::spin_loop(),
                }
            };
            chunk.fill_from_iter(entries.iter().map(|&entry| Slot { entry, stamp: 0 }));
        }))
    }
}

/// An entry filled up to 64 bytes, as a slot of the ring has them.
#[derive(Clone, Copy, Debug, Default, ZeroCopySend)]
#[repr(C)]
struct Slot {
    entry: Entry,
    stamp: u64,
}

struct Disruptor;

impl Bus for Disruptor {
    fn open(&mut self, mut taker: Taker) -> Result<Publish, Failure> {
        let mut open = true;
        let mut writer = disruptor::build_single_producer(SLOTS, Slot::default, BusySpin)
            .handle_events_with(move |slot: &Slot, _, _| open = open && taker.take(&slot.entry))
            .build();
        Ok(Box::new(move |entries| {
            writer.batch_publish(entries.len(), |slots| {
                for (slot, entry) in slots.zip(entries) {
                    slot.entry = *entry;
                }
            });
        }))
    }
}

struct Iceoryx2 {
    opened: u32,
}

impl Bus for Iceoryx2 {
    fn open(&mut self, mut taker: Taker) -> Result<Publish, Failure> {
        let name = format!("huntgraph-bench-{}-{}", std::process::id(), self.opened);
        self.opened += 1;
        let bad = |what: &dyn std::fmt::Display| failure(what, "iceoryx2");
        set_log_level(LogLevel::Fatal);
        let node = NodeBuilder::new().create::<ipc::Service>().map_err(|e| bad(&e))?;
        let service = node
            .service_builder(&name.as_str().try_into().map_err(|e| bad(&format!("{e:?}")))?)
            .publish_subscribe::<Slot>()
            .enable_safe_overflow(false)
            .subscriber_max_buffer_size(SLOTS)
            .create()
            .map_err(|e| bad(&e))?;
        let writer = service
            .publisher_builder()
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .create()
            .map_err(|e| bad(&e))?;
        let (tell, created) = std::sync::mpsc::channel();
        thread::spawn(move || {
            // A subscriber stays with the thread that made it.
            let reader = service.subscriber_builder().buffer_size(SLOTS).create();
            let told = reader.as_ref().map_or_else(|e| Err(e.to_string()), |_| Ok(()));
            let (Ok(()), Ok(reader)) = (tell.send(told), reader) else { return };
            while !taker.stopped() {
                while let Ok(Some(slot)) = reader.receive() {
                    if !taker.take(&slot.entry) {
                        return;
                    }
                }
            }
        });
        created.recv().map_err(|e| bad(&e))?.map_err(|e| bad(&e))?;
        Ok(Box::new(move |entries| {
            // The node lives as long as what it made.
            let _node = &node;
            for &entry in entries {
                let sent = writer.send_copy(Slot { entry, stamp: 0 });
                sent.expect("iceoryx2 has room for the only reader");
            }
        }))
    }
}
