//! What commands print: one JSON document, or text in aligned columns. Results to standard output only.

use super::FAILED;
use crate::http::shape::Problem;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// How results are printed.
pub(super) struct Output {
    json: bool,
}

impl Output {
    /// JSON or text.
    pub(super) fn new(json: bool) -> Self {
        Output { json }
    }

    /// Prints `value` as JSON, or as the text that `text` makes of it.
    pub(super) fn show<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Problem> {
        let shown = if self.json {
            serde_json::to_string_pretty(value).map_err(|error| {
                Problem::new(FAILED, format!("the result could not be shown: {error}"))
            })?
        } else {
            text(value)
        };
        print(shown.trim_end())
    }
}

fn print(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough, as with `| head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Problem::new(
            FAILED,
            format!("writing to standard output failed: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

/// Rows in columns of equal width, two spaces apart.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(widest) => *widest = (*widest).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_line_up_and_end_without_spaces() {
        let rows = [
            vec!["NAME".to_owned(), "SIZE".to_owned()],
            vec!["größer".to_owned(), "1".to_owned()],
        ];
        assert_eq!(columns(&rows), "NAME    SIZE\ngrößer  1\n");
    }
}
