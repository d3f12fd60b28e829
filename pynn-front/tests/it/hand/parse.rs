//! The line language of the hand-written configurations.

use hal::config::{BackgroundGenerator, GbitDirection, MergerMode, RepeaterMode, WaferConfig};
use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, DncMergerOnHicann, DriverDecoder, HicannOnWafer, L1Address,
    NeuronOnHicann, OnWafer, RepeaterBlockOnHicann, Side, SynapseColumnOnHicann, SynapseDecoder,
    SynapseRowOnHicann, SynapseSwitchOnHicann, SynapticInputOnNeuron, Vertical,
};
use hal::defects::Component;
use hal::value::SynapseWeight;

/// One `expect` line: events of an address on a bus reach a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reached {
    pub(crate) hicann: HicannOnWafer,
    pub(crate) merger: DncMergerOnHicann,
    pub(crate) address: L1Address,
    pub(crate) target: OnWafer<NeuronOnHicann>,
    pub(crate) input: SynapticInputOnNeuron,
    pub(crate) weight: SynapseWeight,
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) config: WaferConfig,
    pub(crate) reached: Vec<Reached>,
    pub(crate) membranes: Vec<(HicannOnWafer, Vec<NeuronOnHicann>)>,
    /// Components with the rules that the configuration breaks if they are defective.
    pub(crate) defects: Vec<(Component, Vec<String>)>,
}

/// Reads a file; the error names the line.
pub(crate) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    let mut expects = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = match words[..] {
            [] => Ok(()),
            ["expect", ref rest @ ..] => {
                expects = true;
                expect(&mut script, rest)
            }
            ["defect", component, ref rules @ ..] => {
                let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
                let component = component.parse().map_err(|e| format!("{e}"));
                component.map(|component| script.defects.push((component, rules)))
            }
            [hicann, ref rest @ ..] => hicann
                .parse()
                .map_err(|e| format!("{e}"))
                .and_then(|hicann| set(&mut script.config, hicann, rest)),
        };
        done.map_err(|e| format!("line {}: `{}`: {e}", number + 1, line.trim()))?;
    }
    if expects { Ok(script) } else { Err("no expectation; write `expect nothing` if so".into()) }
}

type Parsed<T = ()> = Result<T, String>;

/// A coordinate by its bare number.
fn at<C: Coordinate>(number: &str) -> Parsed<C> {
    let index = number.parse::<usize>().map_err(|e| e.to_string())?;
    C::from_index(index).ok_or_else(|| format!("{index} is out of range; there are {}", C::SIZE))
}

/// The same with a letter or word before the number.
fn after<C: Coordinate>(prefix: &str, word: &str) -> Parsed<C> {
    at(word.strip_prefix(prefix).ok_or_else(|| format!("`{word}` does not start with {prefix}"))?)
}

fn side(word: &str) -> Parsed<Side> {
    match word {
        "left" => Ok(Side::Left),
        "right" => Ok(Side::Right),
        _ => Err(format!("`{word}` is neither left nor right")),
    }
}

fn vertical(word: &str) -> Parsed<Vertical> {
    match word {
        "top" => Ok(Vertical::Top),
        "bottom" => Ok(Vertical::Bottom),
        _ => Err(format!("`{word}` is neither top nor bottom")),
    }
}

fn mode(word: &str) -> Parsed<MergerMode> {
    match word {
        "left" => Ok(MergerMode::LeftOnly),
        "right" => Ok(MergerMode::RightOnly),
        "merge" => Ok(MergerMode::Merge),
        _ => Err(format!("`{word}` is no merger mode")),
    }
}

/// `8-15` or `8`.
fn range(word: &str) -> Parsed<std::ops::RangeInclusive<usize>> {
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let number = |s: &str| s.parse::<usize>().map_err(|e| e.to_string());
    Ok(number(from)?..=number(to)?)
}

fn set(config: &mut WaferConfig, hicann: HicannOnWafer, words: &[&str]) -> Parsed {
    let chip = config.hicann_mut(hicann);
    match *words {
        ["release"] => {
            chip.repeater_blocks.values_mut().iter_mut().for_each(|b| b.dll_released = true);
            for controller in chip.synapse_controllers.values_mut() {
                controller.dll_released = [true; 2];
            }
        }
        ["hold", "block", block] => {
            let block: RepeaterBlockOnHicann = at(block)?;
            chip.repeater_blocks[block].dll_released = false;
        }
        ["hold", "controller", array, on] => {
            chip.synapse_controllers[at(array)?].dll_released[side(on)?.index()] = false;
        }
        ["neuron", neuron, ref settings @ ..] => {
            let circuit = &mut chip.neurons.circuits[at(neuron)?];
            let mut settings = settings.iter();
            while let Some(&setting) = settings.next() {
                match setting {
                    "address" => {
                        circuit.address = at(settings.next().ok_or("address without a number")?)?;
                    }
                    "fires" => circuit.activate_firing = true,
                    "sends" => circuit.enable_spl1_output = true,
                    "fire-input" => circuit.enable_fire_input = true,
                    _ => return Err(format!("`{setting}` is no setting of a neuron")),
                }
            }
        }
        ["quad", quad, "vertical", ref columns @ ..] => {
            for column in columns {
                chip.neurons.quads[at(quad)?].vertical[side(column)?.index()] = true;
            }
        }
        ["quad", quad, "horizontal", ref rows @ ..] => {
            for row in rows {
                chip.neurons.quads[at(quad)?].horizontal[vertical(row)?.index()] = true;
            }
        }
        ["merger", merger, to] => chip.mergers.tree[at(merger)?].mode = mode(to)?,
        ["dnc", merger, to] => chip.mergers.dnc[at(merger)?].mode = mode(to)?,
        ["link", link, direction] => {
            chip.gbit_links.direction[at(link)?] = match direction {
                "to-chip" => GbitDirection::ToHicann,
                "to-fpga" => GbitDirection::ToDnc,
                _ => return Err(format!("`{direction}` is no direction of a link")),
            };
        }
        ["generator", generator, "address", address, "period", period] => {
            chip.mergers.background[at(generator)?] = BackgroundGenerator {
                enable: true,
                address: at(address)?,
                period: period.parse().map_err(|_| "no period")?,
                ..BackgroundGenerator::default()
            };
        }
        _ => return set_l1(config, hicann, words),
    }
    Ok(())
}

