//! The table form: one line per value.
//!
//! The columns are `wafer,hicann,part,index,name,value`. The part is `chip`, `block` or `circuit`,
//! the value is JSON; quotes inside are doubled as usual.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hal::coord::{Coordinate, FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, Table, WaferNumber};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exchange::text;
use super::{ChipExport, ChipRecord, CircuitRecord, Export, ExportError};

const HEAD: &str = "wafer,hicann,part,index,name,value";

/// Chip, part and index, name.
type Place = (HicannOnWafer, &'static str, usize, String);

pub(super) fn write(export: &Export) -> Result<String, ExportError> {
    let mut out = format!("{HEAD}\n");
    for ChipExport { hicann, chip, circuits } in &export.chips {
        let mut line = |part: &str, index: usize, name: &str, value: String| {
            let quoted = value.replace('"', "\"\"");
            let (wafer, hicann) = (export.wafer.0, hicann.index());
            // writing to a string cannot fail
            let _ = writeln!(out, "{wafer},{hicann},{part},{index},{name},\"{quoted}\"");
        };
        line("chip", 0, "provenance", json(&chip.provenance)?);
        for (block, calibration) in chip.blocks.iter() {
            line("block", block.index(), "calibration", json(calibration)?);
            line("block", block.index(), "quality", json(&chip.quality[block])?);
        }
        for (circuit, record) in circuits.iter() {
            let fields = serde_json::to_value(record).map_err(|e| text(&e))?;
            for (name, value) in fields.as_object().into_iter().flatten() {
                line("circuit", circuit.index(), name, json(value)?);
            }
        }
    }
    Ok(out)
}

fn json(value: &impl Serialize) -> Result<String, ExportError> {
    serde_json::to_string(value).map_err(|e| text(&e))
}

pub(super) fn read(table: &str) -> Result<(WaferNumber, Vec<ChipExport>), ExportError> {
    let mut lines = table.lines();
    if lines.next() != Some(HEAD) {
        let what = format!("the first line is not `{HEAD}`");
        return Err(ExportError::Line { line: 1, what });
    }
    let mut wafer = None;
    let mut values: BTreeMap<Place, serde_json::Value> = BTreeMap::new();
    for (line, text) in (2..).zip(lines) {
        let wrong = |what: &str| ExportError::Line { line, what: what.to_owned() };
        let fields: Vec<&str> = text.splitn(6, ',').collect();
        let [number, hicann, part, index, name, value] = fields[..] else {
            return Err(wrong("there are not six fields"));
        };
        let number = number.parse().map_err(|_| wrong("the wafer is no number"))?;
        if *wafer.get_or_insert(number) != number {
            return Err(wrong("another wafer than in the line above"));
        }
        let hicann = hicann.parse().ok().and_then(HicannOnWafer::from_index);
        let hicann = hicann.ok_or_else(|| wrong("no chip has this number"))?;
        let known = ["block", "chip", "circuit"].into_iter().find(|known| *known == part);
        let part = known.ok_or_else(|| wrong("the part is not chip, block or circuit"))?;
        let index = index.parse().map_err(|_| wrong("the index is no number"))?;
        let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let inner = inner.ok_or_else(|| wrong("the value is not in quotes"))?;
        let value = serde_json::from_str(&inner.replace("\"\"", "\""))
            .map_err(|e| wrong(&e.to_string()))?;
        if values.insert((hicann, part, index, name.to_owned()), value).is_some() {
            return Err(wrong("the same value for the second time"));
        }
    }
    let wafer = wafer.ok_or_else(|| ExportError::Text { what: "the table is empty".into() })?;
    let mut hicanns: Vec<HicannOnWafer> = values.keys().map(|(h, ..)| *h).collect();
    hicanns.dedup();
    let chips = hicanns.into_iter().map(|hicann| chip(hicann, &mut values));
    let chips = chips.collect::<Result<_, _>>()?;
    match values.keys().next() {
        None => Ok((WaferNumber(wafer), chips)),
        Some((hicann, part, index, name)) => Err(ExportError::Text {
            what: format!("{hicann}: {part} {index} has a value `{name}` that is not known"),
        }),
    }
}

/// Takes the values of a chip.
fn chip(
    hicann: HicannOnWafer,
    values: &mut BTreeMap<Place, serde_json::Value>,
) -> Result<ChipExport, ExportError> {
    fn take<T: DeserializeOwned>(
        values: &mut BTreeMap<Place, serde_json::Value>,
        place: &Place,
    ) -> Result<T, ExportError> {
        let what = format!("{} {} {}", place.1, place.2, place.3);
        let value = values.remove(place);
        let value = value.ok_or(ExportError::Incomplete { hicann: place.0, what })?;
        serde_json::from_value(value).map_err(|e| text(&e))
    }
    let provenance = take(values, &(hicann, "chip", 0, "provenance".into()))?;
    let mut chip = ChipRecord { provenance, blocks: Table::default(), quality: Table::default() };
    for block in FgBlockOnHicann::all() {
        let i = block.index();
        chip.blocks[block] = take(values, &(hicann, "block", i, "calibration".into()))?;
        chip.quality[block] = take(values, &(hicann, "block", i, "quality".into()))?;
    }
    let names = serde_json::to_value(CircuitRecord::default()).map_err(|e| text(&e))?;
    let mut circuits: Table<NeuronOnHicann, CircuitRecord> = Table::default();
    for (circuit, record) in circuits.iter_mut() {
        let mut fields = serde_json::Map::new();
        for name in names.as_object().into_iter().flatten().map(|(name, _)| name) {
            let place = (hicann, "circuit", circuit.index(), name.clone());
            fields.insert(name.clone(), take(values, &place)?);
        }
        *record = serde_json::from_value(fields.into()).map_err(|e| text(&e))?;
    }
    Ok(ChipExport { hicann, chip, circuits })
}
