//! Parameters of experiments and networks: names, ranges, defaults, and `KEY=VALUE` requests.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use thiserror::Error;

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// Real numbers, both ends included.
    Real(f64, f64),
    /// Whole numbers, both ends included.
    Whole(u32, u32),
    /// `auto`, or an even number, both ends included.
    AutoOrEven(u32, u32),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `auto`, or one of these words.
    AutoOr(&'static [&'static str]),
}

/// The value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A real number.
    Real(f64),
    /// A whole number.
    Whole(u32),
    /// One of the words of its domain.
    Word(&'static str),
    /// Left to the program.
    #[serde(serialize_with = "serialize_auto")]
    Auto,
}

fn serialize_auto<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("auto")
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(value) => value.fmt(f),
            Self::Whole(value) => value.fmt(f),
            Self::Word(word) => f.write_str(word),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(low, high) => write!(f, "{low}..={high}"),
            Self::Whole(low, high) => write!(f, "whole numbers {low}..={high}"),
            Self::AutoOrEven(low, high) => write!(f, "auto or even numbers {low}..={high}"),
            Self::OneOf(words) => f.write_str(&words.join(" or ")),
            Self::AutoOr(words) => write!(f, "auto or {}", words.join(" or ")),
        }
    }
}

impl Domain {
    fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Real(low, high) => {
                let value = text.parse::<f64>().ok()?;
                (low..=high).contains(&value).then_some(Value::Real(value))
            }
            Self::Whole(low, high) => {
                let value = text.parse::<u32>().ok()?;
                (low..=high).contains(&value).then_some(Value::Whole(value))
            }
            Self::AutoOrEven(..) | Self::AutoOr(_) if text == "auto" => Some(Value::Auto),
            Self::AutoOrEven(low, high) => {
                let value = text.parse::<u32>().ok()?;
                let valid = (low..=high).contains(&value) && value.is_multiple_of(2);
                valid.then_some(Value::Whole(value))
            }
            Self::OneOf(words) | Self::AutoOr(words) => {
                words.iter().find(|w| **w == text).map(|w| Value::Word(w))
            }
        }
    }
}

/// One parameter of an experiment or a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// Value unless set.
    pub default: Value,
    /// Values it takes.
    pub domain: Domain,
    /// Unit, empty for pure numbers.
    pub unit: &'static str,
    /// One line of explanation.
    pub meaning: &'static str,
}

/// A request for an experiment or a network that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// There is no such experiment.
    #[error("unknown experiment `{name}`; known are: {known}")]
    UnknownExperiment {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is no such network.
    #[error("unknown network `{name}`; known are: {known}")]
    UnknownNetwork {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is no such parameter.
    #[error("unknown parameter `{key}`; known are: {known}")]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// What there is.
        known: String,
    },
    /// A setting does not have the form `KEY=VALUE`.
    #[error("`{text}` is not a setting; write KEY=VALUE, like `{example}`")]
    NotASetting {
        /// What was given.
        text: String,
        /// A setting that would do.
        example: String,
    },
    /// A list for a parameter that shapes the mapping.
    #[error("{key} takes one value; lists leave the mapping as it is and are for {swept}")]
    NotSwept {
        /// The parameter.
        key: String,
        /// Parameters that take lists.
        swept: String,
    },
    /// The value is no number or out of range.
    #[error("{key}={value} is not possible; {key} takes {range}")]
    BadValue {
        /// The parameter.
        key: String,
        /// What was given.
        value: String,
        /// What it takes, with unit.
        range: String,
    },
}

/// The values of all parameters of an experiment or a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    declared: &'static [Parameter],
    values: BTreeMap<&'static str, Value>,
}

impl Parameters {
    pub(crate) fn defaults(declared: &'static [Parameter]) -> Self {
        Self { declared, values: declared.iter().map(|p| (p.name, p.default)).collect() }
    }

    /// Sets one parameter from `KEY=VALUE`.
    pub fn set(&mut self, setting: &str) -> Result<(), ParameterError> {
        let (key, value) = setting.split_once('=').ok_or_else(|| {
            let first = self.declared.first();
            let example = first.map(|p| format!("{}={}", p.name, p.default)).unwrap_or_default();
            ParameterError::NotASetting { text: setting.to_owned(), example }
        })?;
        let parameter = self.declared.iter().find(|p| p.name == key).ok_or_else(|| {
            let known = self.declared.iter().map(|p| p.name).collect::<Vec<_>>().join(", ");
            ParameterError::UnknownKey { key: key.to_owned(), known }
        })?;
        let parsed = parameter.domain.parse(value).ok_or_else(|| ParameterError::BadValue {
            key: key.to_owned(),
            value: value.to_owned(),
            range: format!("{} {}", parameter.domain, parameter.unit).trim_end().to_owned(),
        })?;
        self.values.insert(parameter.name, parsed);
        Ok(())
    }

    /// Gives a declared parameter a value of its domain.
    pub(crate) fn put(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    /// Names and values, sorted by name.
    pub fn values(&self) -> &BTreeMap<&'static str, Value> {
        &self.values
    }

    /// A number; for whole numbers too.
    pub(crate) fn real(&self, name: &str) -> f64 {
        match self.values[name] {
            Value::Real(value) => value,
            Value::Whole(value) => f64::from(value),
            Value::Word(_) | Value::Auto => f64::NAN,
        }
    }

    /// A whole number, none for `auto`.
    pub(crate) fn whole(&self, name: &str) -> Option<u32> {
        match self.values[name] {
            Value::Whole(value) => Some(value),
            Value::Real(_) | Value::Word(_) | Value::Auto => None,
        }
    }

    /// Whether there is such a parameter and has this word as its value.
    pub(crate) fn is(&self, name: &str, word: &'static str) -> bool {
        self.values.get(name) == Some(&Value::Word(word))
    }
}
