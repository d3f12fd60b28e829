//! What single wafers, chips and cells are like: everything in which silicon deviates from the
//! nominal law of [`hal::law`] and from a wafer without defects.
//!
//! All of it is drawn from the number of the wafer, place by place, so that neither the order of
//! asking nor the rest of the configuration matters. Noise of programming also depends on how often
//! a row was programmed.

mod cells;
mod circuit;
mod draw;
mod programming;

use std::sync::Arc;

use hal::config::{FloatingGates, HicannConfig, SharedParameter};
use hal::coord::{
    FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, OnWafer, SynapseDriverOnHicann,
    SynapseRowOnHicann, Table,
};
use hal::defects::HicannDefects;
use hal::law::{self, Cells, ShortTermPlasticity};
use hal::value::GmaxSelect;

use crate::effects::{Effect, Effects};
use crate::instance::Instance;
use cells::GateValues;
pub(crate) use circuit::Circuit;
use circuit::{Deviation, factor};
pub(crate) use draw::{AdcNoise, Jitter, scramble};
use draw::{Kind, normals};
pub(crate) use programming::{Programming, ProgrammingOfChip};

/// Spread of the factors of single synapses (contract §2).
const SYNAPSE_SPREAD: f64 = 0.2;
/// Spread of V_gmax by block and parameter, an assumption.
const GMAX_SPREAD: f64 = 0.05;
/// Relative spreads of short-term plasticity: of the recovery time by block, as of other time constants
/// (contract §2), and of the utilisation by block and by driver, assumptions.
const RECOVERY_SPREAD: f64 = 0.25;
const UTILISATION_SPREAD: [f64; 2] = [0.10, 0.05];
/// Spread of V_reset by block, V: with that of the circuits 16 mV (contract §2).
const RESET_SPREAD_V: f64 = 0.014;
/// Spread of the output amplifiers, V (analog §3.5).
const READOUT_SPREAD_V: f64 = 0.0139;
/// Time constant of the reset at I_breset 1023, s: an assumption. The shortest refractory period is
/// 15 ns (analog §5.1).
const RESET_AT_FULL_BIAS_S: f64 = 10e-9;
/// One defective circuit of so many fires all the time; the others never do. An assumption.
const WILD_SHARE: u32 = 4;

/// What a defective circuit does instead of working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never fires.
    Silent,
    /// It fires as soon as its refractory period is over, whatever its membrane does.
    Wild,
}

/// What a defective circuit of a wafer does.
pub(crate) fn fault(instance: Instance, hicann: HicannOnWafer, neuron: NeuronOnHicann) -> Fault {
    let wild = draw::bits(instance, Kind::Fault, hicann, neuron.index()) % WILD_SHARE == 0;
    if wild { Fault::Wild } else { Fault::Silent }
}

/// The random numbers of a chip that take long to draw, and what they were drawn for.
#[derive(Debug)]
pub(crate) struct Drawn {
    programming: ProgrammingOfChip,
    codes: FloatingGates,
    gates: GateValues,
    deviations: Option<Table<NeuronOnHicann, Deviation>>,
}

impl Drawn {
    pub(crate) fn new(
        hicann: HicannOnWafer,
        instance: Instance,
        effects: Effects,
        config: &HicannConfig,
        programming: ProgrammingOfChip,
    ) -> Self {
        let codes = &config.floating_gates;
        let mismatch = effects.contains(Effect::Mismatch);
        Self {
            gates: GateValues::new(hicann, instance, effects, codes, &programming),
            deviations: mismatch.then(|| circuit::deviations(instance, hicann)),
            codes: codes.clone(),
            programming,
        }
    }

    /// Whether they would be drawn like this again.
    pub(crate) fn is_for(&self, config: &HicannConfig, programming: &ProgrammingOfChip) -> bool {
        self.programming == *programming && self.codes == config.floating_gates
    }
}

