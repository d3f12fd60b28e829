//! What is recorded, and how it is read.

use super::block::Piece;
use super::model::Variable;
use super::{CurrentId, Engine, PopulationId, ReferenceError, blocks_mut};

/// Samples of a state variable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    /// Members of the population, ascending.
    pub members: Vec<u32>,
    /// Time of the first sample, ms.
    pub start_ms: f64,
    /// One row per sample, one value per member; NaN before a member was recorded.
    pub samples: Vec<f64>,
}

/// A request to record that the blocks do not know yet.
#[derive(Debug)]
pub(super) struct Wish {
    population: usize,
    variable: Variable,
    members: Vec<u32>,
    every: u64,
}

impl Engine {
    fn check_members(&self, id: PopulationId, members: &[u32]) -> Result<(), ReferenceError> {
        let size = self.populations[id.0].size;
        match members.iter().position(|&m| m as usize >= size) {
            None => Ok(()),
            Some(index) => {
                let what = "not in the population";
                Err(ReferenceError::NoSuchMember { index, member: members[index], what })
            }
        }
    }

    /// Records the spikes of members of a population from now on.
    pub fn record_spikes(
        &mut self,
        id: PopulationId,
        members: &[u32],
    ) -> Result<(), ReferenceError> {
        self.check_members(id, members)?;
        for &member in members {
            self.populations[id.0].recorded[member as usize] = true;
        }
        Ok(())
    }

    /// Records a state variable of members of a population from now on, every so many steps.
    pub fn record(
        &mut self,
        id: PopulationId,
        variable: Variable,
        members: &[u32],
        every: u64,
    ) -> Result<(), ReferenceError> {
        self.check_members(id, members)?;
        let model = self.populations[id.0].model;
        if !model.states().iter().any(|state| state.0 == variable) {
            return Err(ReferenceError::Unknown { model, name: format!("{variable:?}") });
        }
        let wish = Wish { population: id.0, variable, members: members.to_vec(), every };
        self.stale.wishes.push(wish);
        Ok(())
    }

    /// Gives the blocks what is to be recorded.
    pub(super) fn refresh_wishes(&mut self) {
        for wish in std::mem::take(&mut self.stale.wishes) {
            for block in blocks_mut(&mut self.parts).filter(|b| b.population == wish.population) {
                let range = block.first as u32..(block.first + block.cells) as u32;
                let some = wish.members.iter().filter(|m| range.contains(m));
                let mut cells: Vec<u16> = some.map(|m| (m - range.start) as u16).collect();
                cells.sort_unstable();
                cells.dedup();
                if !cells.is_empty() {
                    block.pieces.push(Piece {
                        variable: wish.variable,
                        cells,
                        every: wish.every.max(1),
                        first: None,
                        samples: Vec::new(),
                    });
                }
            }
        }
    }

    /// Nothing of a population is recorded any more; its data are gone.
    pub fn record_nothing(&mut self, id: PopulationId) {
        let population = &mut self.populations[id.0];
        population.recorded.fill(false);
        population.spikes.clear();
        self.stale.wishes.retain(|wish| wish.population != id.0);
        for block in blocks_mut(&mut self.parts).filter(|b| b.population == id.0) {
            block.pieces.clear();
        }
    }

    /// Forgets the data of a population; recording goes on.
    pub fn clear_data(&mut self, id: PopulationId) {
        self.populations[id.0].spikes.clear();
        for block in blocks_mut(&mut self.parts).filter(|b| b.population == id.0) {
            for piece in &mut block.pieces {
                piece.first = None;
                piece.samples.clear();
            }
        }
    }

    /// Recorded spikes of a population, by time: members, and times in ms.
    pub fn spikes(&self, id: PopulationId) -> Result<(Vec<u32>, Vec<f64>), ReferenceError> {
        Ok(self.populations[id.0].spikes.iter().copied().unzip())
    }

    /// Recorded samples of a state variable.
    pub fn signal(&self, id: PopulationId, variable: Variable) -> Signal {
        let mine = self.blocks().filter(|b| b.population == id.0);
        let pieces: Vec<(usize, &Piece)> = mine
            .flat_map(|b| b.pieces.iter().map(|p| (b.first, p)))
            .filter(|(_, piece)| piece.variable == variable && piece.first.is_some())
            .collect();
        let first = pieces.iter().filter_map(|(_, p)| p.first).min();
        let (Some(first), Some((_, any))) = (first, pieces.first()) else {
            return Signal::default();
        };
        let every = any.every;
        let mut members: Vec<u32> = pieces
            .iter()
            .flat_map(|(offset, p)| p.cells.iter().map(|&c| *offset as u32 + u32::from(c)))
            .collect();
        members.sort_unstable();
        members.dedup();
        let rows = ((self.now - first) / every + 1) as usize;
        let mut samples = vec![f64::NAN; rows * members.len()];
        for (offset, piece) in pieces {
            let columns: Vec<usize> = piece
                .cells
                .iter()
                .map(|&c| members.partition_point(|&m| m < offset as u32 + u32::from(c)))
                .collect();
            let skip = ((piece.first.unwrap_or(first) - first) / every) as usize;
            for (row, values) in piece.samples.chunks_exact(columns.len()).enumerate() {
                let row = &mut samples[(skip + row) * members.len()..][..members.len()];
                for (&column, value) in columns.iter().zip(values) {
                    row[column] = *value;
                }
            }
        }
        Signal { members, start_ms: first as f64 * self.settings.step_ms, samples }
    }

    /// Records the amplitudes of a current source from now on.
    pub fn record_current(&mut self, id: CurrentId) {
        self.currents[id.0].recorded.get_or_insert_default();
    }

    /// Recorded amplitudes, nA, at each step.
    pub fn recorded_current(&self, id: CurrentId) -> &[f64] {
        self.currents[id.0].recorded.as_deref().unwrap_or_default()
    }
}
