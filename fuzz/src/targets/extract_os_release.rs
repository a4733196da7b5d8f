//! os-release(5).
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-os-release", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("os-release", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=Debian\nVERSION_ID=\"12\"\nID=debian\n",
        "# comment\nID='alpine'\nVERSION_ID=3.19.1\nPRETTY_NAME=\"a \\\"quoted\\\" \\$name \\\\ \\`\"\n",
        "ID=\nVERSION_ID\n=x\nID=\"open",
    ])
}