/// One chip as it was made and programmed.
#[derive(Debug)]
pub(crate) struct Silicon<'a> {
    hicann: HicannOnWafer,
    instance: Instance,
    effects: Effects,
    config: &'a HicannConfig,
    defects: Option<&'a HicannDefects>,
    drawn: Arc<Drawn>,
    /// By block, deviation of V_reset in V.
    reset_v: Table<FgBlockOnHicann, f64>,
    /// By block and select, factor of V_gmax.
    gmax: Table<FgBlockOnHicann, [f64; 4]>,
}

impl<'a> Silicon<'a> {
    pub(crate) fn new(
        hicann: HicannOnWafer,
        instance: Instance,
        effects: Effects,
        config: &'a HicannConfig,
        defects: Option<&'a HicannDefects>,
        drawn: Arc<Drawn>,
    ) -> Self {
        let mismatch = effects.contains(Effect::Mismatch);
        let mut blocks = normals(instance, Kind::Blocks, hicann, 0);
        let mut spread = |size| if mismatch { size * blocks.draw() } else { 0.0 };
        Self {
            hicann,
            instance,
            effects,
            config,
            defects,
            drawn,
            reset_v: Table::from_fn(|_| spread(RESET_SPREAD_V)),
            gmax: Table::from_fn(|_| std::array::from_fn(|_| 1.0 + spread(GMAX_SPREAD))),
        }
    }

    /// What a circuit is like.
    pub(crate) fn circuit(&self, neuron: NeuronOnHicann) -> Circuit {
        let half = *self.config.neurons.half(neuron);
        let programmed = Cells::programmed(&self.config.floating_gates, neuron);
        let mut circuit =
            Circuit::new(&programmed, &self.drawn.gates.cells(neuron, &programmed), half);
        if let Some(deviations) = &self.drawn.deviations {
            circuit.deviate(&deviations[neuron], self.reset_v[neuron.shared_fg_block()]);
        }
        if self.effects.contains(Effect::SynapseSaturation) {
            circuit.limit_inputs();
        }
        if self.effects.contains(Effect::FiniteReset) {
            let block = neuron.shared_fg_block();
            let gates = &self.config.floating_gates;
            let code = self.drawn.gates.shared(gates, block, SharedParameter::IBreset).max(1.0);
            circuit.tau_reset_s = RESET_AT_FULL_BIAS_S * law::FULL_SCALE_A / law::amperes(code);
        }
        let broken = self.defects.is_some_and(|d| d.neurons.contains(neuron));
        circuit.fault = broken.then(|| fault(self.instance, self.hicann, neuron));
        circuit
    }

    /// Whether synapses of weight 0 conduct.
    pub(crate) fn weight_offset(&self) -> bool {
        self.effects.contains(Effect::WeightOffset)
    }

    /// Distance from the leak potential at which the leak's linear law reaches its largest current,
    /// V; none if it does not saturate.
    pub(crate) fn leak_range_v(&self) -> Option<f64> {
        self.effects.contains(Effect::OtaSaturation).then_some(circuit::LEAK_RANGE_V)
    }

    /// Short-term plasticity of a driver, if it is on in its block, and its utilisation over the nominal
    /// one.
    pub(crate) fn short_term_plasticity(
        &self,
        driver: SynapseDriverOnHicann,
    ) -> Option<(ShortTermPlasticity, f64)> {
        let block = driver.quadrant().fg_block();
        let gates = &self.config.floating_gates;
        // what is off stays off whatever noise its cell has
        law::short_term_plasticity(gates, block)?;
        let cell = |parameter| self.drawn.gates.shared(gates, block, parameter);
        let mut law = law::short_term_plasticity_from_cells(cell)?;
        if !self.effects.contains(Effect::Mismatch) {
            return Some((law, 1.0));
        }
        let drawn = |place| normals(self.instance, Kind::Plasticity, self.hicann, place);
        let mut of_block = drawn(block.index());
        let mut of_driver = drawn(FgBlockOnHicann::SIZE + driver.index());
        law.tau_rec_s *= factor(RECOVERY_SPREAD, of_block.draw());
        let [by_block, by_driver] = UTILISATION_SPREAD;
        Some((law, factor(by_block, of_block.draw()) * factor(by_driver, of_driver.draw())))
    }

