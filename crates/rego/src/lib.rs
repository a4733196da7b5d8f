//! Rego as Gatekeeper runs it: template text → program → violations.
