//! The L1 network of the wafer: lines, the repeaters between chips, and what joins them
//! (topology §4.5, §4.7).
//!
//! A lane that crosses a chip border has exactly one repeater there. It belongs to one of the two
//! chips, not always to the one the signal comes from: [`OnWafer::hop`] tells which.
//!
//! ```
//! use hal::coord::{Coordinate, Direction, HLineOnHicann, HicannOnWafer};
//! use hal::l1::L1Line;
//! let line = L1Line::H(HLineOnHicann::new::<12>()).on(HicannOnWafer::new::<200>());
//! let hop = line.hop(Direction::East).unwrap();
//! assert_eq!(hop.to.to_string(), "H201.hl14");
//! assert_eq!(hop.repeater.to_string(), "H201.hr14");
//! assert_eq!(hop.to.component(), line.component());
//! ```

use std::fmt;
use std::str::FromStr;

use petgraph::graph::{NodeIndex, UnGraph};
use serde::{Deserialize, Serialize};

use crate::coord::{
    Coordinate, CrossbarSwitchOnHicann, Direction, HLineOnHicann, HRepeaterOnHicann, HicannOnWafer,
    L1Class, OnWafer, ParseCoordinateError, RepeaterBlockOnHicann, SendingRepeaterOnHicann, Side,
    VLineOnHicann, VRepeaterOnHicann, Vertical, coord,
};

/// One of the 320 lines of a chip: index 0..64 the horizontal ones, 64..320 the vertical ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum L1Line {
    /// A horizontal line.
    H(HLineOnHicann),
    /// A vertical line.
    V(VLineOnHicann),
}

/// One of the 320 repeaters of a chip: index 0..64 the horizontal ones, 64..320 the vertical ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum L1Repeater {
    /// The repeater of a horizontal line.
    H(HRepeaterOnHicann),
    /// The repeater of a vertical line.
    V(VRepeaterOnHicann),
}

macro_rules! two_orientations {
    ($name:ident, $horizontal:ty, $vertical:ty) => {
        impl Coordinate for $name {
            const SIZE: usize = <$horizontal>::SIZE + <$vertical>::SIZE;
            #[inline]
            fn from_index(index: usize) -> Option<Self> {
                match index.checked_sub(<$horizontal>::SIZE) {
                    None => <$horizontal>::from_index(index).map(Self::H),
                    Some(v) => <$vertical>::from_index(v).map(Self::V),
                }
            }
            #[inline]
            fn index(self) -> usize {
                match self {
                    Self::H(h) => h.index(),
                    Self::V(v) => <$horizontal>::SIZE + v.index(),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::H(h) => h.fmt(f),
                    Self::V(v) => v.fmt(f),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseCoordinateError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                if s.starts_with('v') { s.parse().map(Self::V) } else { s.parse().map(Self::H) }
            }
        }
    };
}
two_orientations!(L1Line, HLineOnHicann, VLineOnHicann);
two_orientations!(L1Repeater, HRepeaterOnHicann, VRepeaterOnHicann);

coord! {
    /// One of the 32 parts of the L1 network of a wafer. No switch or repeater joins two of them:
    /// whatever the route, a bus stays in the component of its sending repeater (topology §4.7).
    L1Component: u8, 32, "c"
}

impl L1Component {
    /// The component of the lines of a class on a chip, `(k - x - 2 y) mod 32`.
    pub fn of(class: L1Class, hicann: HicannOnWafer) -> Self {
        Self::wrap((class.index() + 3 * 32 - hicann.x() - 2 * hicann.y()) % 32)
    }

    /// The class of the two horizontal and eight vertical lines of this component on a chip.
    pub fn class_on(self, hicann: HicannOnWafer) -> L1Class {
        L1Class::wrap((self.index() + hicann.x() + 2 * hicann.y()) % 32)
    }
}

impl L1Line {
    /// Class of the line on its chip.
    pub const fn class(self) -> L1Class {
        match self {
            Self::H(h) => h.class(),
            Self::V(v) => v.class(),
        }
    }

    /// The repeater of this line on its own chip.
    pub const fn repeater(self) -> L1Repeater {
        match self {
            Self::H(h) => L1Repeater::H(h.repeater()),
            Self::V(v) => L1Repeater::V(v.repeater()),
        }
    }

    /// The line of the next chip in this direction that continues this one; none across.
    pub const fn continued(self, direction: Direction) -> Option<Self> {
        match (self, direction) {
            (Self::H(h), Direction::East) => Some(Self::H(h.east())),
            (Self::H(h), Direction::West) => Some(Self::H(h.west())),
            (Self::V(v), Direction::North) => Some(Self::V(v.north())),
            (Self::V(v), Direction::South) => Some(Self::V(v.south())),
            _ => None,
        }
    }

    /// The two directions in which the line runs.
    pub const fn directions(self) -> [Direction; 2] {
        match self {
            Self::H(_) => [Direction::West, Direction::East],
            Self::V(_) => [Direction::North, Direction::South],
        }
    }
}

impl L1Repeater {
    /// The line of this repeater on its own chip.
    pub const fn line(self) -> L1Line {
        match self {
            Self::H(h) => L1Line::H(h.line()),
            Self::V(v) => L1Line::V(v.line()),
        }
    }

    /// The block of the repeater.
    pub const fn block(self) -> RepeaterBlockOnHicann {
        match self {
            Self::H(h) => h.block(),
            Self::V(v) => v.block(),
        }
    }

    /// The border at which the repeater sits, as the direction from its own line to it.
    pub const fn border(self) -> Direction {
        match self {
            Self::H(h) => h.side().direction(),
            Self::V(v) => v.vertical().direction(),
        }
    }
}

/// One step of a route across a chip border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hop {
    /// The line on which the signal arrives.
    pub to: OnWafer<L1Line>,
    /// The repeater to set to forwarding, on the chip that holds it.
    pub repeater: OnWafer<L1Repeater>,
    /// Its direction, which is the direction of travel.
    pub direction: Direction,
}

