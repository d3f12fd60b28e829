//! The kinds of components that can be defective, and which component needs which to work.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::set::DefectSet;
use crate::coord::{
    AnalogOnHicann, BackgroundGeneratorOnHicann, Coordinate, CrossbarSwitchOnHicann,
    DncMergerOnHicann, DncOnWafer, FgBlockOnHicann, GbitLinkOnHicann, HLineOnHicann,
    HRepeaterOnHicann, HicannOnWafer, HighspeedLinkOnDnc, MergerOnHicann, NeuronOnHicann, OnWafer,
    ParseCoordinateError, SynapseArrayOnHicann, SynapseDriverOnHicann, SynapseOnHicann,
    SynapseRowOnHicann, SynapseSwitchOnHicann, SynapseSwitchRowOnHicann, SynapticInputOnHicann,
    VLineOnHicann, VRepeaterOnHicann,
};
use crate::l1::{L1Line, L1Repeater};

/// Declares the kinds of components of a chip, in an order in which every component comes after
/// those it needs.
macro_rules! components {
    ($($(#[$doc:meta])* $kind:ident, $field:ident, $name:literal: $coord:ty;)*) => {
        /// A component of a chip.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ComponentOnHicann {
            $($(#[$doc])* $kind($coord),)*
        }

        /// A kind of component.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ComponentKind {
            /// A reticle with its DNC and FPGA.
            Reticle,
            /// A chip.
            Hicann,
            /// The high-speed link of a chip.
            HighspeedLink,
            $($(#[$doc])* $kind,)*
        }

        impl ComponentKind {
            /// All kinds: those of the wafer, then those of a chip.
            pub const ALL: [Self; 3 + [$($name),*].len()] =
                [Self::Reticle, Self::Hicann, Self::HighspeedLink, $(Self::$kind),*];

            /// Name in reports, in snake case.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Reticle => "reticle",
                    Self::Hicann => "hicann",
                    Self::HighspeedLink => "highspeed_link",
                    $(Self::$kind => $name,)*
                }
            }

            /// How many of them a wafer has.
            pub const fn per_wafer(self) -> usize {
                match self {
                    Self::Reticle => DncOnWafer::SIZE,
                    Self::Hicann | Self::HighspeedLink => HicannOnWafer::SIZE,
                    $(Self::$kind => HicannOnWafer::SIZE * <$coord>::SIZE,)*
                }
            }
        }

        impl ComponentOnHicann {
            /// Kind of the component.
            pub const fn kind(self) -> ComponentKind {
                match self {
                    $(Self::$kind(_) => ComponentKind::$kind,)*
                }
            }

            /// Position among the components of its kind.
            pub const fn index(self) -> usize {
                match self {
                    $(Self::$kind(c) => c.index(),)*
                }
            }

            /// The component at a position; none for the kinds of the wafer and beyond the end.
            pub fn from_index(kind: ComponentKind, index: usize) -> Option<Self> {
                match kind {
                    $(ComponentKind::$kind => <$coord>::from_index(index).map(Self::$kind),)*
                    _ => None,
                }
            }
        }

        $(impl From<$coord> for ComponentOnHicann {
            #[inline]
            fn from(component: $coord) -> Self {
                Self::$kind(component)
            }
        })*

        impl fmt::Display for ComponentOnHicann {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$kind(c) => c.fmt(f),)*
                }
            }
        }

        impl FromStr for ComponentOnHicann {
            type Err = ParseCoordinateError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let prefix = text.trim_end_matches(|c: char| c.is_ascii_digit());
                match prefix {
                    $(<$coord>::PREFIX => text.parse().map(Self::$kind),)*
                    _ => Err(ParseCoordinateError::malformed(text, "component of a chip", "drv99")),
                }
            }
        }

        /// The defective components of one chip, kind by kind.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub struct HicannDefects {
            $($(#[$doc])* pub $field: DefectSet<$coord>,)*
        }

        impl HicannDefects {
            /// Whether a component itself is marked as defective.
            #[inline]
            pub fn is_defective(&self, component: impl Into<ComponentOnHicann>) -> bool {
                match component.into() {
                    $(ComponentOnHicann::$kind(c) => self.$field.contains(c),)*
                }
            }

            /// Marks a component; tells whether it was unmarked before.
            pub fn insert(&mut self, component: impl Into<ComponentOnHicann>) -> bool {
                match component.into() {
                    $(ComponentOnHicann::$kind(c) => self.$field.insert(c),)*
                }
            }

            /// Unmarks a component; tells whether it was marked before.
            pub fn remove(&mut self, component: impl Into<ComponentOnHicann>) -> bool {
                match component.into() {
                    $(ComponentOnHicann::$kind(c) => self.$field.remove(c),)*
                }
            }

            /// Number of marked components of a kind; 0 for the kinds of the wafer.
            pub fn count(&self, kind: ComponentKind) -> usize {
                match kind {
                    $(ComponentKind::$kind => self.$field.len(),)*
                    _ => 0,
                }
            }

            /// The marked components, kind by kind in the order of the fields.
            pub fn iter(&self) -> impl Iterator<Item = ComponentOnHicann> {
                std::iter::empty()$(.chain(self.$field.iter().map(ComponentOnHicann::$kind)))*
            }

            /// Usable is what is usable in either record.
            pub fn merge(&self, other: &Self) -> Self {
                Self { $($field: self.$field.merge(&other.$field),)* }
            }

            /// Usable is what is usable in both records.
            pub fn intersection(&self, other: &Self) -> Self {
                Self { $($field: self.$field.intersection(&other.$field),)* }
            }

            /// A chip of which nothing can be used.
            pub fn everything() -> Self {
                Self { $($field: DefectSet::all(),)* }
            }

            /// The record in which every component that is unusable for any reason is marked
            /// itself, so that [`is_defective`](Self::is_defective) answers for all of them at the
            /// price of one bit.
            pub fn propagated(&self) -> Self {
                let mut all = self.clone();
                // every component comes after those it needs, so one step back is enough
                $(
                    for component in <$coord>::all() {
                        let mut needs = ComponentOnHicann::from(component).needs().into_iter();
                        if needs.any(|n| n.is_some_and(|n| all.is_defective(n))) {
                            all.$field.insert(component);
                        }
                    }
                )*
                all
            }
        }
    };
}

