//! `--record`: every event as one line of JSON, which `replay --events` decides on as the sensor did.
use seawall_model::event::Event;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Lines reach the file at the latest after this.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// A recording under way. Arguments are masked before they get here.
pub struct Recorder {
    file: BufWriter<File>,
    flushed: Instant,
    lines: u64,
}

impl Recorder {
    /// Begins a new recording; replaces an older one. Readable for its owner alone, for it names files and arguments.
    pub fn create(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file: BufWriter::new(file), flushed: Instant::now(), lines: 0 })
    }

    /// Appends one event. After an error (a full disk) the recording is incomplete and should end.
    pub fn add(&mut self, event: &Event) -> io::Result<()> {
        let line = serde_json::Value::Object(seawall_rules::record(event));
        writeln!(self.file, "{line}")?;
        self.lines += 1;
        if self.flushed.elapsed() > FLUSH_EVERY {
            self.flushed = Instant::now();
            self.file.flush()?;
        }
        Ok(())
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Writes out what is buffered.
    pub fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        Ok(self.lines)
    }
}
