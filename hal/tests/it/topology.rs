//! topology-vectors.json: the coordinate tables of the wafer, compared with the original.

use std::collections::BTreeMap;

use hal::config::{MergerMode, MergerTree};
use hal::coord::*;
use hal::l1::{L1Component, L1Line, L1Repeater};
use serde_json::Value;

fn file() -> Value {
    serde_json::from_str(include_str!("../data/topology-vectors.json")).unwrap()
}

fn list<'a>(value: &'a Value, key: &str, len: usize) -> &'a Vec<Value> {
    let list = value[key].as_array().unwrap_or_else(|| panic!("no list {key}"));
    assert_eq!(list.len(), len, "length of {key}");
    list
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")) as usize
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn coord<C: Coordinate>(value: &Value) -> C {
    C::from_index(number(value)).unwrap_or_else(|| panic!("{value} is out of range"))
}

fn maybe<C: Coordinate>(value: &Value) -> Option<C> {
    (!value.is_null()).then(|| coord(value))
}

fn indices<C: Coordinate>(places: impl IntoIterator<Item = C>) -> Vec<usize> {
    places.into_iter().map(Coordinate::index).collect()
}

#[test]
fn every_key_of_the_file_is_tested() {
    let mut keys: Vec<String> = file().as_object().unwrap().keys().cloned().collect();
    keys.sort_unstable();
    // meta is prose; gmax_div splits a total divisor, which is a choice of the weight translation
    assert_eq!(
        keys,
        [
            "border",
            "component",
            "counts",
            "dnc",
            "fpga",
            "gmax_div",
            "hicann",
            "hicann_on_dnc",
            "hline",
            "hw_addresses",
            "l1_address",
            "link_to_hicann_on_dnc",
            "merger_tree",
            "meta",
            "neuron",
            "pulse_label",
            "route_example",
            "sending_repeater",
            "synapse_driver",
            "synapse_switch_row",
            "vline",
            "wafer",
            "walks",
        ]
    );
}

#[test]
fn wafer_and_hicann() {
    let file = file();
    let wafer = &file["wafer"];
    assert_eq!(numbers(&wafer["grid"]), [HicannOnWafer::GRID_WIDTH, HicannOnWafer::GRID_HEIGHT]);
    for y in 0..HicannOnWafer::GRID_HEIGHT {
        let row: Vec<_> = (0..36).filter_map(|x| HicannOnWafer::at(x, y)).collect();
        assert_eq!(row[0].x(), number(&wafer["row_xmin"][y]));
        assert_eq!(row[row.len() - 1].x(), number(&wafer["row_xmax"][y]));
        assert_eq!(row.len(), number(&wafer["row_len"][y]));
        assert_eq!(row[0].index(), number(&wafer["row_start_enum"][y]));
    }
    for missing in wafer["missing_examples"].as_array().unwrap() {
        assert_eq!(HicannOnWafer::at(number(&missing[0]), number(&missing[1])), None);
    }
    for vector in list(&file, "hicann", HicannOnWafer::SIZE) {
        let hicann: HicannOnWafer = coord(&vector["id"]);
        assert_eq!((hicann.x(), hicann.y()), (number(&vector["x"]), number(&vector["y"])));
        assert_eq!(hicann.north(), maybe(&vector["n"]));
        assert_eq!(hicann.east(), maybe(&vector["e"]));
        assert_eq!(hicann.south(), maybe(&vector["s"]));
        assert_eq!(hicann.west(), maybe(&vector["w"]));
        assert_eq!(hicann.dnc(), coord(&vector["dnc"]));
        assert_eq!(hicann.on_dnc(), coord(&vector["on_dnc"]));
        assert_eq!(hicann.link(), coord(&vector["link"]));
        assert_eq!(hicann.fpga(), coord(&vector["fpga"]));
    }
}

