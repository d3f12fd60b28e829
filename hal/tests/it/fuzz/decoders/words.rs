//! Words: configuration, playback, trace, and those to the FPGA.

use hal::codec::{Access, Answer, DecodeError, FgAnswer, FgBias, decode_wafer, encode_hicann};
use hal::codec::{ports_full, recorded_event};
use hal::config::HicannConfig;
use hal::coord::{HicannOnWafer, PulseLabel};
use hal::fpga::{FpgaCommand, adc_samples};
use hal::playback::{self, PlaybackError};
use hal::trace::{self, TraceError};
use hal::wafer::{ConfigurationWords, DncCycles, PulseEvent};

use super::{ACCEPTED, FPGA, outcome, size, to_bytes, to_words};

/// Which containers of a chip are not as after reset.
fn containers(chip: &HicannConfig) -> String {
    let d = HicannConfig::default();
    let changed = [
        ("neurons", chip.neurons != d.neurons),
        ("analog", chip.analog != d.analog),
        ("synapses", chip.synapses != d.synapses),
        ("controllers", chip.synapse_controllers != d.synapse_controllers),
        ("crossbar", chip.crossbar != d.crossbar),
        ("switches", chip.synapse_switches != d.synapse_switches),
        ("repeaters", chip.repeaters != d.repeaters),
        ("blocks", chip.repeater_blocks != d.repeater_blocks),
        ("mergers", chip.mergers != d.mergers),
        ("links", chip.gbit_links != d.gbit_links),
        ("gates", chip.floating_gates != d.floating_gates),
        ("stimuli", chip.current_stimuli != d.current_stimuli),
    ];
    let names = changed.into_iter().filter(|(_, is)| *is).map(|(name, _)| name);
    names.collect::<Vec<_>>().join("; ")
}

pub(super) fn configuration(bytes: &[u8]) -> String {
    let by_fpga = [(FPGA, to_words(bytes))].into();
    let decoded = decode_wafer(&ConfigurationWords { by_fpga });
    let depth = match &decoded {
        Err(DecodeError::Reserved { index, .. } | DecodeError::Refused { index, .. }) => {
            size(*index)
        }
        _ => "",
    };
    let shape = |wafer: &hal::config::WaferConfig| {
        wafer.hicanns.values().map(containers).collect::<Vec<_>>().join("; ")
    };
    outcome(decoded, shape) + "; " + depth
}

/// Pieces of the words that initialise a chip.
pub(super) fn configuration_examples() -> Vec<Vec<u8>> {
    let words = encode_hicann(HicannOnWafer::new::<0>(), &HicannConfig::default()).unwrap();
    words.chunks(words.len() / 24).map(|part| to_bytes(&part[..part.len().min(24)])).collect()
}

pub(super) fn access(bytes: &[u8]) -> String {
    let unknown = to_words(bytes).into_iter().find(|&word| match Access::from_word(word) {
        Some((link, access)) => {
            assert_eq!(Access::from_word(access.to_word(link)), Some((link, access)));
            if let Some((link, answer)) = Answer::from_word(word) {
                assert_eq!(Answer::from_word(answer.to_word(link)), Some((link, answer)));
            }
            false
        }
        None => true,
    });
    unknown.map_or(ACCEPTED, |_| "no access").to_owned()
}

pub(super) fn playback_words(bytes: &[u8]) -> String {
    let decoded = playback::decode(&to_words(bytes));
    let depth = match &decoded {
        Err(PlaybackError::Malformed { index, .. } | PlaybackError::AfterEnd { index }) => {
            size(*index)
        }
        _ => "",
    };
    let shape = |p: &playback::Playback| {
        let record = if p.record { "recorded" } else { "unrecorded" };
        format!("{} pulses; {record}; ends {}", size(p.pulses.len()), size(p.end.0 as usize >> 14))
    };
    outcome(decoded, shape) + "; " + depth
}

fn pulses() -> Vec<PulseEvent> {
    let label = |i: u64| PulseLabel::from_bits((37 * i % 4096) as u16);
    (0..60).map(|i| PulseEvent { time: DncCycles(100 + 17 * i * i * i), label: label(i) }).collect()
}

pub(super) fn playback_examples() -> Vec<Vec<u8>> {
    [&[][..], &pulses()]
        .map(|pulses| playback::encode_fpga(FPGA, pulses, DncCycles(1 << 22), true).unwrap())
        .map(|words| to_bytes(&words))
        .to_vec()
}

pub(super) fn trace_words(bytes: &[u8]) -> String {
    let decoded = trace::decode(&to_words(bytes));
    if let Ok(pulses) = &decoded {
        // counts of wraps may lie years apart: only what fits is encoded again
        let mut sorted = pulses.clone();
        sorted.sort_unstable();
        if sorted.last().is_none_or(|last| last.time.0 < 1 << 40) {
            let mut again = trace::decode(&trace::encode(pulses)).unwrap();
            again.sort_unstable();
            assert_eq!(again, sorted);
        }
    }
    let depth = match &decoded {
        Err(TraceError::Padding { index, .. } | TraceError::TimeOverflow { index }) => size(*index),
        _ => "",
    };
    let shape = |pulses: &Vec<PulseEvent>| {
        let last = pulses.last().map_or(0, |p| p.time.0 as usize >> 15);
        format!("{} pulses; {} wraps", size(pulses.len()), size(last))
    };
    outcome(decoded, shape) + "; " + depth
}

pub(super) fn trace_examples() -> Vec<Vec<u8>> {
    vec![to_bytes(&trace::encode(&[])), to_bytes(&trace::encode(&pulses()))]
}

/// Words that are decoded by themselves: commands to the FPGA, labels, answers of controllers and
/// test ports, samples of the ADC.
pub(super) fn single_words(bytes: &[u8]) -> String {
    let mut known = 0;
    for word in to_words(bytes) {
        if let Some(command) = FpgaCommand::from_bits(word) {
            assert_eq!(FpgaCommand::from_bits(command.bits()), Some(command));
            known += 1;
        }
        let label = PulseLabel::from_bits(word as u16);
        assert_eq!(PulseLabel::from_bits(label.bits()), label);
        let _ = (FgAnswer::from_register(word as u32).is_valid(), ports_full(word as u32));
        let bias = FgBias::from_read_back(word as u32);
        assert_eq!(bias.to_register() >> 14, 0);
        let _ = recorded_event([word as u8, (word >> 8) as u8]);
        assert!(adc_samples(word as u32).iter().all(|sample| *sample < 1 << 12));
    }
    format!("{ACCEPTED}; {} commands", size(known))
}

pub(super) fn single_word_examples() -> Vec<Vec<u8>> {
    let commands = [
        FpgaCommand::StartPlayback,
        FpgaCommand::StopTrace,
        FpgaCommand::StartTraceRead,
        FpgaCommand::start_system_time(FPGA, true, true),
    ];
    vec![to_bytes(&commands.map(FpgaCommand::bits))]
}
