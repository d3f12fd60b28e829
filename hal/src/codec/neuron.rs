//! Neuron circuits, quads and the settings of the two halves (hal-config §2.5 to §2.7).

use super::bus::{
    NO_REGISTER, NOT_READABLE, Refusal, Register, Unit, Writer, timing_words, width, write_timing,
};
use crate::config::{CurrentScaling, InvalidIoCode, NeuronHalf, Neurons, SramTiming};
use crate::coord::{Coordinate, L1Address, NeuronOnQuad, QuadOnHicann, Vertical};

/// One past the last word of a quad.
const QUADS_END: u16 = 0x200;
/// Settings of the halves.
pub(super) const HALVES: u16 = 0x200;
/// The register of the analog outputs lies in the same unit.
pub(super) const ANALOG: u16 = 0x201;
const TIMING: [u16; 2] = [0x210, 0x211];

/// Place of the words of a quad: top left, top right, bottom left, bottom right.
const OFFSET: [u16; 4] = [1, 3, 0, 2];
/// The word that holds the switches of the whole quad.
const TOP_RIGHT: usize = 1;

/// Settings of a row of a quad inside the top right word, by row.
const ROW_SHIFT: [u32; 2] = [6, 14];
const HORIZONTAL: u32 = 1 << 3;
const FIRING: [u32; 2] = [1 << 4, 1 << 7];
const FIRE_INPUT: [u32; 2] = [1 << 5, 1 << 6];
/// The circuit above and below are joined; in the words of the bottom circuits.
const VERTICAL: u32 = 1 << 22;
/// Output enable, in the words of the top and of the bottom circuits.
const SPL1: [u32; 2] = [1 << 23, 1 << 24];

/// Analog outputs and current inputs of a row by code: output right, output left, input right,
/// input left.
const IO_BITS: [u32; 8] = [0, 1, 2, 3, 4, 5, 10, 8];

/// Releases the event outputs from reset.
const OUTPUTS_RUNNING: u32 = 1 << 14;
/// Releases the circuits of the top and of the bottom half from reset.
const RUNNING: [u32; 2] = [1 << 16, 1 << 15];
/// What a read returns: the resets are not among it.
const READABLE: u32 = (1 << 14) - 1;

fn reverse_address(address: u32) -> u32 {
    address.reverse_bits() >> 26
}

/// The four words of a quad in writing order.
pub(super) fn quad_words(neurons: &Neurons, quad: QuadOnHicann) -> Result<[u32; 4], InvalidIoCode> {
    let circuit =
        |y: usize, x: usize| &neurons.circuits[quad.neuron(NeuronOnQuad::wrap(2 * y + x))];
    let switches = &neurons.quads[quad];
    let mut words = [0; 4];
    for y in Vertical::ALL {
        let mut row = u32::from(neurons.io_code(quad, y)?);
        if switches.horizontal[y.index()] {
            row |= HORIZONTAL;
        }
        for x in 0..2 {
            let c = circuit(y.index(), x);
            if c.activate_firing {
                row |= FIRING[x];
            }
            if c.enable_fire_input {
                row |= FIRE_INPUT[x];
            }
            let word = &mut words[2 * y.index() + x];
            *word |= reverse_address(c.address.index() as u32);
            if c.enable_spl1_output {
                *word |= SPL1[y.index()];
            }
            if y == Vertical::Bottom && switches.vertical[x] {
                *word |= VERTICAL;
            }
        }
        words[TOP_RIGHT] |= row << ROW_SHIFT[y.index()];
    }
    Ok(words)
}

/// The words of all quads.
pub(super) fn quad_registers(neurons: &Neurons) -> Result<Vec<Register>, InvalidIoCode> {
    let mut registers = Vec::with_capacity(4 * QuadOnHicann::SIZE);
    for quad in QuadOnHicann::all() {
        for (offset, word) in OFFSET.into_iter().zip(quad_words(neurons, quad)?) {
            registers.push((Unit::NeuronBuilder, 4 * quad.index() as u16 + offset, word));
        }
    }
    Ok(registers)
}