#[test]
fn dnc_and_fpga() {
    let file = file();
    for vector in list(&file, "dnc", DncOnWafer::SIZE) {
        let dnc: DncOnWafer = coord(&vector["id"]);
        assert_eq!((dnc.x(), dnc.y()), (number(&vector["x"]), number(&vector["y"])));
        assert_eq!(dnc.fpga(), coord(&vector["fpga"]));
        assert_eq!(dnc.power().number(), number(&vector["power"]));
        assert_eq!(dnc.trigger(), coord(&vector["trigger"]));
        assert_eq!(dnc.adc_group(), coord(&vector["adc_group"]));
        assert_eq!(dnc.aux_power(), coord(&vector["aux_pwr"]));
        assert_eq!(indices(dnc.hicanns()), numbers(&vector["hicanns"]));
    }
    for vector in list(&file, "fpga", FpgaOnWafer::SIZE) {
        let fpga: FpgaOnWafer = coord(&vector["id"]);
        assert_eq!(fpga.dnc(), coord(&vector["dnc"]));
        assert_eq!(fpga.dnc().trigger(), coord(&vector["trigger"]));
        assert_eq!(fpga == FpgaOnWafer::MASTER, vector["master"].as_bool().unwrap());
        assert_eq!(indices(fpga.dnc().hicanns()), numbers(&vector["hicanns"]));
    }
    for vector in list(&file, "hicann_on_dnc", HicannOnDnc::SIZE) {
        let hicann: HicannOnDnc = coord(&vector["id"]);
        assert_eq!(hicann.index(), 4 * number(&vector["y"]) + number(&vector["x"]));
        assert_eq!(hicann.link(), coord(&vector["link"]));
    }
    let inverse = indices(HighspeedLinkOnDnc::all().map(HighspeedLinkOnDnc::hicann));
    assert_eq!(inverse, numbers(&file["link_to_hicann_on_dnc"]));
}

#[test]
fn hline() {
    for vector in list(&file(), "hline", HLineOnHicann::SIZE) {
        let line: HLineOnHicann = coord(&vector["id"]);
        let repeater = line.repeater();
        assert_eq!(line.east(), coord(&vector["east"]));
        assert_eq!(line.west(), coord(&vector["west"]));
        assert_eq!(repeater.side().index(), number(&vector["repeater_side"]));
        assert_eq!(repeater.block(), coord(&vector["repeater_block"]));
        assert_eq!(repeater.sending(), maybe(&vector["sending"]));
        assert_eq!(repeater.test_port(), maybe(&vector["test_port"]));
        let switches = list(vector, "crossbar", 8);
        for (vline, wanted) in line.crossbar_vlines().zip(switches) {
            assert_eq!(vline, coord(&wanted["vline"]));
            let switch = CrossbarSwitchOnHicann::between(line, vline).unwrap();
            assert_eq!(switch, coord(&wanted["enum"]));
            assert_eq!((switch.hline(), switch.vline()), (line, vline));
        }
    }
}

#[test]
fn vline() {
    for vector in list(&file(), "vline", VLineOnHicann::SIZE) {
        let line: VLineOnHicann = coord(&vector["id"]);
        let repeater = line.repeater();
        assert_eq!(line.side().index(), number(&vector["side"]));
        assert_eq!(line.north(), coord(&vector["north"]));
        assert_eq!(line.south(), coord(&vector["south"]));
        assert_eq!(repeater, coord(&vector["repeater"]));
        assert_eq!(repeater.vertical().index(), number(&vector["repeater_vertical"]));
        assert_eq!(repeater.block(), coord(&vector["repeater_block"]));
        assert_eq!(repeater.test_port(), coord(&vector["test_port"]));
        assert_eq!(indices(line.crossbar_hlines()), numbers(&vector["hlines"]));
        let rows: Vec<_> = line.synapse_switches().map(SynapseSwitchOnHicann::row).collect();
        let heights = indices(rows.iter().map(|row| row.y()));
        let wanted = [numbers(&vector["switch_rows_top"]), numbers(&vector["switch_rows_bottom"])];
        assert_eq!(heights, wanted.concat());
        let (local, foreign): (Vec<SynapseSwitchRowOnHicann>, Vec<_>) =
            rows.iter().partition(|row| row.is_local());
        assert_eq!(indices(local.iter().map(|r| r.y())), numbers(&vector["drivers_same_hicann"]));
        let neighbour = numbers(&vector["drivers_neighbour_hicann"]);
        assert_eq!(indices(foreign.iter().map(|r| r.y())), neighbour);
    }
}