components! {
    /// A floating-gate block.
    FgBlock, fg_blocks, "fg_block": FgBlockOnHicann;
    /// A neuron circuit.
    Neuron, neurons, "neuron": NeuronOnHicann;
    /// One of the two synaptic inputs of a circuit.
    SynapticInput, synaptic_inputs, "synaptic_input": SynapticInputOnHicann;
    /// A synapse array.
    SynapseArray, synapse_arrays, "synapse_array": SynapseArrayOnHicann;
    /// A synapse driver.
    SynapseDriver, synapse_drivers, "synapse_driver": SynapseDriverOnHicann;
    /// A synapse row.
    SynapseRow, synapse_rows, "synapse_row": SynapseRowOnHicann;
    /// A single synapse.
    Synapse, synapses, "synapse": SynapseOnHicann;
    /// A horizontal line.
    HLine, hlines, "hline": HLineOnHicann;
    /// A vertical line.
    VLine, vlines, "vline": VLineOnHicann;
    /// The repeater of a horizontal line; eight of them are the sending repeaters.
    HRepeater, hrepeaters, "hrepeater": HRepeaterOnHicann;
    /// The repeater of a vertical line.
    VRepeater, vrepeaters, "vrepeater": VRepeaterOnHicann;
    /// A crossbar switch.
    CrossbarSwitch, crossbar_switches, "crossbar_switch": CrossbarSwitchOnHicann;
    /// A row of synapse switches.
    SynapseSwitchRow, synapse_switch_rows, "synapse_switch_row": SynapseSwitchRowOnHicann;
    /// A synapse switch.
    SynapseSwitch, synapse_switches, "synapse_switch": SynapseSwitchOnHicann;
    /// A merger of the tree.
    Merger, mergers, "merger": MergerOnHicann;
    /// A merger in front of a sending repeater.
    DncMerger, dnc_mergers, "dnc_merger": DncMergerOnHicann;
    /// A background generator.
    BackgroundGenerator, background_generators, "background_generator": BackgroundGeneratorOnHicann;
    /// An event link between chip and FPGA.
    GbitLink, gbit_links, "gbit_link": GbitLinkOnHicann;
    /// The way from the chip to one of the two analog outputs of its reticle.
    Analog, analogs, "analog": AnalogOnHicann;
}

