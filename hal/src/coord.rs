//! Coordinates: every place on a wafer is a type with a range, and an invalid one cannot be built.
//!
//! A coordinate holds one small integer, its *index* in row-major order (`y * width + x`), and
//! costs nothing over that integer.
//! Conventions of the wafer, used everywhere (topology §0): left 0, right 1; top 0, bottom 1;
//! x grows to the east, y grows to the south.
//!
//! There are three doors from integers to coordinates, all checked: `new::<I>()` for literals (a
//! wrong literal does not compile), [`Coordinate::from_index`], and `TryFrom<usize>`.
//!
//! ```
//! use hal::coord::{Coordinate, HLineOnHicann, HicannOnWafer};
//! let line = HLineOnHicann::new::<62>();
//! assert_eq!(line.on(HicannOnWafer::new::<93>()).to_string(), "H93.hl62");
//! assert!(HLineOnHicann::try_from(64_usize).is_err());
//! ```

mod board;
mod event;
mod floating_gate;
mod global;
mod line;
mod neuron;
mod switch;
mod synapse;
mod wafer;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use board::{
    AdcGroupOnWafer, AnanasChannelOnSlice, AnanasOnWafer, AnanasSliceOnAnanas, AnanasSliceOnWafer,
    AuxPowerOnWafer, ChannelOnAdc, InputOnAdc, JtagFrequency, NoAdcChannel, PowerOnWafer,
    SocketOnWio, TriggerOnAdc, TriggerOnWafer, WioOnWafer,
};
pub use event::{
    BackgroundGeneratorOnHicann, DncMergerOnHicann, DriverDecoder, GbitLinkOnHicann, L1Address,
    Merger0OnHicann, Merger1OnHicann, Merger2OnHicann, Merger3OnHicann, MergerInput,
    MergerOnHicann, PulseLabel, SendingRepeaterOnHicann, SynapseDecoder,
};
pub use floating_gate::{FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock};
pub use global::{FpgaGlobal, Global, HicannGlobal, WaferNumber};
pub use line::{
    Direction, HLineOnHicann, HRepeaterOnHicann, L1Class, RepeaterBlockOnHicann,
    TestPortOnRepeaterBlock, VLineOnHicann, VRepeaterOnHicann,
};
pub use neuron::{
    NeuronBlockOnHicann, NeuronOnFgBlock, NeuronOnHicann, NeuronOnNeuronBlock, NeuronOnQuad,
    QuadOnHicann,
};
pub use switch::{
    CrossbarSwitchOnHicann, CrossbarSwitchOnRow, SynapseSwitchOnHicann, SynapseSwitchOnRow,
    SynapseSwitchRowOnHicann,
};
pub use synapse::{
    DriverOnQuadrant, QuadrantOnHicann, RowOnSynapseDriver, SynapseArrayOnHicann,
    SynapseColumnOnHicann, SynapseDriverOnHicann, SynapseOnHicann, SynapseRowOnArray,
    SynapseRowOnHicann, SynapticInputOnHicann, SynapticInputOnNeuron,
};
pub use wafer::{
    AnalogOnHicann, DncOnFpga, DncOnWafer, FpgaOnWafer, HicannOnDnc, HicannOnWafer,
    HighspeedLinkOnDnc,
};

/// A number that no coordinate of this type has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} {value} does not exist; valid are {first}..={last}")]
pub struct OutOfRange {
    /// Name of the coordinate type.
    pub kind: &'static str,
    /// The number asked for.
    pub value: usize,
    /// The first number that exists.
    pub first: usize,
    /// The last number that exists.
    pub last: usize,
}

/// A dense enumeration of places: indices `0..SIZE`, each of them valid.
pub trait Coordinate: Copy + Ord + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// How many exist.
    const SIZE: usize;
    /// The coordinate with this index, if it exists.
    fn from_index(index: usize) -> Option<Self>;
    /// Position in the enumeration, `0..SIZE`.
    fn index(self) -> usize;
    /// All coordinates in ascending order.
    fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..Self::SIZE).map(|i| Self::from_index(i).expect("0..SIZE are valid by definition"))
    }
    /// This place on a given HICANN.
    fn on(self, hicann: HicannOnWafer) -> OnWafer<Self> {
        OnWafer { hicann, local: self }
    }
}