/// A line by its number.
type Lane<'a> = &'a dyn Fn(usize) -> L1Line;

#[test]
fn border() {
    let file = file();
    // an inner chip has all four neighbours
    let here = HicannOnWafer::new::<200>();
    let h = |i| L1Line::H(HLineOnHicann::from_index(i).unwrap());
    let v = |i| L1Line::V(VLineOnHicann::from_index(i).unwrap());
    let cases: [(&str, Direction, usize, Lane<'_>); 4] = [
        ("east", Direction::East, 64, &h),
        ("west", Direction::West, 64, &h),
        ("south", Direction::South, 256, &v),
        ("north", Direction::North, 256, &v),
    ];
    for (name, direction, lanes, line) in cases {
        let vectors = &file["border"][name];
        let there = here.neighbour(direction).unwrap();
        let map = list(vectors, "map", lanes);
        let on = list(vectors, "repeater_on", lanes);
        let enums = list(vectors, "repeater_enum", lanes);
        for lane in 0..lanes {
            let hop = line(lane).on(here).hop(direction).unwrap();
            assert_eq!(hop.to, line(number(&map[lane])).on(there), "{name} {lane}");
            assert_eq!(hop.direction, direction);
            let chip = if on[lane] == "this" { here } else { there };
            let repeater = match line(lane) {
                L1Line::H(_) => L1Repeater::H(coord(&enums[lane])),
                L1Line::V(_) => L1Repeater::V(coord(&enums[lane])),
            };
            assert_eq!(hop.repeater, repeater.on(chip), "{name} {lane}");
        }
    }
}

#[test]
fn synapse_driver() {
    // only the row above a centre chip tells east from west; take one with both neighbours
    let here = HicannOnWafer::new::<200>();
    for vector in list(&file(), "synapse_driver", SynapseDriverOnHicann::SIZE) {
        let driver: SynapseDriverOnHicann = coord(&vector["id"]);
        assert_eq!(driver.side().index(), number(&vector["side"]));
        assert_eq!(driver.quadrant(), coord(&vector["quadrant"]));
        assert_eq!(driver.on_quadrant(), coord(&vector["on_quadrant"]));
        assert_eq!(driver.quadrant().driver(driver.on_quadrant()), driver);
        let rows = [0, 1_usize].map(|r| driver.row(RowOnSynapseDriver::try_from(r).unwrap()));
        assert_eq!(indices(rows), numbers(&vector["rows"]));
        assert_eq!(rows[0].array(), coord(&vector["array"]));
        assert_eq!(driver.quadrant().index(), number(&vector["fg_block"]));
        assert_eq!(driver.outward(), maybe(&vector["chain_next_outward"]));
        let row = SynapseSwitchRowOnHicann::at(driver.side(), driver);
        let facing = row.facing(here).unwrap();
        let neighbour = &vector["switches_neighbour_hicann"];
        let owner = if neighbour["owner"] == "west" { here.west() } else { here.east() };
        assert_eq!(Some(facing.hicann), owner);
        assert_eq!(facing.local.driver(facing.hicann), Some(driver.on(here)));
        let both = [(row, &vector["switches_same_hicann"]), (facing.local, &neighbour["switches"])];
        for (row, switches) in both {
            let switches = switches.as_array().unwrap();
            assert_eq!(switches.len(), 16);
            for (vline, wanted) in row.vlines().zip(switches) {
                assert_eq!(vline, coord(&wanted["vline"]));
                let switch = SynapseSwitchOnHicann::between(vline, driver).unwrap();
                assert_eq!(switch, coord(&wanted["enum"]));
                assert_eq!((switch.row(), switch.vline()), (row, vline));
            }
        }
        let sending: SendingRepeaterOnHicann = coord(&vector["sending_repeater_for_l1_test"]);
        let line = sending.hline();
        assert!(row.vlines().any(|v| CrossbarSwitchOnHicann::between(line, v).is_some()));
    }
}

#[test]
fn synapse_switch_row() {
    let here = HicannOnWafer::new::<200>();
    for vector in list(&file(), "synapse_switch_row", SynapseSwitchRowOnHicann::SIZE) {
        let row: SynapseSwitchRowOnHicann = coord(&vector["id"]);
        assert_eq!(row.side().index(), number(&vector["side"]));
        assert_eq!(row.y(), coord(&vector["y"]));
        assert_eq!(indices(row.vlines()), numbers(&vector["vlines"]));
        let driver = row.driver(here).unwrap();
        let wanted = &vector["driver"];
        let chip = match wanted["hicann"].as_str().unwrap() {
            "same" => here,
            "west" => here.west().unwrap(),
            _ => here.east().unwrap(),
        };
        assert_eq!(driver, coord::<SynapseDriverOnHicann>(&wanted["y"]).on(chip));
        assert_eq!(driver.local.side().index(), number(&wanted["side"]));
    }
}

#[test]
fn sending_repeater() {
    for vector in list(&file(), "sending_repeater", SendingRepeaterOnHicann::SIZE) {
        let sending: SendingRepeaterOnHicann = coord(&vector["id"]);
        assert_eq!(sending.hline(), coord(&vector["hline"]));
        assert_eq!(sending.dnc_merger(), coord(&vector["dnc_merger"]));
        assert_eq!(sending.dnc_merger().gbit_link(), coord(&vector["gbit_link"]));
        assert_eq!(sending.repeater().block(), coord(&vector["repeater_block"]));
        let vlines: Vec<_> = sending.hline().crossbar_vlines().collect();
        assert_eq!(indices(vlines.clone()), numbers(&vector["crossbar_vlines"]));
        let rows = vlines.iter().flat_map(|v| v.synapse_switches()).map(SynapseSwitchOnHicann::row);
        let mut drivers =
            indices(rows.filter(|row| row.is_local()).map(SynapseSwitchRowOnHicann::y));
        drivers.sort_unstable();
        drivers.dedup();
        assert_eq!(drivers, numbers(&vector["reachable_drivers_for_l1_test"]));
    }
}

/// Name of a tree merger as in the file.
fn merger_name(merger: MergerOnHicann) -> String {
    match merger.index() {
        i @ 0..8 => format!("M0.{i}"),
        i @ 8..12 => format!("M1.{}", i - 8),
        i @ 12..14 => format!("M2.{}", i - 12),
        _ => "M3.0".to_owned(),
    }
}

#[test]
fn merger_tree() {
    let vectors = &file()["merger_tree"];
    let mut edges = Vec::new();
    for merger in MergerOnHicann::all() {
        for (input, port) in merger.inputs().into_iter().zip(["left", "right"]) {
            let source = match input {
                MergerInput::Background(b) => format!("BG{}", b.index()),
                MergerInput::NeuronBlock(n) => format!("NB{}", n.index()),
                MergerInput::Merger(m) => merger_name(m),
            };
            edges.push((source, merger_name(merger), port));
        }
    }
    for merger in DncMergerOnHicann::all() {
        let i = merger.index();
        edges.push((format!("GL{}", merger.gbit_link().index()), format!("D{i}"), "left"));
        edges.push((merger_name(merger.tree_input()), format!("D{i}"), "right"));
    }
    let mut wanted: Vec<_> = list(vectors, "edges", 46)
        .iter()
        .map(|e| {
            let text = |key: &str| e[key].as_str().unwrap().to_owned();
            (text("src"), text("dst"), e["port"].as_str().unwrap())
        })
        .collect();
    edges.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(edges, wanted);

    let partners = indices(DncMergerOnHicann::all().map(DncMergerOnHicann::loopback_partner));
    assert_eq!(partners, numbers(&vectors["loopback_partner"]));

    let presets = vectors["presets"].as_object().unwrap();
    assert_eq!(presets.len(), 4);
    for (name, modes) in presets {
        let mut mergers = MergerTree::default();
        for merger in MergerOnHicann::all() {
            mergers.tree[merger].mode = match modes[merger_name(merger)].as_str().unwrap() {
                "MERGE" => MergerMode::Merge,
                "LEFT_ONLY" => MergerMode::LeftOnly,
                _ => MergerMode::RightOnly,
            };
        }
        if name == "one_to_one" {
            assert_eq!(mergers, MergerTree::default());
        }
        let blocks: Vec<_> =
            DncMergerOnHicann::all().map(|m| neuron_blocks(&mergers, m.tree_input())).collect();
        let wanted = vectors["neuron_blocks_at_dnc_merger"][name].as_array().unwrap();
        assert_eq!(blocks, wanted.iter().map(numbers).collect::<Vec<_>>(), "{name}");
    }
}

/// Neuron blocks whose events leave a tree merger, ascending.
pub(crate) fn neuron_blocks(mergers: &MergerTree, merger: MergerOnHicann) -> Vec<usize> {
    let inputs = merger.inputs().into_iter().enumerate();
    let passed = inputs.filter(|(i, _)| mergers.tree[merger].mode.passes(*i));
    passed
        .flat_map(|(_, input)| match input {
            MergerInput::Background(_) => Vec::new(),
            MergerInput::NeuronBlock(block) => vec![block.index()],
            MergerInput::Merger(inner) => neuron_blocks(mergers, inner),
        })
        .collect()
}

#[test]
fn neuron() {
    let file = file();
    let in_quad = numbers(&file["neuron"]["hw_addr_in_quad"]);
    for vector in list(&file["neuron"], "examples", 17) {
        let neuron: NeuronOnHicann = coord(&vector["id"]);
        assert_eq!(neuron.column(), number(&vector["x"]));
        assert_eq!(neuron.vertical().index(), number(&vector["y"]));
        assert_eq!(neuron.block(), coord(&vector["block"]));
        assert_eq!(neuron.column() % 32, number(&vector["on_block"][0]));
        assert_eq!(neuron.quad(), coord(&vector["quad"]));
        assert_eq!(neuron.on_quad(), coord(&vector["on_quad_enum"]));
        assert_eq!(neuron.fg_block(), coord(&vector["fg_block"]));
        assert_eq!(neuron.index() % 128, number(&vector["on_fg_block"]));
        assert_eq!(neuron.shared_fg_block(), coord(&vector["shared_fg_block"]));
        assert_eq!(in_quad[neuron.on_quad().index()], number(&vector["hw_addr_in_quad"]));
    }
    let sizes: BTreeMap<String, usize> =
        serde_json::from_value(file["neuron"]["neuron_size_count"].clone()).unwrap();
    for (size, count) in sizes {
        assert_eq!(NeuronOnHicann::SIZE / size.parse::<usize>().unwrap(), count);
    }
}

#[test]
fn addresses_and_labels() {
    let file = file();
    for vector in list(&file, "l1_address", 64) {
        let address: L1Address = coord(&vector["addr"]);
        let (driver, synapse) = (address.driver_decoder(), address.synapse_decoder());
        assert_eq!(driver, coord(&vector["driver_decoder"]));
        assert_eq!(synapse, coord(&vector["synapse_decoder"]));
        assert_eq!(L1Address::from_decoders(driver, synapse), address);
        assert_eq!(address.is_usable(), vector["marocco_usable"].as_bool().unwrap());
    }
    for vector in file["pulse_label"].as_array().unwrap() {
        let label = PulseLabel {
            link: coord::<HicannOnDnc>(&vector["hicann_on_dnc"]).link(),
            gbit_link: coord(&vector["gbit_link"]),
            address: coord(&vector["addr"]),
        };
        assert_eq!(usize::from(label.bits()), number(&vector["label"]));
    }
}

#[test]
fn component() {
    let file = file();
    let vectors = &file["component"];
    for (line, class) in HLineOnHicann::all().zip(list(vectors, "class_of_hline", 64)) {
        assert_eq!(line.class(), coord(class));
    }
    for (line, class) in VLineOnHicann::all().zip(list(vectors, "class_of_vline", 256)) {
        assert_eq!(line.class(), coord(class));
    }
    for vector in list(vectors, "sending", 48) {
        let hicann: HicannOnWafer = coord(&vector["hicann"]);
        let sending: SendingRepeaterOnHicann = coord(&vector["sending"]);
        let line = L1Line::H(sending.hline()).on(hicann);
        assert_eq!(line.component(), coord(&vector["component"]));
    }
    for vector in list(vectors, "reach", 6) {
        let component: L1Component = coord(&vector["component"]);
        let hicann: HicannOnWafer = coord(&vector["hicann"]);
        let class = component.class_on(hicann);
        assert_eq!(class, coord(&vector["k"]));
        assert_eq!(L1Component::of(class, hicann), component);
        let hlines = HLineOnHicann::all().filter(|h| h.class() == class);
        assert_eq!(indices(hlines), numbers(&vector["hlines"]));
        let vlines = VLineOnHicann::all().filter(|v| v.class() == class);
        assert_eq!(indices(vlines), numbers(&vector["vlines"]));
        let [own, west, east] = reach(component, hicann);
        assert_eq!(own, numbers(&vector["drivers_from_own_vlines"]));
        assert_eq!(west, numbers(&vector["drivers_from_west_neighbour"]));
        assert_eq!(east, numbers(&vector["drivers_from_east_neighbour"]));
        let mut distinct = [own, west, east].concat();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), number(&vector["distinct"]));
    }
}

