//! Many points of an experiment on one mapping: lists of values for parameters that change nothing but
//! weights and inputs.

use super::{Experiment, balanced};
use crate::parameter::{ParameterError, Parameters, Value};

/// The points of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Swept parameters with their values, in the order of the experiment; single values too.
    pub axes: Vec<(&'static str, Vec<f64>)>,
    /// Every combination; the first axis changes last.
    pub points: Vec<Parameters>,
}

impl Sweep {
    /// The points that settings ask for; one if none of them is a list.
    pub fn new(experiment: &Experiment, settings: &[String]) -> Result<Self, ParameterError> {
        let mut points = vec![experiment.defaults()];
        for setting in settings {
            let Some((key, values)) = setting.split_once('=').filter(|(_, v)| v.contains(','))
            else {
                points.iter_mut().try_for_each(|point| point.set(setting))?;
                continue;
            };
            if experiment.parameters.iter().any(|p| p.name == key)
                && !experiment.swept.contains(&key)
            {
                let swept = match experiment.swept {
                    [] => "no parameter of this experiment".to_owned(),
                    swept => swept.join(", "),
                };
                return Err(ParameterError::NotSwept { key: key.to_owned(), swept });
            }
            // a list that is given again replaces the one before, as single values do
            let mut lists: Vec<Parameters> = Vec::new();
            for point in &points {
                for value in values.split(',') {
                    let mut point = point.clone();
                    point.set(&format!("{key}={}", value.trim()))?;
                    if !lists.contains(&point) {
                        lists.push(point);
                    }
                }
            }
            points = lists;
        }
        let value = |point: &Parameters, name: &&'static str| point.real(name);
        let axes: Vec<(&'static str, Vec<f64>)> = experiment
            .swept
            .iter()
            .map(|name| {
                let mut values: Vec<f64> = points.iter().map(|point| value(point, name)).collect();
                values.sort_by(f64::total_cmp);
                values.dedup();
                (*name, values)
            })
            .collect();
        // from the least inputs to the most, and for equal inputs from weak to strong inhibition
        points.sort_by(|a, b| {
            let of = |point| axes.iter().rev().map(move |(name, _)| value(point, name));
            let differ = of(a).zip(of(b)).map(|(a, b)| a.total_cmp(&b));
            differ.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        if points.len() > 1 && experiment.parameters.iter().any(|p| p.name == "readout") {
            points.iter_mut().for_each(balanced::choose_readout);
        }
        Ok(Self { axes, points })
    }

    /// The parameters to map with: most inputs, whose rates the links have to carry, and the isolation
    /// that any of the points asks for.
    pub fn mapped(&self) -> Option<Parameters> {
        let mut mapped = self.points.last()?.clone();
        if self.points.iter().any(|point| point.is("readout", "isolated")) {
            mapped.put("readout", Value::Word("isolated"));
        }
        Some(mapped)
    }

    /// Name of a point among the others: the values of the axes along which they differ.
    pub fn name(&self, point: &Parameters) -> String {
        let differ = self.axes.iter().filter(|(_, values)| values.len() > 1);
        differ.map(|(name, _)| format!("{name}{}", point.real(name))).collect::<Vec<_>>().join("-")
    }
}