/// Declares a coordinate: name, integer inside, number of places, prefix of its text form.
macro_rules! coord {
    ($(#[$doc:meta])* $name:ident: $int:ty, $size:expr, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name($int);

        impl $name {
            /// How many exist.
            pub const SIZE: usize = $size;
            /// What the text form starts with; the number follows.
            pub const PREFIX: &'static str = $prefix;

            /// The coordinate with index `I`; an index out of range does not compile.
            pub const fn new<const I: usize>() -> Self {
                const { assert!(I < $size, "coordinate out of range") };
                Self(I as $int)
            }

            /// Position in the enumeration.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// For formulas of this crate whose result lies in range by construction.
            #[inline]
            #[allow(dead_code, reason = "not every coordinate is the result of a formula")]
            #[allow(clippy::modulo_one, reason = "some coordinates have a single place")]
            pub(crate) const fn wrap(index: usize) -> Self {
                debug_assert!(index < $size);
                Self((index % $size) as $int)
            }
        }

        impl $crate::coord::Coordinate for $name {
            const SIZE: usize = $size;
            #[inline]
            fn from_index(index: usize) -> Option<Self> {
                (index < $size).then_some(Self(index as $int))
            }
            #[inline]
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl TryFrom<usize> for $name {
            type Error = $crate::coord::OutOfRange;
            fn try_from(value: usize) -> Result<Self, Self::Error> {
                let (kind, last) = (stringify!($name), $size - 1);
                <Self as $crate::coord::Coordinate>::from_index(value)
                    .ok_or($crate::coord::OutOfRange { kind, value, first: 0, last })
            }
        }

        impl TryFrom<u32> for $name {
            type Error = $crate::coord::OutOfRange;
            fn try_from(value: u32) -> Result<Self, Self::Error> {
                Self::try_from(value as usize)
            }
        }

        impl From<$name> for u32 {
            fn from(c: $name) -> u32 {
                u32::from(c.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::coord::ParseCoordinateError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                $crate::coord::parse_prefixed(s, $prefix, stringify!($name))
            }
        }
    };
}
pub(crate) use coord;

/// A text that is not a coordinate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseCoordinateError {
    /// The text does not have the form of its kind, mostly a prefix and digits.
    #[error("`{text}` is not a {kind}; write it like `{example}`")]
    Malformed {
        /// What was parsed.
        text: String,
        /// Name of the coordinate type.
        kind: &'static str,
        /// A text that is one.
        example: String,
    },
    /// The number is out of range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl ParseCoordinateError {
    pub(crate) fn malformed(text: &str, kind: &'static str, example: &str) -> Self {
        Self::Malformed { text: text.to_owned(), kind, example: example.to_owned() }
    }
}

/// Parses `prefix` followed by decimal digits only.
pub(crate) fn parse_prefixed<C: TryFrom<usize, Error = OutOfRange>>(
    text: &str,
    prefix: &'static str,
    kind: &'static str,
) -> Result<C, ParseCoordinateError> {
    let digits = text
        .strip_prefix(prefix)
        .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    let number = digits
        .and_then(|d| d.parse::<usize>().ok())
        .ok_or_else(|| ParseCoordinateError::malformed(text, kind, &format!("{prefix}0")))?;
    Ok(C::try_from(number)?)
}

/// A place on one chip of the wafer. Sorts by chip first; prints as `H93.hl62`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OnWafer<C> {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// The place on the chip.
    pub local: C,
}

impl<C: Coordinate> Coordinate for OnWafer<C> {
    const SIZE: usize = HicannOnWafer::SIZE * C::SIZE;
    fn from_index(index: usize) -> Option<Self> {
        Some(Self {
            hicann: HicannOnWafer::from_index(index / C::SIZE)?,
            local: C::from_index(index % C::SIZE)?,
        })
    }
    fn index(self) -> usize {
        self.hicann.index() * C::SIZE + self.local.index()
    }
}

impl<C: fmt::Display> fmt::Display for OnWafer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hicann, self.local)
    }
}

