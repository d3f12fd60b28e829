//! L1 routes: legal, exclusive, and exactly what the switches and repeaters do (V14 to V18).

use std::collections::BTreeMap;

use hal::config::{HicannConfig, RepeaterMode};
use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, Direction, HicannOnWafer, OnWafer, Side, Table, Vertical,
};
use hal::l1::{L1Line, L1Repeater};

use super::flood::Carried;
use super::{Case, Faults, Rule, per_chip};
use crate::mapping::{Bus, Route};

/// What the routes of the claim need, in the terms of the configuration.
#[derive(Default)]
struct Wanted {
    switches: Table<HicannOnWafer, Vec<CrossbarSwitchOnHicann>>,
    /// What each repeater in use has to do; more than one entry for both directions of a sending
    /// repeater, or for a conflict.
    repeaters: BTreeMap<OnWafer<L1Repeater>, Vec<RepeaterMode<Direction>>>,
    /// All lines with their bus.
    lines: Vec<(OnWafer<L1Line>, Bus)>,
}

pub(super) fn check(case: &Case<'_>, carried: &Carried, faults: &mut Faults) {
    let mut wanted = Wanted::default();
    for route in &case.mapping.routes {
        check_route(case, route, &mut wanted, faults);
    }
    for pair in case.mapping.routes.windows(2) {
        faults.demand(Rule::V14, pair[0].bus < pair[1].bus, || {
            format!("routes of {} and {} are not one per bus in order", pair[0].bus, pair[1].bus)
        });
    }
    wanted.lines.sort_unstable();
    check_lines(&wanted.lines, carried, faults);
    per_chip(case, faults, |hicann, chip, faults| {
        check_switches(case, hicann, chip, &wanted.switches[hicann], faults);
        check_repeaters(hicann, chip, &wanted.repeaters, faults);
    });
}

/// Each line continues its parent, and the first ones are driven by the sending repeater.
fn check_route(case: &Case<'_>, route: &Route, wanted: &mut Wanted, faults: &mut Faults) {
    let bus = route.bus;
    let sending = bus.merger.sending_repeater();
    for (i, here) in route.lines.iter().enumerate() {
        let line = here.line;
        wanted.lines.push((line, bus));
        faults.demand(Rule::V19, case.config.hicanns.contains_key(&line.hicann), || {
            format!("{bus} runs over {line}, but {} has no words", line.hicann)
        });
        let Some(parent) = here.parent else {
            let side =
                Side::ALL.into_iter().find(|&s| sending.on(bus.hicann).injects_to(s) == Some(line));
            match side {
                Some(side) => {
                    let repeater = L1Repeater::H(sending.repeater()).on(bus.hicann);
                    wanted
                        .repeaters
                        .entry(repeater)
                        .or_default()
                        .push(RepeaterMode::Output(side.direction()));
                }
                None => faults.add(Rule::V14, format!("{bus} cannot inject into {line}")),
            }
            continue;
        };
        let Some(from) = route.lines[..i].get(parent as usize).map(|l| l.line) else {
            faults.add(Rule::V14, format!("{line} of {bus} comes before its parent"));
            continue;
        };
        if let Some(switch) = switch_between(from, line) {
            wanted.switches[line.hicann].push(switch);
        } else if let Some(hop) =
            Direction::ALL.into_iter().filter_map(|d| from.hop(d)).find(|hop| hop.to == line)
        {
            let mode = RepeaterMode::Forwarding(hop.direction);
            wanted.repeaters.entry(hop.repeater).or_default().push(mode);
        } else {
            faults.add(Rule::V14, format!("{bus} cannot go from {from} to {line}"));
        }
    }
    if let Some(limit) = case.rules.max_route_hicanns {
        let parents_come_first =
            route.lines.iter().enumerate().all(|(i, l)| l.parent.is_none_or(|p| (p as usize) < i));
        let chips = |line| route.hicanns_to(line);
        let longest = (0..route.lines.len()).filter(|_| parents_come_first).map(chips).max();
        faults.demand(Rule::V14, longest.is_none_or(|n| n <= limit), || {
            format!("the route of {bus} spans {longest:?} chips, more than {limit}")
        });
    }
    let mut lines: Vec<_> = route.lines.iter().map(|l| l.line).collect();
    lines.sort_unstable();
    for pair in lines.windows(2) {
        faults.demand(Rule::V17, pair[0] != pair[1], || {
            format!("the route of {bus} reaches {} twice", pair[0])
        });
    }
}

