//! Walks the L1 route of topology §4.8: a neuron event of chip H93 crosses to H94, turns south and
//! ends at synapse driver 99. Prints each element, sends the chips as words, and reads them back.
#![expect(clippy::print_stdout, reason = "the output is the point of an example")]

use std::error::Error;

use hal::check::{SwitchLimits, check_wafer};
use hal::codec::{decode_wafer, encode_wafer};
use hal::config::{RepeaterMode, SynapseDriver, WaferConfig};
use hal::coord::{
    Coordinate as _, CrossbarSwitchOnHicann, Direction, DncMergerOnHicann, HicannOnWafer, Side,
    SynapseDriverOnHicann, SynapseSwitchOnHicann, VLineOnHicann,
};
use hal::l1::{L1Line, L1Repeater};

fn main() -> Result<(), Box<dyn Error>> {
    let mut wafer = WaferConfig::default();
    let source = HicannOnWafer::at(5, 5).ok_or("no chip at (5, 5)")?;

    let merger = DncMergerOnHicann::new::<2>();
    let sending = merger.sending_repeater();
    let start = sending.on(source).injects_to(Side::Right).ok_or("no line to the right")?;
    println!("{merger} of {source} feeds sending repeater {sending}, which drives {start}");
    let repeaters = &mut wafer.hicann_mut(source).repeaters.horizontal;
    repeaters[sending.repeater()].mode = RepeaterMode::Output(Side::Right);

    let hop = start.hop(Direction::East).ok_or("no chip to the east")?;
    println!("repeater {} carries it on to {}", hop.repeater, hop.to);
    let (L1Repeater::H(repeater), L1Line::H(hline)) = (hop.repeater.local, hop.to.local) else {
        return Err("a step to the east stays horizontal".into());
    };
    let repeaters = &mut wafer.hicann_mut(hop.repeater.hicann).repeaters.horizontal;
    repeaters[repeater].mode = RepeaterMode::Forwarding(Side::Right);

    let target = hop.to.hicann;
    let vline = VLineOnHicann::new::<39>();
    let switch = CrossbarSwitchOnHicann::between(hline, vline).ok_or("no crossbar switch")?;
    println!("crossbar switch {switch} turns it onto {}", vline.on(target));
    wafer.hicann_mut(target).crossbar.set(switch, true);

    let driver = SynapseDriverOnHicann::new::<99>();
    let switch = SynapseSwitchOnHicann::between(vline, driver).ok_or("no synapse switch")?;
    let end = switch.row().driver(target).ok_or("the row ends at the rim")?;
    println!("synapse switch {switch} ends at driver {end}");
    wafer.hicann_mut(target).synapse_switches.set(switch, true);
    let drivers = &mut wafer.hicann_mut(end.hicann).synapses.drivers;
    drivers[end.local] = SynapseDriver { enable: true, locin: true, ..drivers[end.local] };

    println!("the bus stays in component {} of 32", start.component());
    for fault in check_wafer(&wafer, &SwitchLimits::default()) {
        println!("fault: {fault}");
    }
    let words = encode_wafer(&wafer)?;
    println!("{} chips take {} configuration words", wafer.hicanns.len(), words.len());
    println!("the words say the same: {}", decode_wafer(&words)? == wafer);
    Ok(())
}
