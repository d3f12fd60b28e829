//! Commands of the synapse controllers and the time they take (hal-config §2.9 to §2.11).
//!
//! A controller has no back pressure. Software passes the time of a command with harmless writes
//! of the configuration register, the guards; a packet takes two chip clocks at least.

use super::bus::{Refusal, Unit, UnitWriter, Writer};
use super::synapse_array::{ColumnSet, SynIn};
use super::synapse_controller::{
    CONFIGURATION, CONTROL, NEW_COMMAND, ROW_SHIFT, SEL_SHIFT, SYNIN, SYNOUT, configuration,
    control, row_of,
};
use crate::config::{Plasticity, SynapseArrays, SynapseController};
use crate::coord::{SynapseArrayOnHicann, SynapseRowOnArray, SynapseRowOnHicann};

/// Chip clocks that a packet takes at least.
pub(super) const PACKET_CLOCKS: u32 = 2;

/// What a controller is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Idle = 0,
    Read = 1,
    OpenDecoders = 2,
    Write = 3,
    Automatic = 4,
    WriteDecoders = 5,
    ReadDecoders = 6,
    Open = 7,
    Close = 9,
    ResetCorrelation = 10,
}

impl Command {
    const ALL: [Self; 10] = [
        Self::Idle,
        Self::Read,
        Self::OpenDecoders,
        Self::Write,
        Self::Automatic,
        Self::WriteDecoders,
        Self::ReadDecoders,
        Self::Open,
        Self::Close,
        Self::ResetCorrelation,
    ];

    /// The command in a control word.
    fn of(data: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|command| *command as u32 == data & 0xf)
    }

    /// Chip clocks until the next command may come.
    fn clocks(self, c: &SynapseController) -> u32 {
        (match self {
            Self::Idle | Self::Automatic => 0,
            Self::Open | Self::OpenDecoders => {
                c.setup_precharge.index() + c.enable_delay.index() + 4
            }
            Self::Read | Self::ReadDecoders => c.output_delay.index() + 3,
            Self::Write | Self::WriteDecoders => c.write_delay.index() + 4,
            Self::Close => 3,
            Self::ResetCorrelation => c.output_delay.index() + 6,
        }) as u32
    }
}

/// Chip clocks that a controller needs to update the weights of a row: it opens the row, reads and
/// writes its eight sets of columns, and closes it (hal-config §1.6).
pub fn row_update_clocks(controller: &SynapseController) -> u32 {
    let set = Command::Read.clocks(controller) + Command::Write.clocks(controller);
    let row = Command::Open.clocks(controller) + Command::Close.clocks(controller);
    row + super::synapse_array::COLUMN_SETS as u32 * set
}

/// Passes time by writing what the configuration register holds anyway.
#[derive(Clone, Copy)]
pub(super) struct Guard {
    configuration: u32,
}

impl Guard {
    /// Guards for a controller whose delay-locked loops are as configured or held in reset.
    pub(super) fn new(controller: &SynapseController, hold_dll: bool) -> Self {
        Self { configuration: configuration(controller, hold_dll) }
    }

    /// Passes some clocks.
    pub(super) fn wait(self, clocks: u32, unit: &mut UnitWriter<'_>) {
        let packets = clocks.div_ceil(PACKET_CLOCKS);
        (0..packets).for_each(|_| unit.write(CONFIGURATION, self.configuration));
    }
}

/// Sends commands to one controller.
pub(super) struct Commands<'a> {
    array: SynapseArrayOnHicann,
    controller: &'a SynapseController,
    unit: UnitWriter<'a>,
    guard: Guard,
}

impl<'a> Commands<'a> {
    /// Commands to a controller whose configuration register holds `present`; it is set before the
    /// first command if it has to change.
    pub(super) fn new(
        array: SynapseArrayOnHicann,
        controller: &'a SynapseController,
        guard: Guard,
        present: Option<Guard>,
        w: &'a mut Writer<'_>,
    ) -> Self {
        let mut unit = w.unit(Unit::Synapse(array));
        if present.is_none_or(|present| present.configuration != guard.configuration) {
            unit.write(CONFIGURATION, guard.configuration);
        }
        Self { array, controller, unit, guard }
    }

    fn command(&mut self, command: Command, row: SynapseRowOnArray, set: ColumnSet) {
        let plasticity: &Plasticity = &self.controller.plasticity;
        let sel = (set as u32) << SEL_SHIFT;
        let word = control(self.array, plasticity, row) | sel | NEW_COMMAND | command as u32;
        self.unit.write(CONTROL, word);
        self.guard.wait(command.clocks(self.controller), &mut self.unit);
    }