fn switch_between(one: OnWafer<L1Line>, other: OnWafer<L1Line>) -> Option<CrossbarSwitchOnHicann> {
    if one.hicann != other.hicann {
        return None;
    }
    match (one.local, other.local) {
        (L1Line::H(h), L1Line::V(v)) | (L1Line::V(v), L1Line::H(h)) => {
            CrossbarSwitchOnHicann::between(h, v)
        }
        _ => None,
    }
}

/// Lines found in the bits against the lines of the claim, both sorted.
fn check_lines(wanted: &[(OnWafer<L1Line>, Bus)], carried: &Carried, faults: &mut Faults) {
    for &(line, bus) in wanted {
        let found = carried.on(line).iter().any(|a| a.bus == bus);
        faults.demand(Rule::V14, found, || format!("{line} does not carry {bus}"));
    }
    for arrival in carried.all() {
        let (line, bus) = (arrival.line, arrival.bus);
        let claimed = wanted.binary_search(&(line, bus)).is_ok();
        faults.demand(Rule::V15, claimed, || format!("{line} carries {bus}, unclaimed"));
        faults.demand(Rule::V17, arrival.ways == 1, || {
            format!("{bus} reaches {line} in {} ways", arrival.ways)
        });
    }
    for pair in carried.all().windows(2) {
        faults.demand(Rule::V15, pair[0].line != pair[1].line, || {
            format!("{} carries {} and {}", pair[0].line, pair[0].bus, pair[1].bus)
        });
    }
    for pair in wanted.windows(2) {
        faults.demand(Rule::V15, pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1, || {
            format!("{} is claimed for {} and {}", pair[0].0, pair[0].1, pair[1].1)
        });
    }
}

fn check_switches(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &[CrossbarSwitchOnHicann],
    faults: &mut Faults,
) {
    let mut per_line: Table<L1Line, usize> = Table::default();
    for switch in chip.crossbar.closed() {
        let (h, v) = (switch.hline(), switch.vline());
        per_line[L1Line::H(h)] += 1;
        per_line[L1Line::V(v)] += 1;
        faults.demand(Rule::V16, wanted.contains(&switch), || {
            format!("{hicann}: the switch of {h} and {v} is closed, unclaimed")
        });
    }
    for &switch in wanted {
        faults.demand(Rule::V16, chip.crossbar.is_closed(switch), || {
            let (h, v) = (switch.hline(), switch.vline());
            format!("{hicann}: the switch of {h} and {v} is open")
        });
    }
    let limit = case.rules.max_crossbar_switches;
    for (line, &closed) in per_line.iter() {
        faults.demand(Rule::V16, closed <= limit, || {
            format!("{hicann}.{line} has {closed} closed crossbar switches, more than {limit}")
        });
    }
}

fn check_repeaters(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &BTreeMap<OnWafer<L1Repeater>, Vec<RepeaterMode<Direction>>>,
    faults: &mut Faults,
) {
    use RepeaterMode::{Idle, Output, OutputBoth};
    for repeater in L1Repeater::all() {
        let modes = wanted.get(&repeater.on(hicann)).map_or(&[][..], Vec::as_slice);
        let want = match *modes {
            [] => Idle,
            [mode] => mode,
            [Output(one), Output(other)] if one != other => OutputBoth,
            _ => {
                faults.add(Rule::V17, format!("{hicann}: {repeater} should be all of {modes:?}"));
                continue;
            }
        };
        let found = match repeater {
            L1Repeater::H(r) => in_directions(chip.repeaters.horizontal[r].mode, Side::direction),
            L1Repeater::V(r) => in_directions(chip.repeaters.vertical[r].mode, Vertical::direction),
        };
        faults.demand(Rule::V18, found == want, || {
            format!("{hicann}: {repeater} is {found:?} instead of {want:?}")
        });
        let block = chip.repeater_blocks[repeater.block()];
        let released = block.dll_released && block.driver_released;
        faults.demand(Rule::V18, want == Idle || released, || {
            format!("{hicann}: {repeater} is in use but {} is held in reset", repeater.block())
        });
    }
}

/// The mode of a horizontal or vertical repeater in terms of directions of travel.
fn in_directions<D>(
    mode: RepeaterMode<D>,
    direction: fn(D) -> Direction,
) -> RepeaterMode<Direction> {
    match mode {
        RepeaterMode::Idle => RepeaterMode::Idle,
        RepeaterMode::Forwarding(d) => RepeaterMode::Forwarding(direction(d)),
        RepeaterMode::Output(d) => RepeaterMode::Output(direction(d)),
        RepeaterMode::OutputBoth => RepeaterMode::OutputBoth,
        RepeaterMode::Input(d) => RepeaterMode::Input(direction(d)),
        RepeaterMode::Loopback => RepeaterMode::Loopback,
    }
}
