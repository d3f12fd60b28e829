//! What cannot be emulated is refused when the experiment starts.

use std::ops::ControlFlow;

use hal::config::HicannConfig;
use hal::wafer::Wafer;

use crate::support::*;

/// What a run says to a chip that was changed like this.
fn refusal(change: impl FnOnce(&mut HicannConfig)) -> Option<String> {
    let mut chip = HicannConfig::default();
    change(&mut chip);
    let mut emulator = load(fine(), &wafer([(CHIP, chip)]), &pulses([]), 1000)
        .expect("the registers take everything");
    emulator.run(&mut |_| ControlFlow::Continue(())).err().map(|e| e.to_string())
}

#[test]
fn settings_without_a_model_are_refused() {
    let says = |what: &str| {
        Some(format!("configuration refused: H200: {what} cannot be emulated; switch it off"))
    };
    assert_eq!(refusal(|_| {}), None);
    assert_eq!(
        refusal(|chip| chip.repeater_blocks.values_mut()[4].test_ports[1].play = true),
        says("a test port that plays events")
    );
}
