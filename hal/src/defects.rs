//! Which parts of a wafer cannot be used (hal-config §6, mapping §2.2).
//!
//! A [`Defects`] value records what is broken, from reticles down to single synapses, and answers
//! whether a component can be used, which also depends on everything it is a part of. Nothing is
//! broken by default.
//!
//! ```
//! use hal::coord::{Coordinate, HicannOnWafer, SynapseDriverOnHicann, SynapseRowOnHicann};
//! use hal::defects::Defects;
//! let (chip, driver) = (HicannOnWafer::new::<93>(), SynapseDriverOnHicann::new::<99>());
//! let mut defects = Defects::default();
//! defects.insert(driver.on(chip));
//! assert!(!defects.is_usable(SynapseRowOnHicann::new::<198>().on(chip)));
//! assert_eq!(defects.iter().next().unwrap().to_string(), "H93.drv99");
//! ```

mod component;
mod random;
mod set;
mod text;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::coord::{Coordinate, DncOnWafer, HicannOnWafer, Table, WaferNumber};
use crate::l1::Hop;

pub use component::{Component, ComponentKind, ComponentOnHicann, HicannDefects};
pub use random::{RateError, Rates};
pub use set::{Conflict, DefectSet};
pub use text::{DefectsError, ParseDefectsError};

/// The defective components of a wafer.
///
/// A chip has a record of its own once it has been examined, even if nothing was found; a chip
/// without a record counts as whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Defects {
    /// The wafer described, if it is a certain one.
    pub wafer: Option<WaferNumber>,
    /// A remark of any number of lines, kept at the head of the file.
    pub comment: String,
    reticles: DefectSet<DncOnWafer>,
    hicanns: DefectSet<HicannOnWafer>,
    links: DefectSet<HicannOnWafer>,
    records: Table<HicannOnWafer, Option<Box<HicannDefects>>>,
}

impl Defects {
    /// Marks a component as defective; tells whether it was unmarked before.
    pub fn insert(&mut self, component: impl Into<Component>) -> bool {
        match component.into() {
            Component::Reticle(dnc) => self.reticles.insert(dnc),
            Component::Hicann(hicann) => self.hicanns.insert(hicann),
            Component::HighspeedLink(hicann) => self.links.insert(hicann),
            Component::OnHicann(hicann, local) => self.record_mut(hicann).insert(local),
        }
    }

    /// Unmarks a component; tells whether it was marked before.
    pub fn remove(&mut self, component: impl Into<Component>) -> bool {
        match component.into() {
            Component::Reticle(dnc) => self.reticles.remove(dnc),
            Component::Hicann(hicann) => self.hicanns.remove(hicann),
            Component::HighspeedLink(hicann) => self.links.remove(hicann),
            Component::OnHicann(hicann, local) => {
                self.records[hicann].as_mut().is_some_and(|record| record.remove(local))
            }
        }
    }

    /// Whether a component itself is marked as defective.
    pub fn is_defective(&self, component: impl Into<Component>) -> bool {
        match component.into() {
            Component::Reticle(dnc) => self.reticles.contains(dnc),
            Component::Hicann(hicann) => self.hicanns.contains(hicann),
            Component::HighspeedLink(hicann) => self.links.contains(hicann),
            Component::OnHicann(hicann, local) => {
                self.record(hicann).is_some_and(|record| record.is_defective(local))
            }
        }
    }

    /// Whether a component can be used: neither itself nor its reticle, its chip, or a component
    /// that it [needs](ComponentOnHicann::needs) is defective. Event links need the high-speed link
    /// of the chip as well.
    pub fn is_usable(&self, component: impl Into<Component>) -> bool {
        match component.into() {
            Component::Reticle(dnc) => !self.reticles.contains(dnc),
            Component::Hicann(hicann) => {
                !self.hicanns.contains(hicann) && !self.reticles.contains(hicann.dnc())
            }
            Component::HighspeedLink(hicann) => {
                !self.links.contains(hicann) && self.is_usable(hicann)
            }
            Component::OnHicann(hicann, local) => {
                let reachable = match local {
                    ComponentOnHicann::GbitLink(_) => {
                        self.is_usable(Component::HighspeedLink(hicann))
                    }
                    _ => self.is_usable(hicann),
                };
                reachable && self.record(hicann).is_none_or(|record| record.is_usable(local))
            }
        }
    }

    /// Whether a signal on a usable line can take a step across a chip border: the repeater, its
    /// line and the line on the other side are usable.
    pub fn allows(&self, hop: Hop) -> bool {
        self.is_usable(hop.repeater) && self.is_usable(hop.to)
    }

