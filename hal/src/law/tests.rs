//! The law against figures of the original's tests and against its own inverse.