    /// Writes 32 columns of a row.
    pub(super) fn write(
        &mut self,
        command: Command,
        row: SynapseRowOnArray,
        set: ColumnSet,
        data: SynIn,
    ) {
        for (i, word) in data.into_iter().enumerate() {
            self.unit.write(SYNIN + i as u16, word);
        }
        self.command(command, row, set);
    }

    /// Reads all columns of a row: eight times four words.
    pub(super) fn read(&mut self, open: Command, read: Command, row: SynapseRowOnArray) {
        self.command(open, row, 0);
        for set in 0..super::synapse_array::COLUMN_SETS {
            self.command(read, row, set);
            (0..4).for_each(|i| self.unit.read(SYNOUT + i));
        }
        self.command(Command::Close, row, 0);
    }
}

/// Bit of the status register that tells of automatic updates.
pub(super) const AUTO_BUSY: u32 = 2;
const DRIVERS_BUSY: u32 = 1 << 0;
const ARRAY_BUSY: u32 = 1 << 1;

const TOO_EARLY: Refusal = "this came while the controller was busy; put guards before it";

/// The part of a controller that executes commands. Times are chip clocks.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequencer {
    /// The control register as it was written.
    pub(super) control: u32,
    /// The registers SYNIN.
    pub(super) input: SynIn,
    /// The registers SYNOUT.
    pub(super) output: SynIn,
    /// The row that is open for reading, and whether for its decoders.
    open: Option<(SynapseRowOnHicann, bool)>,
    /// When the last command is done.
    ready: u64,
    /// When the memory of the drivers is ready.
    drivers_ready: u64,
    /// What the memory of the drivers delivered last.
    fetched: u32,
}

impl Sequencer {
    /// Busy bits of the status register without the one for automatic updates.
    pub(super) fn status(&self, now: u64) -> u32 {
        let drivers = if now < self.drivers_ready { DRIVERS_BUSY } else { 0 };
        drivers | if now < self.ready { ARRAY_BUSY } else { 0 }
    }

    /// Writes an input register.
    pub(super) fn write_input(&mut self, i: usize, data: u32, now: u64) -> Result<(), Refusal> {
        if now < self.ready {
            return Err(TOO_EARLY);
        }
        self.input[i] = data;
        Ok(())
    }

    /// Executes a control word.
    pub(super) fn execute(
        &mut self,
        controller: &SynapseController,
        synapses: &mut SynapseArrays,
        array: SynapseArrayOnHicann,
        data: u32,
        now: u64,
    ) -> Result<(), Refusal> {
        if data & NEW_COMMAND != 0 {
            if now < self.ready {
                return Err(TOO_EARLY);
            }
            let command = Command::of(data).ok_or("no command of the synapse controller")?;
            let row = row_of(array, data >> ROW_SHIFT & 0xff);
            let row =
                SynapseRowOnHicann::from_array(array, row.ok_or("a command for a row above 223")?);
            let set = (data >> SEL_SHIFT & 7) as ColumnSet;
            match command {
                Command::Write => synapses.write_weights(row, set, &self.input),
                Command::WriteDecoders => synapses.write_decoders(row, set, &self.input),
                Command::Open => self.open = Some((row, false)),
                Command::OpenDecoders => self.open = Some((row, true)),
                Command::Read | Command::ReadDecoders => {
                    let (row, decoders) = self.open.ok_or("a read of a row that is not open")?;
                    self.output = match (decoders, command == Command::ReadDecoders) {
                        (false, false) => synapses.weights_of(row, set),
                        (true, true) => synapses.decoders_of(row, set),
                        _ => return Err("the row was opened for the other kind of read"),
                    };
                }
                Command::Close => self.open = None,
                Command::Idle | Command::Automatic | Command::ResetCorrelation => {}
            }
            self.ready = now + u64::from(command.clocks(controller));
        }
        self.control = data;
        Ok(())
    }

    /// Keeps the memory of the drivers busy for some clocks.
    pub(super) fn occupy_drivers(&mut self, clocks: u32, now: u64) -> Result<(), Refusal> {
        if now < self.drivers_ready {
            return Err(TOO_EARLY);
        }
        self.drivers_ready = now + u64::from(clocks);
        Ok(())
    }

    /// A read of the drivers: it delivers what the read before it has fetched.
    pub(super) fn fetch(&mut self, data: u32) -> u32 {
        std::mem::replace(&mut self.fetched, data)
    }
}