    /// The chips that can be used, ascending.
    pub fn usable_hicanns(&self) -> impl Iterator<Item = HicannOnWafer> {
        HicannOnWafer::all().filter(|&hicann| self.is_usable(hicann))
    }

    /// The record of a chip, none if it has not been examined. It does not tell whether the chip
    /// as a whole is usable.
    pub fn record(&self, hicann: HicannOnWafer) -> Option<&HicannDefects> {
        self.records[hicann].as_deref()
    }

    /// The record of a chip, an empty one if there was none.
    pub fn record_mut(&mut self, hicann: HicannOnWafer) -> &mut HicannDefects {
        self.records[hicann].get_or_insert_default()
    }

    /// Forgets the record of a chip.
    pub fn reset(&mut self, hicann: HicannOnWafer) -> Option<HicannDefects> {
        self.records[hicann].take().map(|record| *record)
    }

    /// The marked components: reticles, chips, links, then chip by chip.
    pub fn iter(&self) -> impl Iterator<Item = Component> {
        let reticles = self.reticles.iter().map(Component::Reticle);
        let hicanns = self.hicanns.iter().map(Component::Hicann);
        let links = self.links.iter().map(Component::HighspeedLink);
        let parts = self.records.iter().flat_map(|(hicann, record)| {
            let record = record.iter().flat_map(|record| record.iter());
            record.map(move |component| Component::OnHicann(hicann, component))
        });
        reticles.chain(hicanns).chain(links).chain(parts)
    }

    /// Number of marked components of each kind, without those that are unusable only because of
    /// another; for these count the [`propagated`](Self::propagated) ones.
    pub fn counts(&self) -> BTreeMap<ComponentKind, usize> {
        let records = self.records.values();
        let count = |kind| match kind {
            ComponentKind::Reticle => self.reticles.len(),
            ComponentKind::Hicann => self.hicanns.len(),
            ComponentKind::HighspeedLink => self.links.len(),
            _ => records.iter().flatten().map(|record| record.count(kind)).sum(),
        };
        ComponentKind::ALL.map(|kind| (kind, count(kind))).into()
    }

    /// Usable is what is usable in either record: what one calls defective and the other does not
    /// is taken as whole. A chip has a record if it has one on either side (hal-config §6.1).
    pub fn merge(&self, other: &Self) -> Self {
        Self {
            reticles: self.reticles.merge(&other.reticles),
            hicanns: self.hicanns.merge(&other.hicanns),
            links: self.links.merge(&other.links),
            ..self.combined(other, HicannDefects::merge)
        }
    }

    /// Usable is what is usable in both records: the defects of both are collected. A chip has a
    /// record if it has one on either side (hal-config §6.1).
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            reticles: self.reticles.intersection(&other.reticles),
            hicanns: self.hicanns.intersection(&other.hicanns),
            links: self.links.intersection(&other.links),
            ..self.combined(other, HicannDefects::intersection)
        }
    }

    /// Combines the records of the chips; wafer and comment stay if both sides agree.
    fn combined(
        &self,
        other: &Self,
        both: fn(&HicannDefects, &HicannDefects) -> HicannDefects,
    ) -> Self {
        let whole = HicannDefects::default();
        let records = Table::from_fn(|hicann| {
            let (a, b) = (self.record(hicann), other.record(hicann));
            (a.is_some() || b.is_some())
                .then(|| Box::new(both(a.unwrap_or(&whole), b.unwrap_or(&whole))))
        });
        let same_comment = self.comment == other.comment;
        Self {
            wafer: self.wafer.filter(|_| self.wafer == other.wafer),
            comment: if same_comment { self.comment.clone() } else { String::new() },
            records,
            ..Self::default()
        }
    }

    /// The value in which everything that is unusable for any reason is marked itself: then
    /// [`is_defective`](Self::is_defective) is the opposite of [`is_usable`](Self::is_usable) and
    /// costs one bit.
    pub fn propagated(&self) -> Self {
        let mut all = self.clone();
        for hicann in HicannOnWafer::all() {
            if !self.is_usable(hicann) {
                all.hicanns.insert(hicann);
                all.links.insert(hicann);
                all.records[hicann] = Some(Box::new(HicannDefects::everything()));
            } else if self.links.contains(hicann) {
                all.record_mut(hicann).gbit_links = DefectSet::all();
            }
        }
        all.records.values_mut().par_iter_mut().flatten().for_each(|r| **r = r.propagated());
        all
    }
}