impl<C: fmt::Display> fmt::Debug for OnWafer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> std::str::FromStr for OnWafer<C>
where
    C: std::str::FromStr<Err = ParseCoordinateError>,
{
    type Err = ParseCoordinateError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseCoordinateError::malformed(s, "place on a wafer", "H93.drv99");
        let (hicann, local) = s.split_once('.').ok_or_else(malformed)?;
        Ok(Self { hicann: hicann.parse()?, local: local.parse()? })
    }
}

/// One value per coordinate, indexed by the coordinate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: Coordinate, T: Deserialize<'de>"))]
pub struct Table<C, T> {
    #[serde(deserialize_with = "one_per_coordinate::<C, T, __D>")]
    values: Vec<T>,
    #[serde(skip)]
    key: PhantomData<fn(C)>,
}

/// Refuses a list from a file that has too few or too many values.
fn one_per_coordinate<'de, C, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    C: Coordinate,
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    let values = Vec::deserialize(deserializer)?;
    if values.len() != C::SIZE {
        return Err(serde::de::Error::invalid_length(
            values.len(),
            &format!("{} values", C::SIZE).as_str(),
        ));
    }
    Ok(values)
}

impl<C: Coordinate, T> Table<C, T> {
    /// A table with the same value everywhere.
    pub fn filled(value: T) -> Self
    where
        T: Clone,
    {
        Self { values: vec![value; C::SIZE], key: PhantomData }
    }

    /// A table computed from its coordinates.
    pub fn from_fn(f: impl FnMut(C) -> T) -> Self {
        Self { values: C::all().map(f).collect(), key: PhantomData }
    }

    /// Coordinates and values in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (C, &T)> {
        C::all().zip(&self.values)
    }

    /// Coordinates and values in ascending order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (C, &mut T)> {
        C::all().zip(&mut self.values)
    }

    /// Values in ascending order of their coordinate.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Values in ascending order of their coordinate.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<C: Coordinate, T: Default + Clone> Default for Table<C, T> {
    fn default() -> Self {
        Self::filled(T::default())
    }
}

impl<C: Coordinate, T> Index<C> for Table<C, T> {
    type Output = T;
    #[inline]
    fn index(&self, c: C) -> &T {
        &self.values[c.index()]
    }
}

impl<C: Coordinate, T> IndexMut<C> for Table<C, T> {
    #[inline]
    fn index_mut(&mut self, c: C) -> &mut T {
        &mut self.values[c.index()]
    }
}

impl<C, T: fmt::Debug> fmt::Debug for Table<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values).finish()
    }
}

/// Left or right half of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// West half, 0.
    Left,
    /// East half, 1.
    Right,
}

impl Side {
    /// Both sides, left first.
    pub const ALL: [Self; 2] = [Self::Left, Self::Right];

    /// 0 for left, 1 for right.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The opposite side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// Top or bottom half of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Vertical {
    /// North half, 0.
    Top,
    /// South half, 1.
    Bottom,
}

impl Vertical {
    /// Both halves, top first.
    pub const ALL: [Self; 2] = [Self::Top, Self::Bottom];

    /// 0 for top, 1 for bottom.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Parity of a synapse column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Parity {
    /// Columns 0, 2, ..., 254.
    Even,
    /// Columns 1, 3, ..., 255.
    Odd,
}

impl Parity {
    /// Both parities, even first.
    pub const ALL: [Self; 2] = [Self::Even, Self::Odd];

    /// 0 for even, 1 for odd.
    pub const fn index(self) -> usize {
        self as usize
    }
}