/// What joins two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum L1Joint {
    /// A crossbar switch: a wire for both directions.
    Switch(OnWafer<CrossbarSwitchOnHicann>),
    /// The repeater at a border: one direction at a time.
    Repeater(OnWafer<L1Repeater>),
}

impl OnWafer<L1Line> {
    /// The component of the line.
    pub fn component(self) -> L1Component {
        L1Component::of(self.local.class(), self.hicann)
    }

    /// The step to the next chip in a direction; none across the line or over the rim of the wafer
    /// (topology §4.5).
    pub fn hop(self, direction: Direction) -> Option<Hop> {
        let continued = self.local.continued(direction)?;
        let to = continued.on(self.hicann.neighbour(direction)?);
        // a border has one repeater per lane: ours if it sits on this side, else the facing one
        let own = self.local.repeater();
        let repeater = if own.border() == direction {
            own.on(self.hicann)
        } else {
            to.local.repeater().on(to.hicann)
        };
        Some(Hop { to, repeater, direction })
    }

    /// All lines that one switch or repeater can join to this one: the lines with a crossbar
    /// switch in ascending order, then the continuations on the neighbouring chips.
    pub fn neighbours(self) -> impl Iterator<Item = (OnWafer<L1Line>, L1Joint)> {
        let hicann = self.hicann;
        let crossing: Vec<(L1Line, Option<CrossbarSwitchOnHicann>)> = match self.local {
            L1Line::H(h) => h
                .crossbar_vlines()
                .map(|v| (L1Line::V(v), CrossbarSwitchOnHicann::between(h, v)))
                .collect(),
            L1Line::V(v) => v
                .crossbar_hlines()
                .map(|h| (L1Line::H(h), CrossbarSwitchOnHicann::between(h, v)))
                .to_vec(),
        };
        let switches = crossing.into_iter().filter_map(move |(line, switch)| {
            Some((line.on(hicann), L1Joint::Switch(switch?.on(hicann))))
        });
        let borders = self.local.directions().into_iter().filter_map(move |d| self.hop(d));
        switches.chain(borders.map(|hop| (hop.to, L1Joint::Repeater(hop.repeater))))
    }
}

impl OnWafer<L1Repeater> {
    /// The line of the facing chip that this repeater joins to its own line; none at the rim.
    pub fn far_line(self) -> Option<OnWafer<L1Line>> {
        let border = self.local.border();
        let line = self.local.line().continued(border)?;
        Some(line.on(self.hicann.neighbour(border)?))
    }

    /// The line onto which the repeater transmits when it sends in a direction: away from its
    /// border its own line, else the line of the facing chip.
    pub fn transmits_to(self, direction: Direction) -> Option<OnWafer<L1Line>> {
        let border = self.local.border();
        if direction == border {
            self.far_line()
        } else if direction == border.opposite() {
            Some(self.local.line().on(self.hicann))
        } else {
            None
        }
    }
}

impl OnWafer<SendingRepeaterOnHicann> {
    /// The line on which the events of the sending repeater start when it sends to a side: to the
    /// right its own line, to the left the line of the western chip (topology §4.1).
    pub fn injects_to(self, side: Side) -> Option<OnWafer<L1Line>> {
        L1Repeater::H(self.local.repeater()).on(self.hicann).transmits_to(side.direction())
    }
}

impl Direction {
    /// The side of a horizontal repeater that means this direction.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::West => Some(Side::Left),
            Self::East => Some(Side::Right),
            Self::North | Self::South => None,
        }
    }

    /// The edge of a vertical repeater that means this direction.
    pub const fn vertical(self) -> Option<Vertical> {
        match self {
            Self::North => Some(Vertical::Top),
            Self::South => Some(Vertical::Bottom),
            Self::East | Self::West => None,
        }
    }
}

impl Side {
    /// West for left, east for right.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Left => Direction::West,
            Self::Right => Direction::East,
        }
    }
}

impl Vertical {
    /// North for top, south for bottom.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Top => Direction::North,
            Self::Bottom => Direction::South,
        }
    }
}

impl HicannOnWafer {
    /// The next chip in a direction; none at the rim.
    pub fn neighbour(self, direction: Direction) -> Option<Self> {
        match direction {
            Direction::North => self.north(),
            Direction::East => self.east(),
            Direction::South => self.south(),
            Direction::West => self.west(),
        }
    }
}

/// All lines of the wafer as a graph: 122,880 vertices, 309,248 edges. The number of a vertex is
/// the index of its line.
pub fn graph() -> UnGraph<OnWafer<L1Line>, L1Joint> {
    let lines = OnWafer::<L1Line>::all();
    let mut graph = UnGraph::with_capacity(lines.len(), 309_248);
    for line in lines.clone() {
        graph.add_node(line);
    }
    for line in lines {
        for (other, joint) in line.neighbours().filter(|(other, _)| line < *other) {
            graph.add_edge(NodeIndex::new(line.index()), NodeIndex::new(other.index()), joint);
        }
    }
    graph
}
