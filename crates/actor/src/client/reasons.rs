//! Which ends of a connection can be mended by connecting again, and what to say about the others.

use huntgraph_core::schema::Code;

use super::Options;
use crate::failure::Failure;
use crate::quic::{CRYPTO_ERROR, CloseReason};

/// TLS alerts (RFC 8446, section 6) that a wrong certificate or protocol leads to.
const CERTIFICATE_ALERTS: std::ops::RangeInclusive<u64> = 42..=49;
const DECRYPT_ERROR: u64 = 51;
const CERTIFICATE_REQUIRED: u64 = 116;
const NO_PROTOCOL: u64 = 120;

/// The failure a TLS error means; `None` for any other end.
pub(super) fn tls_failure(reason: &CloseReason, options: &Options) -> Option<Failure> {
    let CloseReason::Transport { code, text, by_peer } = reason else {
        return None;
    };
    if code & !0xff != CRYPTO_ERROR {
        return None;
    }
    let alert = code & 0xff;
    let about_certificates = CERTIFICATE_ALERTS.contains(&alert)
        || [DECRYPT_ERROR, CERTIFICATE_REQUIRED].contains(&alert);
    let (what, fix) = if alert == NO_PROTOCOL {
        (
            "the other side does not speak huntgraph/1".to_owned(),
            "give the address of an actor of this version",
        )
    } else if about_certificates && *by_peer {
        (
            format!(
                "the actor does not accept this client's certificate (TLS alert {alert}: {text})"
            ),
            "use a certificate signed by the authority the actor was started with",
        )
    } else if about_certificates {
        (
            format!("the actor's certificate is not accepted (TLS alert {alert}: {text})"),
            "give the authority that signed it, and the name or address it is for",
        )
    } else {
        (
            format!("the TLS handshake failed (alert {alert}: {text})"),
            "check the certificates of both sides with 'huntgraph doctor'",
        )
    };
    Some(Failure::new("HG1302", what, options.address, fix))
}

/// The failure that a code of the actor means; `None` for codes that pass by themselves.
pub(super) fn code_failure(code: u64, text: &str, options: &Options) -> Option<Failure> {
    const LASTING: [(Code, &str); 7] = [
        (Code::BadVersion, "use a client of the actor's version"),
        (Code::WrongPartition, "ask the gateway for the partition's address"),
        (Code::WrongWorld, "use the actor's world, or world_id 0"),
        (Code::BadFrame, "report this with both versions"),
        (Code::FrameTooLarge, "report this with both versions"),
        (Code::NotAllowed, "send the moves of the protocol only"),
        (Code::BadSequence, "report this with both versions"),
    ];
    let (_, fix) = LASTING.iter().find(|(each, _)| *each as u64 == code)?;
    let what = format!("the actor refused with code {code}: {text}");
    Some(Failure::new("HG1303", what, options.address, fix))
}

/// The actor did what the protocol does not permit.
pub(super) fn fault(what: &str, options: &Options) -> Failure {
    let fix = "use an actor of this version; report this if it is";
    Failure::new("HG1305", what, options.address, fix)
}

/// The actor no longer has what it said was durable.
pub(super) fn history_lost(told: u64, has: u64, options: &Options) -> Failure {
    let what = format!("the actor is durable up to {has} only, and has told {told} before");
    let fix = "its directory was replaced: restore it, or start with a new client";
    Failure::new("HG1308", what, options.address, fix)
}

/// The time allowed is over.
pub(super) fn gave_up(last: &str, options: &Options) -> Failure {
    let what = format!("gave up after {} ms: {last}", options.give_up_ms);
    let fix = "see that the actor runs and that its UDP port can be reached";
    Failure::new("HG1304", what, options.address, fix)
}