/// Drivers of a chip that lines of a component reach from the chip itself, from the western and
/// from the eastern neighbour; ascending.
pub(crate) fn reach(component: L1Component, hicann: HicannOnWafer) -> [Vec<usize>; 3] {
    [Some(hicann), hicann.west(), hicann.east()].map(|owner| {
        let Some(owner) = owner else { return Vec::new() };
        let class = component.class_on(owner);
        let vlines = VLineOnHicann::all().filter(|v| v.class() == class);
        let rows = vlines.flat_map(VLineOnHicann::synapse_switches).map(SynapseSwitchOnHicann::row);
        let drivers = rows.filter_map(|row| row.driver(owner)).filter(|d| d.hicann == hicann);
        let mut found = indices(drivers.map(|d| d.local));
        found.sort_unstable();
        found.dedup();
        found
    })
}

#[test]
fn walks() {
    for walk in list(&file(), "walks", 10) {
        let start: HicannOnWafer = coord(&walk["hicann"]);
        let line = |value: &Value| match walk["kind"].as_str().unwrap() {
            "h" => L1Line::H(coord(value)),
            _ => L1Line::V(coord(value)),
        };
        let direction = match walk["dir"].as_str().unwrap() {
            "N" => Direction::North,
            "E" => Direction::East,
            "S" => Direction::South,
            _ => Direction::West,
        };
        let mut at = line(&walk["line"]).on(start);
        for _ in 0..number(&walk["hops"]) {
            at = at.hop(direction).unwrap().to;
        }
        assert_eq!(at, line(&walk["end_line"]).on(coord(&walk["end_hicann"])));
    }
}