fn set_l1(config: &mut WaferConfig, hicann: HicannOnWafer, words: &[&str]) -> Parsed {
    let chip = config.hicann_mut(hicann);
    match *words {
        ["sending", sending, to] => {
            let sending: hal::coord::SendingRepeaterOnHicann = at(sending)?;
            chip.repeaters.horizontal[sending.repeater()].mode = match to {
                "both" => RepeaterMode::OutputBoth,
                _ => RepeaterMode::Output(side(to)?),
            };
        }
        ["hrepeater", repeater, "forward", to] => {
            chip.repeaters.horizontal[at(repeater)?].mode = RepeaterMode::Forwarding(side(to)?);
        }
        ["vrepeater", repeater, "forward", to] => {
            chip.repeaters.vertical[at(repeater)?].mode = RepeaterMode::Forwarding(vertical(to)?);
        }
        ["crossbar", v, h] => {
            let switch = CrossbarSwitchOnHicann::between(after("h", h)?, after("v", v)?)
                .ok_or("there is no crossbar switch between these lines")?;
            chip.crossbar.set(switch, true);
        }
        ["synapse-switch", v, row] => {
            let switch = SynapseSwitchOnHicann::between(after("v", v)?, after("row", row)?)
                .ok_or("there is no synapse switch between this line and row")?;
            chip.synapse_switches.set(switch, true);
        }
        _ => return set_synapses(config, hicann, words),
    }
    Ok(())
}

fn set_synapses(config: &mut WaferConfig, hicann: HicannOnWafer, words: &[&str]) -> Parsed {
    let arrays = &mut config.hicann_mut(hicann).synapses;
    match *words {
        ["driver", driver, ref settings @ ..] => {
            let driver = &mut arrays.drivers[at(driver)?];
            for &setting in settings {
                match setting {
                    "enable" => driver.enable = true,
                    "locin" => driver.locin = true,
                    "connect" => driver.connect_neighbor = true,
                    _ => return Err(format!("`{setting}` is no setting of a driver")),
                }
            }
        }
        ["row", row, "input", inputs] => {
            arrays.row_mut(at(row)?).synaptic_input = match inputs {
                "both" => [true, true],
                "left" => [true, false],
                "right" => [false, true],
                "none" => [false, false],
                _ => return Err(format!("`{inputs}` are no inputs")),
            };
        }
        ["row", row, "decoder", "even", even, "odd", odd] => {
            let decoder: [DriverDecoder; 2] = [at(even)?, at(odd)?];
            arrays.row_mut(at(row)?).decoder = decoder;
        }
        ["synapse", "row", row, "col", columns, "decoder", decoders, "weight", weight] => {
            let row: SynapseRowOnHicann = at(row)?;
            let (columns, decoders) = (range(columns)?, range(decoders)?);
            if columns.clone().count() != decoders.clone().count() {
                return Err("the two ranges have different lengths".into());
            }
            for (column, decoder) in columns.zip(decoders) {
                let column = SynapseColumnOnHicann::try_from(column).map_err(|e| e.to_string())?;
                let decoder = SynapseDecoder::try_from(decoder).map_err(|e| e.to_string())?;
                arrays.decoders[row.synapse(column)] = decoder;
                arrays.weights[row.synapse(column)] = at(weight)?;
            }
        }
        _ => return Err("no such setting".into()),
    }
    Ok(())
}

fn expect(script: &mut Script, words: &[&str]) -> Parsed {
    match *words {
        ["nothing"] => {}
        ["membrane", hicann, ref circuits @ ..] => {
            let hicann = hicann.parse().map_err(|e| format!("{e}"))?;
            let circuits = circuits.iter().map(|c| at(c)).collect::<Parsed<Vec<_>>>()?;
            script.membranes.push((hicann, circuits));
        }
        [hicann, merger, "adr", address, "->", chip, "nrn", neuron, input, weight] => {
            let chip: HicannOnWafer = chip.parse().map_err(|e| format!("{e}"))?;
            let neuron: NeuronOnHicann = at(neuron)?;
            script.reached.push(Reached {
                hicann: hicann.parse().map_err(|e| format!("{e}"))?,
                merger: merger.parse().map_err(|e| format!("{e}"))?,
                address: at(address)?,
                target: neuron.on(chip),
                input: at(if side(input)? == Side::Left { "0" } else { "1" })?,
                weight: at(weight)?,
            });
        }
        _ => return Err("no such expectation".into()),
    }
    Ok(())
}