    /// V_gmax of a block in units of codes.
    pub(crate) fn v_gmax(&self, block: FgBlockOnHicann, select: GmaxSelect) -> f64 {
        let code = self.drawn.gates.shared(
            &self.config.floating_gates,
            block,
            SharedParameter::gmax(select),
        );
        code * self.gmax[block][select.index()]
    }

    /// The factors of the synapses of a row, by column; none if all are 1.
    pub(crate) fn synapse_factors(&self, row: SynapseRowOnHicann) -> Option<Vec<f64>> {
        self.effects.contains(Effect::SynapseMismatch).then(|| {
            let mut row = normals(self.instance, Kind::Synapses, self.hicann, row.index());
            (0..256).map(|_| (1.0 + SYNAPSE_SPREAD * row.draw()).max(0.0)).collect()
        })
    }
}

/// Voltage that the output amplifier of a circuit adds, V, and the noise of the ADC that looks at
/// it. Neither depends on what the chip is told.
pub(crate) fn readout(
    instance: Instance,
    effects: Effects,
    neuron: OnWafer<NeuronOnHicann>,
) -> (f64, Option<AdcNoise>) {
    let OnWafer { hicann, local } = neuron;
    let mut offset_v = 0.0;
    if effects.contains(Effect::ReadoutOffset) {
        let mut normal = normals(instance, Kind::Readout, hicann, local.index());
        offset_v = READOUT_SPREAD_V * normal.draw();
    }
    let noisy = effects.contains(Effect::AdcNoise);
    (offset_v, noisy.then(|| AdcNoise::new(instance, hicann, local)))
}

/// Volts of a voltage cell per code.
fn volts_per_code() -> f64 {
    law::volts(1.0)
}

#[cfg(test)]
mod tests {
    use hal::config::NeuronParameter as P;
    use hal::coord::{Coordinate as _, WaferNumber};
    use hal::value::DacCode;

    use super::*;

    const WAFER: Instance = Instance::Manufactured(WaferNumber(30));
    const CHIP: HicannOnWafer = HicannOnWafer::new::<200>();

    /// A chip with adaptation and exponential term, V_convoff high.
    fn config() -> HicannConfig {
        let mut config = HicannConfig::default();
        for n in NeuronOnHicann::all() {
            for (parameter, code) in [(P::IGl, 189), (P::IPl, 102), (P::VSyntcx, 481)] {
                let code = DacCode::from_index(code).expect("in range");
                config.floating_gates.set_neuron(n, parameter, code);
            }
        }
        config
    }