#[test]
fn route_example() {
    let file = file();
    let steps = file["route_example"]["steps"].as_array().unwrap();
    let step = |i: usize, key: &str| number(&steps[i][key]);
    let merger = DncMergerOnHicann::from_index(step(2, "dnc_merger")).unwrap();
    assert_eq!(merger.tree_input().index(), step(1, "merger0"));
    assert_eq!(merger.hline().index(), step(3, "hline"));
    let start = L1Line::H(merger.hline()).on(coord(&steps[0]["hicann"]));
    let hop = start.hop(Direction::East).unwrap();
    let hline: HLineOnHicann = coord(&steps[5]["hline"]);
    assert_eq!(hop.to, L1Line::H(hline).on(coord(&steps[4]["hicann"])));
    let vline: VLineOnHicann = coord(&steps[6]["vline"]);
    assert_eq!(CrossbarSwitchOnHicann::between(hline, vline).unwrap().index(), 385);
    let driver: SynapseDriverOnHicann = coord(&steps[7]["synapse_driver"]);
    let switch = SynapseSwitchOnHicann::between(vline, driver).unwrap();
    assert_eq!(switch.index(), 3175);
    assert_eq!(switch.row().driver(hop.to.hicann), Some(driver.on(hop.to.hicann)));
    let row: SynapseRowOnHicann = coord(&steps[8]["synapse_row"]);
    assert_eq!(row.driver(), driver);
}

