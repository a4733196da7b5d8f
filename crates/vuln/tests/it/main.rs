//! Outside truth: upstream's version tables and the laws that every order obeys.
mod order;