    fn silicon(instance: Instance, effects: Effects, config: &HicannConfig) -> Silicon<'_> {
        on(CHIP, instance, effects, config)
    }

    fn on(
        hicann: HicannOnWafer,
        instance: Instance,
        effects: Effects,
        config: &HicannConfig,
    ) -> Silicon<'_> {
        let drawn = Drawn::new(hicann, instance, effects, config, ProgrammingOfChip::default());
        Silicon::new(hicann, instance, effects, config, None, Arc::new(drawn))
    }

    /// Mean and standard deviation of something about the circuits of a chip.
    fn spread(silicon: &Silicon<'_>, value: impl Fn(&Circuit) -> f64) -> (f64, f64) {
        let values: Vec<f64> = NeuronOnHicann::all().map(|n| value(&silicon.circuit(n))).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        (mean, (variance / values.len() as f64).sqrt())
    }

    #[test]
    fn without_effects_circuits_are_nominal() {
        let config = config();
        let silicon = silicon(WAFER, Effects::NONE, &config);
        for n in NeuronOnHicann::all() {
            let circuit = silicon.circuit(n);
            assert_eq!(circuit.law, law::circuit(&config.floating_gates, &config.neurons, n));
            assert_eq!((circuit.input_factor, circuit.standing_s), ([1.0; 2], [0.0; 2]));
        }
        assert!(silicon.synapse_factors(SynapseRowOnHicann::new::<3>()).is_none());
        let at = NeuronOnHicann::new::<3>().on(CHIP);
        assert!(matches!(readout(WAFER, Effects::NONE, at), (0.0, None)));
    }

    #[test]
    fn mismatch_has_the_sizes_of_the_contract() {
        let config = config();
        let made = silicon(WAFER, Effect::Mismatch.into(), &config);
        let volts = |value: fn(&Circuit) -> f64| spread(&made, value).1 * 1e3;
        for (name, size_mv, range) in [
            ("V_t", volts(|c| c.law.v_t_v), 14.0..15.0),
            ("E_synx", volts(|c| c.law.e_synx_v), 23.0..26.0),
            ("E_syni", volts(|c| c.law.e_syni_v), 20.0..20.0),
            ("E_l", volts(|c| c.law.e_l_v), 20.0..20.0),
        ] {
            // the spread of 512 draws is itself spread by 3 %
            let range = 0.91 * range.start..1.09 * range.end;
            assert!(range.contains(&size_mv), "{name}: {size_mv} mV");
        }
        let relative = |value: fn(&Circuit) -> f64| {
            let (mean, spread) = spread(&made, value);
            spread / mean
        };
        for (name, size) in [
            ("tau_m", relative(|c| c.law.tau_m_s)),
            ("tau_ref", relative(|c| c.law.tau_ref_s)),
            ("tau_syn", relative(|c| c.law.tau_syn_x_s)),
        ] {
            assert!((0.2..0.3).contains(&size), "{name}: {size}");
        }
        // four blocks with a deviation each
        let all: Vec<f64> = HicannOnWafer::all()
            .flat_map(|h| {
                let made = on(h, WAFER, Effect::Mismatch.into(), &config);
                NeuronOnHicann::all().step_by(37).map(move |n| made.circuit(n).law.v_reset_v)
            })
            .collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let reset = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        assert!((0.014..0.020).contains(&reset), "{reset}");
    }

    #[test]
    fn synapses_spread_by_a_fifth() {
        let config = config();
        let made = silicon(WAFER, Effect::SynapseMismatch.into(), &config);
        let factors: Vec<f64> = SynapseRowOnHicann::all()
            .take(20)
            .flat_map(|row| made.synapse_factors(row).expect("the effect is on"))
            .collect();
        let mean = factors.iter().sum::<f64>() / factors.len() as f64;
        let variance = factors.iter().map(|f| (f - mean).powi(2)).sum::<f64>();
        let spread = (variance / factors.len() as f64).sqrt();
        assert!((mean - 1.0).abs() < 0.01 && (spread - 0.2).abs() < 0.01, "{mean} {spread}");
        assert!(factors.iter().all(|f| *f >= 0.0));
    }

    #[test]
    fn drivers_differ_in_short_term_plasticity() {
        let mut config = config();
        let driver = SynapseDriverOnHicann::new::<7>();
        let effects = Effects::from(Effect::Mismatch).with(Effect::FgNoise.into(), true);
        // off, whatever noise the cell of the strength has
        assert_eq!(silicon(WAFER, effects, &config).short_term_plasticity(driver), None);
        for block in FgBlockOnHicann::all() {
            for (parameter, code) in [(SharedParameter::VStdf, 568), (SharedParameter::VDtc, 62)] {
                let code = DacCode::from_index(code).expect("in range");
                config.floating_gates.set_shared(block, parameter, code);
            }
        }
        let nominal =
            law::short_term_plasticity(&config.floating_gates, FgBlockOnHicann::new::<0>());
        let plain = silicon(WAFER, Effects::NONE, &config).short_term_plasticity(driver);
        assert_eq!(plain, nominal.map(|law| (law, 1.0)));
        let tau_rec_s = nominal.expect("it is on").tau_rec_s;
        let drawn: Vec<[f64; 2]> = HicannOnWafer::all()
            .flat_map(|h| {
                let made = on(h, WAFER, Effect::Mismatch.into(), &config);
                // one driver of each block
                [0, 1, 112, 113].map(|driver| {
                    let driver = SynapseDriverOnHicann::from_index(driver).expect("in range");
                    let (law, u) = made.short_term_plasticity(driver).expect("it is on");
                    [law.tau_rec_s / tau_rec_s, u]
                })
            })
            .collect();
        let n = drawn.len() as f64;
        for (i, size) in [RECOVERY_SPREAD, UTILISATION_SPREAD[0].hypot(UTILISATION_SPREAD[1])]
            .into_iter()
            .enumerate()
        {
            let mean = drawn.iter().map(|d| d[i]).sum::<f64>() / n;
            let spread = (drawn.iter().map(|d| (d[i] - mean).powi(2)).sum::<f64>() / n).sqrt();
            assert!((mean - 1.0).abs() < 0.03, "{i}: {mean}");
            assert!((spread / size - 1.0).abs() < 0.1, "{i}: {spread}");
        }
    }

    #[test]
    fn wafers_and_chips_differ_and_repeat() {
        let config = config();
        let v_t = |instance, hicann| {
            on(hicann, instance, Effect::Mismatch.into(), &config)
                .circuit(NeuronOnHicann::new::<7>())
                .law
                .v_t_v
        };
        let other = Instance::Manufactured(WaferNumber(31));
        assert_eq!(v_t(WAFER, CHIP), v_t(WAFER, CHIP));
        assert_ne!(v_t(WAFER, CHIP), v_t(other, CHIP));
        assert_ne!(v_t(WAFER, CHIP), v_t(WAFER, HicannOnWafer::new::<201>()));
        assert_ne!(v_t(WAFER, CHIP), v_t(Instance::Ideal, CHIP));
    }

    #[test]
    fn low_v_convoff_makes_inputs_conduct_unless_they_are_off() {
        let mut config = config();
        let n = NeuronOnHicann::new::<5>();
        let standing = |config: &HicannConfig| {
            silicon(WAFER, Effect::Mismatch.into(), config).circuit(n).standing_s
        };
        assert_eq!(standing(&config), [0.0; 2]);
        config.floating_gates.set_neuron(n, P::VConvoffx, DacCode::new::<57>());
        let [x, i] = standing(&config);
        assert!(x > 0.1e-6 && i == 0.0, "{x} {i}");
        config.floating_gates.set_neuron(n, P::IConvx, DacCode::new::<0>());
        assert_eq!(standing(&config), [0.0; 2]);
    }

    #[test]
    fn what_is_off_stays_off_in_noisy_cells() {
        let mut config = config();
        for n in NeuronOnHicann::all() {
            for (parameter, off) in
                [(P::IGladapt, 0), (P::IFire, 0), (P::IRadapt, 1023), (P::IRexp, 1023)]
            {
                let off = DacCode::from_index(off).expect("in range");
                config.floating_gates.set_neuron(n, parameter, off);
            }
        }
        let made = silicon(WAFER, Effect::FgNoise.into(), &config);
        let (_, v_t) = spread(&made, |c| c.law.v_t_v);
        // never programmed: as noisy as after coarse passes
        assert!((v_t - 0.0077).abs() < 0.001, "{v_t}");
        for n in NeuronOnHicann::all() {
            let law = made.circuit(n).law;
            assert!(law.adaptation.is_none() && law.exponential.is_none());
        }
    }
}
