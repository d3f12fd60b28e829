//! Random changes to inputs.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

/// Longest input.
const MAX_LEN: usize = 4096;
/// Values at which something often changes.
const EDGES: [u64; 10] = [0, 1, 7, 63, 64, 255, 256, 0x7fff, 1 << 63, u64::MAX];

/// One of the inputs, or an empty one, with one to eight changes.
pub(super) fn mutated(inputs: &[Vec<u8>], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = if inputs.is_empty() || random.random_ratio(1, 50) {
        Vec::new()
    } else {
        inputs[random.random_range(0..inputs.len())].clone()
    };
    for _ in 0..1 << random.random_range(0..4_u32) {
        change(&mut input, inputs, random);
    }
    input.truncate(MAX_LEN);
    input
}

fn change(input: &mut Vec<u8>, inputs: &[Vec<u8>], random: &mut ChaCha8Rng) {
    if input.is_empty() {
        let len = random.random_range(0..64);
        input.extend((0..len).map(|_| random.random::<u8>()));
        return;
    }
    let at = random.random_range(0..input.len());
    let len = random.random_range(1..=(input.len() - at).min(32));
    match random.random_range(0..9) {
        0 => input[at] ^= 1 << random.random_range(0..8_u32),
        1 => input[at] = random.random(),
        2 => {
            input.drain(at..at + len);
        }
        3 => {
            let again = input[at..at + len].to_vec();
            input.splice(at..at, again);
        }
        4 => {
            let noise: Vec<u8> = (0..len).map(|_| random.random()).collect();
            input.splice(at..at, noise);
        }
        5 => input.truncate(at),
        6 => {
            // the tail of another input
            let other = &inputs[random.random_range(0..inputs.len())];
            let from = random.random_range(0..=other.len());
            input.truncate(at);
            input.extend(&other[from..]);
        }
        7 => word(input, at, random),
        _ => number(input, at, random),
    }
}

/// Puts an edge or a random value into the aligned word at a position.
fn word(input: &mut [u8], at: usize, random: &mut ChaCha8Rng) {
    let edge = EDGES[random.random_range(0..EDGES.len())];
    let value = if random.random() { edge } else { random.random() };
    for (byte, new) in input[at & !7..].iter_mut().zip(value.to_le_bytes()) {
        *byte = new;
    }
}

/// Replaces the first decimal number at or behind a position.
fn number(input: &mut Vec<u8>, at: usize, random: &mut ChaCha8Rng) {
    let Some(from) = (at..input.len()).find(|&i| input[i].is_ascii_digit()) else { return };
    let len = input[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let edge = EDGES[random.random_range(0..EDGES.len())];
    let value = if random.random() { edge } else { random.random_range(0..512) };
    input.splice(from..from + len, value.to_string().into_bytes());
}
