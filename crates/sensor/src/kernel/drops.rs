//! Records that did not arrive, by class. Nothing is lost without being counted here.
use aya::maps::{MapData, PerCpuArray};
use seawall_model::asset::Dropped;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The kernel's classes in the order of `enum drop_class` in `bpf/record.h`; `None` are counts that are no loss.
const KERNEL_CLASSES: [Option<&str>; 7] = [
    Some("ring:priority"),
    Some("ring:data"),
    Some("budget:container"),
    Some("state:processes"),
    Some("args:unreadable"),
    None,
    None,
];
/// Indexes of the counts that are no loss.
const DUPLICATE: u32 = 5;
const FILTERED: u32 = 6;

/// Counters the kernel programs raise.
pub(crate) struct KernelCounters(PerCpuArray<MapData, u64>);

impl KernelCounters {
    pub(crate) fn new(map: PerCpuArray<MapData, u64>) -> Self {
        Self(map)
    }

    fn sum(&self, index: u32) -> u64 {
        self.0.get(&index, 0).map_or(0, |values| values.iter().sum())
    }

    /// Losses by class, since the programs were loaded.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        (0..).zip(KERNEL_CLASSES).filter_map(|(index, class)| Some((class?, self.sum(index))))
    }

    /// Opens left out on purpose: repeats within a second, and reads of unwatched paths.
    pub(crate) fn left_out(&self) -> (u64, u64) {
        (self.sum(DUPLICATE), self.sum(FILTERED))
    }
}

/// All losses of one sensor run. Owned by the sensor, raised by the pipeline, read by whoever reports.
#[derive(Debug, Default)]
pub(crate) struct Losses(Mutex<BTreeMap<&'static str, u64>>);

impl Losses {
    pub(crate) fn add(&self, class: &'static str, count: u64) {
        if count > 0 {
            *self.lock().entry(class).or_default() += count;
        }
    }

    /// Takes over an absolute count kept elsewhere.
    pub(crate) fn set(&self, class: &'static str, count: u64) {
        if count > 0 {
            self.lock().insert(class, count);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    pub(crate) fn by_class(&self) -> Vec<Dropped> {
        let dropped =
            |(class, count): (&&str, &u64)| Dropped { class: (*class).to_owned(), count: *count };
        self.lock().iter().map(dropped).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