fn write_quad(neurons: &mut Neurons, local: u16, data: u32) -> Result<(), Refusal> {
    width(data, 25)?;
    let quad = QuadOnHicann::wrap(usize::from(local / 4));
    let on_quad = [2, 0, 3, 1][usize::from(local % 4)];
    let (y, x) = (on_quad / 2, on_quad % 2);
    let rows = 0xffff << ROW_SHIFT[0];
    let allowed = 0x3f
        | SPL1[y]
        | if on_quad == TOP_RIGHT { rows } else { 0 }
        | if y == 1 { VERTICAL } else { 0 };
    if data & !allowed != 0 {
        return Err("bits that belong to another circuit of the quad");
    }
    let circuit = &mut neurons.circuits[quad.neuron(NeuronOnQuad::wrap(on_quad))];
    circuit.address = L1Address::wrap(reverse_address(data & 0x3f) as usize);
    circuit.enable_spl1_output = data & SPL1[y] != 0;
    if y == 1 {
        neurons.quads[quad].vertical[x] = data & VERTICAL != 0;
    }
    if on_quad == TOP_RIGHT {
        for y in 0..2 {
            let row = data >> ROW_SHIFT[y];
            let io = IO_BITS[(row & 7) as usize];
            neurons.quads[quad].horizontal[y] = row & HORIZONTAL != 0;
            for x in 0..2 {
                let circuit = &mut neurons.circuits[quad.neuron(NeuronOnQuad::wrap(2 * y + x))];
                circuit.activate_firing = row & FIRING[x] != 0;
                circuit.enable_fire_input = row & FIRE_INPUT[x] != 0;
                circuit.enable_aout = io >> (1 - x) & 1 != 0;
                circuit.enable_current_input = io >> (3 - x) & 1 != 0;
            }
        }
    }
    Ok(())
}

/// Bits of the half's scalings: fast at these positions, slow six above; adaptation time
/// constant, adaptation conductance, leak.
const SCALING_SHIFT: [[u32; 3]; 2] = [[3, 4, 5], [0, 1, 2]];
const BIG_CAPACITOR: [u32; 2] = [13, 12];

/// The word of the halves.
pub(super) fn halves_word(neurons: &Neurons) -> u32 {
    let mut word = if neurons.outputs_held_in_reset { 0 } else { OUTPUTS_RUNNING };
    for (y, half) in neurons.halves.into_iter().enumerate() {
        word |= u32::from(half.big_capacitor) << BIG_CAPACITOR[y];
        if !half.held_in_reset {
            word |= RUNNING[y];
        }
        let scalings = [half.i_radapt, half.i_gladapt, half.i_gl];
        for (scaling, shift) in scalings.into_iter().zip(SCALING_SHIFT[y]) {
            let (slow, fast) = scaling.bits();
            word |= u32::from(fast) << shift | u32::from(slow) << (shift + 6);
        }
    }
    word
}

fn write_halves(neurons: &mut Neurons, data: u32) -> Result<(), Refusal> {
    width(data, 17)?;
    neurons.outputs_held_in_reset = data & OUTPUTS_RUNNING == 0;
    for (y, half) in neurons.halves.iter_mut().enumerate() {
        let bit = |shift: u32| data >> shift & 1 != 0;
        let [radapt, gladapt, gl] =
            SCALING_SHIFT[y].map(|shift| CurrentScaling::from_bits(bit(shift + 6), bit(shift)));
        *half = NeuronHalf {
            big_capacitor: bit(BIG_CAPACITOR[y]),
            i_radapt: radapt,
            i_gladapt: gladapt,
            i_gl: gl,
            held_in_reset: data & RUNNING[y] == 0,
        };
    }
    Ok(())
}

fn encode_timing(timing: SramTiming, w: &mut Writer<'_>) {
    let mut unit = w.unit(Unit::NeuronBuilder);
    TIMING.iter().zip(timing_words(timing)).for_each(|(&local, data)| unit.write(local, data));
}

/// Whether the settings of the halves, or the timing that is written with them, differ.
pub(super) fn halves_differ(a: &Neurons, b: &Neurons) -> bool {
    halves_word(a) != halves_word(b) || a.timing != b.timing
}

/// Resets all circuits, waits, and lets them run with the settings of the halves.
pub(super) fn encode_halves(neurons: &Neurons, w: &mut Writer<'_>) {
    encode_timing(neurons.timing, w);
    w.unit(Unit::NeuronBuilder).write(HALVES, 0);
    w.flush();
    w.unit(Unit::NeuronBuilder).write(HALVES, halves_word(neurons));
}

/// Switches everything off, the analog outputs included.
pub(super) fn clear(w: &mut Writer<'_>) {
    encode_timing(SramTiming::DEFAULT, w);
    let mut unit = w.unit(Unit::NeuronBuilder);
    (0..=ANALOG).for_each(|local| unit.write(local, 0));
}

/// Writes to the neuron builder except for the analog outputs.
pub(super) fn write(neurons: &mut Neurons, local: u16, data: u32) -> Result<(), Refusal> {
    match local {
        0..QUADS_END => write_quad(neurons, local, data),
        HALVES => write_halves(neurons, data),
        _ => match TIMING.iter().position(|&timing| timing == local) {
            Some(register) => write_timing(&mut neurons.timing, register, data),
            None => Err(NO_REGISTER),
        },
    }
}

/// Reads from the neuron builder except for the analog outputs.
pub(super) fn read(neurons: &Neurons, local: u16) -> Result<u32, Refusal> {
    match local {
        0..QUADS_END => Err("reading a quad destroys its content (issue 818 of the original)"),
        HALVES => Ok(halves_word(neurons) & READABLE),
        _ if TIMING.contains(&local) => Err(NOT_READABLE),
        _ => Err(NO_REGISTER),
    }
}
