//! Parameter sets of Host-ARQ (hal-config §4.1).

use super::window::SendRules;

/// What both ends have to agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of sequence numbers.
    pub modulus: u32,
    /// Window of the receiver in frames.
    pub window: u32,
    /// Most 64-bit words of a frame.
    pub words: u32,
}

/// How one end behaves. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// What both ends have to agree on.
    pub limits: Limits,
    /// Most frames under way, at most the window. A matter of the sender alone.
    pub in_flight: u32,
    /// A frame is sent again after this time.
    pub resend_after: u64,
    /// An acknowledgement waits so long for a frame that takes it along.
    pub acknowledge_after: u64,
    /// The reset frame is sent again after this time.
    pub reset_again_after: u64,
    /// The start-up may take so long.
    pub open_within: u64,
    /// After closing, everything has to be acknowledged within this time.
    pub close_within: u64,
    /// An open stream that sent nothing for this time sends a dummy, to learn whether the peer
    /// lives.
    pub dummy_after: u64,
    /// The peer counts as dead if it acknowledged nothing for this time.
    pub dead_after: u64,
}

/// Limits of the FPGAs of the wafer: window 128 of 256 numbers.
const FCP_LIMITS: Limits = Limits { modulus: 256, window: 128, words: 180 };
/// Half the time that a full window takes on the wire at 125 MB/s: 756 us.
const FCP_RESEND: u64 = window_on_wire(FCP_LIMITS.window) / 2;
/// The original gives up after so many transmissions of one frame.
const MAX_RESENDS: u64 = 10_000;

/// Microseconds that a window of full frames takes: 1478 bytes each, 125 bytes per microsecond.
const fn window_on_wire(window: u32) -> u64 {
    window as u64 * 1478 / 125
}

impl Parameters {
    /// The FPGAs of the wafer ("FCP"), as the original host: 128 frames under way, sent again
    /// after 756 us. Made for a cable that keeps the order of datagrams; where they may overtake
    /// each other, limit the frames under way ([`in_flight`](Self::in_flight), see
    /// [`window`](super::window)).
    ///
    /// A dead peer is noticed 7.56 s after the last progress, the time of 10,000 transmissions;
    /// dummies are ours.
    pub const FCP: Self = Self {
        limits: FCP_LIMITS,
        in_flight: FCP_LIMITS.window,
        resend_after: FCP_RESEND,
        acknowledge_after: 500,
        reset_again_after: 20_000,
        // 2 s for the answer to the reset, 400 ms to drain what is left on the line
        open_within: 2_400_000,
        close_within: 500_000,
        dummy_after: 1_000_000,
        dead_after: MAX_RESENDS * FCP_RESEND,
    };

    /// The board of the analog readout ("ANANAS"): window 32 of 512 numbers, 126 words.
    pub const ANANAS: Self = {
        let limits = Limits { modulus: 512, window: 32, words: 126 };
        let resend_after = window_on_wire(limits.window) / 2;
        Self {
            limits,
            in_flight: limits.window,
            resend_after,
            dead_after: MAX_RESENDS * resend_after,
            ..Self::FCP
        }
    };

    /// [`FCP`](Self::FCP) between two programs: one processor serves 48 streams, so that answers
    /// take longer, and 32 frames fit well into the receive buffer of a socket. Up to 6 datagrams
    /// may overtake one, so that both ends may harm the line with the default of 3.
    pub const SHARED: Self = Self {
        in_flight: 32,
        resend_after: 5_000,
        open_within: 10_000_000,
        close_within: 2_000_000,
        ..Self::FCP
    };

    /// The rules of the send window.
    pub(super) const fn send_rules(&self) -> SendRules {
        SendRules {
            modulus: self.limits.modulus,
            in_flight: self.in_flight,
            resend_after: self.resend_after,
        }
    }
}
