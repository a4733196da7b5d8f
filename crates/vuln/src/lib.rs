//! vuln
