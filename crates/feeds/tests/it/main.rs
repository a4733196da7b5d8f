//! Feeds as published, feeds that are damaged, and a server to update from.
mod damaged;
mod inventory;
mod real;
mod served;