impl ComponentOnHicann {
    /// The components without which this one is of no use: those it is a part of, those that hold
    /// its parameters, and the lines a switch or repeater sits on.
    ///
    /// A line stays usable without its repeater; only the way across the border is lost. A row of
    /// switches stays usable without the driver at its end, which may be on another chip. What a
    /// component needs beyond its chip is told by [`Defects::is_usable`](super::Defects::is_usable).
    /// The original leaves these conclusions to its users (hal-config §6.4, mapping §2.2).
    pub fn needs(self) -> [Option<Self>; 2] {
        let two = |a: Self, b: Self| [Some(a), Some(b)];
        match self {
            Self::Neuron(n) => two(n.fg_block().into(), n.shared_fg_block().into()),
            Self::SynapticInput(i) => [Some(i.neuron().into()), None],
            // the floating gates of the quadrant hold V_gmax and the plasticity of its drivers
            Self::SynapseDriver(d) => {
                let array = SynapseArrayOnHicann::in_half(d.vertical());
                two(array.into(), d.quadrant().fg_block().into())
            }
            Self::SynapseRow(r) => [Some(r.driver().into()), None],
            Self::Synapse(s) => two(s.row().into(), s.neuron().into()),
            Self::HRepeater(r) => [Some(r.line().into()), None],
            Self::VRepeater(r) => [Some(r.line().into()), None],
            Self::CrossbarSwitch(s) => two(s.hline().into(), s.vline().into()),
            Self::SynapseSwitch(s) => two(s.row().into(), s.vline().into()),
            Self::FgBlock(_)
            | Self::SynapseArray(_)
            | Self::HLine(_)
            | Self::VLine(_)
            | Self::SynapseSwitchRow(_)
            | Self::Merger(_)
            | Self::DncMerger(_)
            | Self::BackgroundGenerator(_)
            | Self::GbitLink(_)
            | Self::Analog(_) => [None; 2],
        }
    }
}

impl HicannDefects {
    /// Whether a component of an otherwise present chip can be used: it is not marked, and nothing
    /// that it [needs](ComponentOnHicann::needs) is.
    pub fn is_usable(&self, component: impl Into<ComponentOnHicann>) -> bool {
        let component = component.into();
        !self.is_defective(component)
            && component.needs().into_iter().flatten().all(|needed| self.is_usable(needed))
    }

    /// Whether no component is marked.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl From<L1Line> for ComponentOnHicann {
    fn from(line: L1Line) -> Self {
        match line {
            L1Line::H(h) => Self::HLine(h),
            L1Line::V(v) => Self::VLine(v),
        }
    }
}

impl From<L1Repeater> for ComponentOnHicann {
    fn from(repeater: L1Repeater) -> Self {
        match repeater {
            L1Repeater::H(h) => Self::HRepeater(h),
            L1Repeater::V(v) => Self::VRepeater(v),
        }
    }
}

impl fmt::Debug for ComponentOnHicann {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A component of a wafer. Prints as `D10` (reticle), `H93`, `D10.hs1` (high-speed link) or, on a
/// chip, `H93.drv99`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Component {
    /// A reticle with its DNC and the FPGA that serves it; they are of no use without each other.
    Reticle(DncOnWafer),
    /// A whole chip.
    Hicann(HicannOnWafer),
    /// The high-speed link between this chip and its FPGA. A chip without it is configured through
    /// JTAG, but exchanges no events with the FPGA (hal-config §6.4).
    HighspeedLink(HicannOnWafer),
    /// A part of a chip.
    OnHicann(HicannOnWafer, ComponentOnHicann),
}

impl Component {
    /// Kind of the component.
    pub const fn kind(self) -> ComponentKind {
        match self {
            Self::Reticle(_) => ComponentKind::Reticle,
            Self::Hicann(_) => ComponentKind::Hicann,
            Self::HighspeedLink(_) => ComponentKind::HighspeedLink,
            Self::OnHicann(_, component) => component.kind(),
        }
    }
}

impl From<DncOnWafer> for Component {
    fn from(dnc: DncOnWafer) -> Self {
        Self::Reticle(dnc)
    }
}

impl From<HicannOnWafer> for Component {
    fn from(hicann: HicannOnWafer) -> Self {
        Self::Hicann(hicann)
    }
}

impl<C: Into<ComponentOnHicann>> From<OnWafer<C>> for Component {
    #[inline]
    fn from(place: OnWafer<C>) -> Self {
        Self::OnHicann(place.hicann, place.local.into())
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reticle(dnc) => dnc.fmt(f),
            Self::Hicann(hicann) => hicann.fmt(f),
            Self::HighspeedLink(hicann) => write!(f, "{}.{}", hicann.dnc(), hicann.link()),
            Self::OnHicann(hicann, component) => write!(f, "{hicann}.{component}"),
        }
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Component {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reticle = text.starts_with(DncOnWafer::PREFIX);
        match (reticle, text.split_once('.')) {
            (true, None) => Ok(Self::Reticle(text.parse()?)),
            (true, Some((dnc, link))) => {
                let (dnc, link): (DncOnWafer, HighspeedLinkOnDnc) = (dnc.parse()?, link.parse()?);
                Ok(Self::HighspeedLink(dnc.hicann(link.hicann())))
            }
            (false, None) => Ok(Self::Hicann(text.parse()?)),
            (false, Some((hicann, local))) => Ok(Self::OnHicann(hicann.parse()?, local.parse()?)),
        }
    }
}
