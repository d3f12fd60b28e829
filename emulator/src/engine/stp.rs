//! Short-term plasticity of synapse drivers (analog §5.3).
//!
//! A driver keeps one state per address, shared by its two rows: the inactive share of a resource.
//! An event finds what has recovered since the last one, is scaled by it, and uses some of the rest.

use hal::config::StpMode;
use hal::law::ShortTermPlasticity;
use hal::wafer::DncCycles;

/// One address of a driver with short-term plasticity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Resource {
    mode: StpMode,
    law: ShortTermPlasticity,
    utilisation: f64,
    /// Inactive share, 0..=1, right after the last event.
    pub(super) inactive: f64,
    pub(super) last: DncCycles,
}

impl Resource {
    /// Fully recovered; an event uses the share `utilisation`, at most 1, of what is active.
    pub(super) fn new(mode: StpMode, utilisation: f64, law: ShortTermPlasticity) -> Self {
        Self { mode, law, utilisation: utilisation.min(1.0), inactive: 0.0, last: DncCycles(0) }
    }

    /// The factor of the weights for an event that arrives now, never below 0. An event that
    /// arrives before an earlier one finds no time gone.
    pub(super) fn event(&mut self, now: DncCycles) -> f64 {
        let passed_s = DncCycles(now.0.saturating_sub(self.last.0)).hardware_s();
        let inactive = self.inactive * (-passed_s / self.law.tau_rec_s).exp();
        self.last = self.last.max(now);
        self.inactive = inactive + self.utilisation * (1.0 - inactive);
        let ShortTermPlasticity { lambda, n_dep, n_fac, .. } = self.law;
        let factor = match self.mode {
            StpMode::Depression => 1.0 - lambda * (inactive - n_dep),
            StpMode::Facilitation => 1.0 + lambda * (inactive - n_fac),
        };
        factor.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use hal::coord::Coordinate;
    use hal::law::stp_utilisation;
    use hal::value::StpCapacitor;

    use super::*;

    /// Mode, times in us, recovery in us, capacitor, lambda, N and expected factors.
    type Case = (StpMode, [f64; 6], f64, usize, f64, f64, [f64; 6]);

    #[test]
    fn factors_are_those_of_the_published_rule() {
        // vectors stp_dynamics-001 to -004
        let third = 2.0 / 3.0;
        let every_us = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let cases: [Case; 4] = [
            (
                StpMode::Depression,
                [0.0, 5.0, 10.0, 15.0, 20.0, 70.0],
                10.0,
                3,
                1.0,
                0.0,
                [
                    1.0,
                    0.8093760783760295,
                    0.730094304931735,
                    0.697120481148634,
                    0.6834064456566942,
                    0.9964196002532584,
                ],
            ),
            (
                StpMode::Facilitation,
                [0.0, 2.0, 4.0, 6.0, 8.0, 58.0],
                5.0,
                0,
                1.0,
                third,
                [
                    0.33333333333333326,
                    0.5009133448422431,
                    0.5851625256142221,
                    0.6275179616643756,
                    0.6488117350466245,
                    0.3333554253387334,
                ],
            ),
            (
                StpMode::Depression,
                every_us,
                100.0,
                7,
                0.5,
                0.1,
                [
                    1.05,
                    0.8519900332501664,
                    0.7343661924533558,
                    0.6644941140378631,
                    0.6229880102664828,
                    0.5983321435834242,
                ],
            ),
            (
                StpMode::Facilitation,
                every_us,
                20.0,
                7,
                1.0,
                1.0,
                [
                    0.0,
                    0.38049176980028565,
                    0.5976527501289159,
                    0.7215946987341242,
                    0.7923330358000619,
                    0.8327060683944835,
                ],
            ),
        ];
        for (mode, times_us, tau_us, capacitor, lambda, n, expected) in cases {
            let law = ShortTermPlasticity { tau_rec_s: tau_us * 1e-6, lambda, n_dep: n, n_fac: n };
            let capacitor = StpCapacitor::from_index(capacitor).expect("eight settings");
            let mut resource = Resource::new(mode, stp_utilisation(capacitor), law);
            for (time_us, factor) in times_us.into_iter().zip(expected) {
                let seen = resource.event(DncCycles((time_us * 250.0) as u64));
                assert!((seen - factor).abs() < 1e-9, "{mode:?} {time_us}: {seen} for {factor}");
            }
        }
    }
}