#[test]
fn hardware_addresses_and_counts() {
    let file = file();
    let rows = list(&file["hw_addresses"], "synapse_row", SynapseRowOnHicann::SIZE);
    for (row, wanted) in SynapseRowOnHicann::all().zip(rows) {
        // the words that carry these numbers are checked with the vectors of the bit layouts
        let on_array = row.on_array().index();
        let hardware = if row.array().index() == 0 { 223 - on_array } else { on_array };
        assert_eq!(hardware, number(wanted));
    }
    let rows = list(&file["hw_addresses"], "crossbar_row", HLineOnHicann::SIZE);
    for (line, wanted) in HLineOnHicann::all().zip(rows) {
        assert_eq!(63 - line.index(), number(wanted));
    }
    let counts = &file["counts"];
    let pairs = |d| HicannOnWafer::all().filter(|h| h.neighbour(d).is_some()).count();
    let graph = hal::l1::graph();
    let found = [
        ("hicanns", HicannOnWafer::SIZE),
        ("dncs", DncOnWafer::SIZE),
        ("fpgas", FpgaOnWafer::SIZE),
        ("east_west_pairs", pairs(Direction::East)),
        ("north_south_pairs", pairs(Direction::South)),
        ("crossbar_per_hicann", CrossbarSwitchOnHicann::SIZE),
        ("synapse_switches_per_hicann", SynapseSwitchOnHicann::SIZE),
        ("synapses_per_hicann", SynapseOnHicann::SIZE),
        ("neurons_per_wafer", OnWafer::<NeuronOnHicann>::SIZE),
        ("synapses_per_wafer", OnWafer::<SynapseOnHicann>::SIZE),
        ("line_vertices_per_wafer", graph.node_count()),
        ("line_graph_edges_per_wafer", graph.edge_count()),
    ];
    for (name, value) in found {
        assert_eq!(value, number(&counts[name]), "{name}");
    }
    let degree =
        |h: HicannOnWafer| Direction::ALL.into_iter().filter(|d| h.neighbour(*d).is_some()).count();
    for (neighbours, chips) in counts["degree_histogram"].as_object().unwrap() {
        let neighbours: usize = neighbours.parse().unwrap();
        let found = HicannOnWafer::all().filter(|h| degree(*h) == neighbours).count();
        assert_eq!(found, number(chips));
    }
    assert_eq!(counts.as_object().unwrap().len(), found.len() + 1);
}
