//! What a stream does because time passes.

use super::{ArqError, HostArq, Phase};
use crate::transport::{Packet, PacketType, Ticks};

impl HostArq {
    /// Gives up what took too long.
    pub(super) fn check_timers(&mut self, now: Ticks) {
        let p = self.parameters;
        let error = match self.phase {
            Phase::Resetting { since, .. } | Phase::Draining { since }
                if now.since(since) >= p.open_within =>
            {
                ArqError::NoAnswer { within: p.open_within }
            }
            Phase::Closing { since } if now.since(since) >= p.close_within => {
                ArqError::NotFlushed { within: p.close_within }
            }
            _ if self.send.stalled(now) >= p.dead_after => ArqError::Dead { within: p.dead_after },
            _ => return,
        };
        self.fail(error);
    }

    /// Moves queued packets into the window, or a dummy if nothing was sent for long.
    pub(super) fn fill_window(&mut self, now: Ticks) {
        if self.dummy_time().is_some_and(|due| due <= now) {
            self.queue.push_back(Packet::new(PacketType::DUMMY, [0]));
        }
        while self.send.has_room() {
            let Some(packet) = self.queue.pop_front() else { break };
            self.send.push(now, packet);
        }
    }

    /// When a dummy has to be sent if nothing else is.
    fn dummy_time(&self) -> Option<Ticks> {
        let is_idle = self.phase == Phase::Open && self.unacknowledged() == 0;
        is_idle.then(|| self.last_sent.after(self.parameters.dummy_after))
    }

    /// The next moment at which something has to be done.
    pub(super) fn next_timer(&self) -> Option<Ticks> {
        let p = self.parameters;
        let phase = match self.phase {
            Phase::Failed => return None,
            Phase::Resetting { since, next } => Some(next.min(since.after(p.open_within))),
            Phase::Draining { since } => Some(since.after(p.open_within)),
            Phase::Closing { since } => Some(since.after(p.close_within)),
            Phase::Listening | Phase::Offered | Phase::Open | Phase::Closed => self.dummy_time(),
        };
        [phase, self.send.deadline(), self.acknowledge].into_iter().flatten().min()
    }
}
