//! The worked L1 route (topology §4.8), and text forms of lines.

use hal::coord::*;
use hal::l1::{L1Line, L1Repeater};

#[test]
fn a_sending_repeater_reaches_its_own_line_and_the_western_one() {
    let sending = SendingRepeaterOnHicann::new::<5>().on(HicannOnWafer::new::<93>());
    assert_eq!(sending.injects_to(Side::Right).unwrap().to_string(), "H93.hl46");
    assert_eq!(sending.injects_to(Side::Left).unwrap().to_string(), "H92.hl44");
    // at the western rim only the right direction is useful
    let rim = SendingRepeaterOnHicann::new::<5>().on(HicannOnWafer::new::<156>());
    assert_eq!(rim.injects_to(Side::Left), None);
}

#[test]
fn the_worked_route() {
    let start = SendingRepeaterOnHicann::new::<5>().on(HicannOnWafer::new::<93>());
    let first = start.injects_to(Side::Right).unwrap();
    let hop = first.hop(Direction::East).unwrap();
    assert_eq!(hop.to.to_string(), "H94.hl48");
    assert_eq!(hop.repeater.to_string(), "H94.hr48");
    let vline = L1Line::V(VLineOnHicann::new::<39>()).on(hop.to.hicann);
    assert!(hop.to.neighbours().any(|(line, _)| line == vline));
    assert_eq!(first.component(), vline.component());
}

#[test]
fn lines_do_not_run_across_and_end_at_the_rim() {
    let line = L1Line::H(HLineOnHicann::new::<1>()).on(HicannOnWafer::new::<0>());
    assert_eq!(line.hop(Direction::North), None);
    assert_eq!(line.hop(Direction::West), None);
    let vline = L1Line::V(VLineOnHicann::new::<1>()).on(HicannOnWafer::new::<0>());
    assert_eq!(vline.hop(Direction::East), None);
    assert_eq!(vline.hop(Direction::North), None);
}

#[test]
fn text_forms_are_read_back() {
    for line in L1Line::all() {
        assert_eq!(line.to_string().parse(), Ok(line));
        let on = line.on(HicannOnWafer::new::<383>());
        assert_eq!(on.to_string().parse(), Ok(on));
    }
    for repeater in L1Repeater::all() {
        assert_eq!(repeater.to_string().parse(), Ok(repeater));
    }
    assert!("vl256".parse::<L1Line>().is_err());
    assert!("x1".parse::<L1Line>().is_err());
}
