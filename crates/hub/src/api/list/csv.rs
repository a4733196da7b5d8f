//! Comma-separated values. Source: RFC 4180.
use serde_json::Value;

pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One record. A text that a spreadsheet would run as a formula gets an apostrophe before it.
pub(super) fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (position, cell) in cells.enumerate() {
        if position > 0 {
            line.push(',');
        }
        let is_number = cell.parse::<f64>().is_ok();
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
        let cell = if formula { format!("'{cell}") } else { cell };
        if cell.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_csv(cells: &[&str], expected: &str) {
        assert_eq!(line(cells.iter().map(|&cell| cell.to_owned())), expected);
    }

    #[test]
    fn csv_cells_are_quoted_and_never_formulas() {
        check_csv(&["a", "b"], "a,b\r\n");
        check_csv(&["a,b", "say \"x\"", "l\nm"], "\"a,b\",\"say \"\"x\"\"\",\"l\nm\"\r\n");
        check_csv(&["=1+2", "@x", "-x", "-1.5"], "'=1+2,'@x,'-x,-1.5\r\n");
        check_csv(&["", ""], ",\r\n");
    }
}
