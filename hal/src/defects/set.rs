//! Which components of one kind are defective: a set of bits.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::coord::{Coordinate, OutOfRange};

/// The defective components of one kind; all others are usable (the blacklist of hal-config §6.1).
///
/// The set operations are those of the original and speak about the *usable* components:
/// [`merge`](Self::merge) leaves usable what either side can use,
/// [`intersection`](Self::intersection) what both can use. To collect the defects of two records
/// is therefore an intersection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct DefectSet<C: Coordinate> {
    /// Bit `i % 64` of word `i / 64` tells whether coordinate `i` is defective; the bits beyond
    /// the last coordinate are 0.
    words: Vec<u64>,
    key: PhantomData<fn(C)>,
}

/// A component was to be disabled or enabled and already was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{component} is {state} already")]
pub struct Conflict {
    /// The component.
    pub component: String,
    /// What it already was.
    pub state: &'static str,
}

impl<C: Coordinate> DefectSet<C> {
    /// No component is defective.
    pub fn none() -> Self {
        Self { words: vec![0; C::SIZE.div_ceil(64)], key: PhantomData }
    }

    /// Every component is defective.
    pub fn all() -> Self {
        Self { words: vec![u64::MAX; C::SIZE.div_ceil(64)], key: PhantomData }.masked()
    }

    /// All components but these are defective.
    pub fn all_but(usable: impl IntoIterator<Item = C>) -> Self {
        let mut set = Self::all();
        for component in usable {
            set.remove(component);
        }
        set
    }

    /// Clears the bits beyond the last coordinate.
    fn masked(mut self) -> Self {
        if let (rest @ 1.., Some(last)) = (C::SIZE % 64, self.words.last_mut()) {
            *last &= (1 << rest) - 1;
        }
        self
    }

    /// Whether a component is defective.
    #[inline]
    pub fn contains(&self, component: C) -> bool {
        let i = component.index();
        self.words[i / 64] >> (i % 64) & 1 == 1
    }

    /// Marks a component; tells whether it was usable before.
    pub fn insert(&mut self, component: C) -> bool {
        let i = component.index();
        let before = self.words[i / 64];
        self.words[i / 64] |= 1 << (i % 64);
        self.words[i / 64] != before
    }

    /// Unmarks a component; tells whether it was defective before.
    pub fn remove(&mut self, component: C) -> bool {
        let i = component.index();
        let before = self.words[i / 64];
        self.words[i / 64] &= !(1 << (i % 64));
        self.words[i / 64] != before
    }

    /// Marks a component that must not be marked yet.
    pub fn disable(&mut self, component: C) -> Result<(), Conflict> {
        let conflict = || Conflict { component: component.to_string(), state: "disabled" };
        self.insert(component).then_some(()).ok_or_else(conflict)
    }

    /// Unmarks a component that must be marked.
    pub fn enable(&mut self, component: C) -> Result<(), Conflict> {
        let conflict = || Conflict { component: component.to_string(), state: "enabled" };
        self.remove(component).then_some(()).ok_or_else(conflict)
    }

    /// Number of defective components.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether no component is defective.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// The defective components, ascending.
    pub fn iter(&self) -> impl Iterator<Item = C> {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.checked_sub(1)?;
                C::from_index(64 * i + bit)
            })
        })
    }

    /// The usable components, ascending.
    pub fn usable(&self) -> impl Iterator<Item = C> {
        C::all().filter(|&c| !self.contains(c))
    }

    fn combined(&self, other: &Self, bits: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| bits(a, b)).collect();
        Self { words, key: PhantomData }.masked()
    }

    /// Usable is what is usable in either set.
    pub fn merge(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a & b)
    }

    /// Usable is what is usable in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a | b)
    }

    /// Usable is what is usable here and not there.
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a | !b)
    }

    /// Usable is what is usable in exactly one of the sets.
    pub fn symmetric_difference(&self, other: &Self) -> Self {
        self.combined(other, |a, b| !(a ^ b))
    }
}

impl<C: Coordinate> Default for DefectSet<C> {
    fn default() -> Self {
        Self::none()
    }
}

impl<C: Coordinate> FromIterator<C> for DefectSet<C> {
    fn from_iter<I: IntoIterator<Item = C>>(defective: I) -> Self {
        let mut set = Self::none();
        set.extend(defective);
        set
    }
}

impl<C: Coordinate> Extend<C> for DefectSet<C> {
    fn extend<I: IntoIterator<Item = C>>(&mut self, defective: I) {
        for component in defective {
            self.insert(component);
        }
    }
}

impl<C: Coordinate> fmt::Debug for DefectSet<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// For files: the ascending indices of the defective components.
impl<C: Coordinate> From<DefectSet<C>> for Vec<u32> {
    fn from(set: DefectSet<C>) -> Self {
        set.iter().map(|c| c.index() as u32).collect()
    }
}

impl<C: Coordinate> TryFrom<Vec<u32>> for DefectSet<C> {
    type Error = OutOfRange;
    fn try_from(indices: Vec<u32>) -> Result<Self, OutOfRange> {
        let component = |i: u32| {
            let value = i as usize;
            let error = OutOfRange { kind: "component", value, first: 0, last: C::SIZE - 1 };
            C::from_index(value).ok_or(error)
        };
        indices.into_iter().map(component).collect()
    }
}
