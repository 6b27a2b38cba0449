//! Prepared statements: kept as text, executed by writing the parameters into it.

use std::collections::HashMap;
use std::fmt::Write;

use super::refusals;
use super::wire::{Malformed, Reader};
use crate::SqlError;

/// Prepared statements one connection may keep.
pub(crate) const MOST_STATEMENTS: usize = 1024;

/// Bytes of text all prepared statements of one connection may have together.
const MOST_TEXT: usize = 16 * 1024 * 1024;

#[derive(Debug)]
struct Prepared {
    text: String,
    /// Where its question marks are.
    marks: Vec<usize>,
    /// The types of the last execution: a client may leave them out the next time.
    types: Vec<ParameterType>,
    /// Whether parts of a parameter came ahead of the execution, which is not served.
    has_long_data: bool,
}

#[derive(Debug, Clone, Copy)]
struct ParameterType {
    code: u8,
    unsigned: bool,
}

/// The prepared statements of one connection.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    prepared: HashMap<u32, Prepared>,
    last: u32,
    text: usize,
}

impl Statements {
    /// Keeps a statement that the cluster has accepted, and gives its number.
    pub(crate) fn keep(&mut self, text: String, parameters: u16) -> Result<u32, SqlError> {
        let marks = question_marks(&text);
        if marks.len() != usize::from(parameters) {
            return Err(refusals::wrong_arguments("COM_STMT_PREPARE"));
        }
        if self.prepared.len() >= MOST_STATEMENTS || self.text + text.len() > MOST_TEXT {
            return Err(refusals::too_many_statements(MOST_STATEMENTS));
        }
        self.last = self.last.wrapping_add(1);
        self.text += text.len();
        let prepared = Prepared {
            text,
            marks,
            types: Vec::new(),
            has_long_data: false,
        };
        self.prepared.insert(self.last, prepared);
        Ok(self.last)
    }

    /// `COM_STMT_CLOSE`.
    pub(crate) fn close(&mut self, body: &[u8]) {
        if let Ok(number) = Reader::new(body).four_bytes()
            && let Some(closed) = self.prepared.remove(&number)
        {
            self.text -= closed.text.len();
        }
    }

    /// `COM_STMT_SEND_LONG_DATA`, which has no answer; the execution is refused.
    pub(crate) fn long_data(&mut self, body: &[u8]) {
        if let Ok(number) = Reader::new(body).four_bytes()
            && let Some(prepared) = self.prepared.get_mut(&number)
        {
            prepared.has_long_data = true;
        }
    }

    /// `COM_STMT_RESET`.
    pub(crate) fn reset(&mut self, body: &[u8]) -> Result<(), SqlError> {
        self.named(&mut Reader::new(body), "mysqld_stmt_reset")?
            .has_long_data = false;
        Ok(())
    }

    /// `COM_STMT_EXECUTE`: the text to run.
    pub(crate) fn filled_in(&mut self, body: &[u8]) -> Result<String, SqlError> {
        let mut reader = Reader::new(body);
        let prepared = self.named(&mut reader, "mysqld_stmt_execute")?;
        if prepared.has_long_data {
            return Err(refusals::not_supported("parameters in pieces"));
        }
        let wrong = |Malformed| refusals::wrong_arguments("mysqld_stmt_execute");
        // The kind of cursor, and how many times, which is always once.
        reader.take(1 + 4).map_err(wrong)?;
        if prepared.marks.is_empty() {
            return Ok(prepared.text.clone());
        }
        let count = prepared.marks.len();
        let nulls = reader.take(count.div_ceil(8)).map_err(wrong)?;
        if reader.byte().map_err(wrong)? == 1 {
            let types = reader.take(2 * count).map_err(wrong)?;
            prepared.types = types
                .chunks_exact(2)
                .map(|pair| ParameterType {
                    code: pair[0],
                    unsigned: pair[1] & 0x80 != 0,
                })
                .collect();
        }
        if prepared.types.len() != count {
            return Err(wrong(Malformed));
        }
        let mut filled = String::with_capacity(prepared.text.len() + 16 * count);
        let mut copied = 0;
        for (index, mark) in prepared.marks.iter().enumerate() {
            filled.push_str(&prepared.text[copied..*mark]);
            copied = mark + 1;
            if nulls[index / 8] & (1 << (index % 8)) == 0 {
                write_parameter(&mut filled, &mut reader, prepared.types[index])?;
            } else {
                filled.push_str("NULL");
            }
        }
        filled.push_str(&prepared.text[copied..]);
        Ok(filled)
    }

    fn named(&mut self, reader: &mut Reader<'_>, command: &str) -> Result<&mut Prepared, SqlError> {
        let number = reader
            .four_bytes()
            .map_err(|_| refusals::wrong_arguments(command))?;
        self.prepared
            .get_mut(&number)
            .ok_or_else(|| refusals::unknown_statement(number, command))
    }
}

/// Appends the next parameter as a literal.
fn write_parameter(
    filled: &mut String,
    reader: &mut Reader<'_>,
    kind: ParameterType,
) -> Result<(), SqlError> {
    let wrong = |Malformed| refusals::wrong_arguments("mysqld_stmt_execute");
    let whole = match kind.code {
        0x01 => reader
            .byte()
            .map(|value| (value.into(), i64::from(value as i8))),
        0x02 | 0x0d => reader
            .two_bytes()
            .map(|value| (value.into(), i64::from(value as i16))),
        0x03 | 0x09 => reader
            .four_bytes()
            .map(|value| (value.into(), i64::from(value as i32))),
        0x08 => reader.eight_bytes().map(|value| (value, value as i64)),
        0x04 => {
            let value = f32::from_bits(reader.four_bytes().map_err(wrong)?);
            return write_real(filled, value.into());
        }
        0x05 => {
            let value = f64::from_bits(reader.eight_bytes().map_err(wrong)?);
            return write_real(filled, value);
        }
        0x06 => {
            filled.push_str("NULL");
            return Ok(());
        }
        // Decimals and all kinds of strings.
        0x00 | 0x0f | 0x10 | 0xf5..=0xfe => {
            let bytes = reader.sized_string().map_err(wrong)?;
            let text = std::str::from_utf8(bytes).map_err(|_| refusals::not_text())?;
            write_string(filled, text);
            return Ok(());
        }
        _ => return Err(refusals::not_supported("parameters of this type")),
    };
    let (unsigned, signed): (u64, i64) = whole.map_err(wrong)?;
    // Writing to a string does not fail.
    let _ = if kind.unsigned {
        write!(filled, "{unsigned}")
    } else {
        write!(filled, "{signed}")
    };
    Ok(())
}

fn write_real(filled: &mut String, value: f64) -> Result<(), SqlError> {
    if !value.is_finite() {
        return Err(refusals::wrong_arguments("mysqld_stmt_execute"));
    }
    // Writing to a string does not fail.
    let _ = write!(filled, "{value:?}");
    Ok(())
}

fn write_string(filled: &mut String, text: &str) {
    filled.push('\'');
    for character in text.chars() {
        match character {
            '\'' => filled.push_str("''"),
            '\\' => filled.push_str("\\\\"),
            '\0' => filled.push_str("\\0"),
            _ => filled.push(character),
        }
    }
    filled.push('\'');
}

/// Where the question marks are that stand for parameters: not in strings, quoted names or comments.
fn question_marks(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        at += match byte {
            b'?' => {
                marks.push(at);
                1
            }
            b'\'' | b'"' | b'`' => quoted(rest),
            b'#' => up_to(rest, b"\n"),
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                up_to(rest, b"\n")
            }
            b'/' if rest.starts_with(b"/*") => 2 + up_to(&rest[2..], b"*/"),
            _ => 1,
        };
    }
    marks
}

/// The length of the quoted text that `bytes` starts with, its quotes included.
fn quoted(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' if quote != b'`' => at += 2,
            // A doubled quote ends one text and begins the next, which comes to the same.
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length up to the end of the first `end`, or of everything.
fn up_to(bytes: &[u8], end: &[u8]) -> usize {
    bytes
        .windows(end.len())
        .position(|window| window == end)
        .map_or(bytes.len(), |found| found + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::wire::put_sized_string;
    use proptest::prelude::*;

    fn execution(number: u32, types: &[(u8, u8)], nulls: u8, values: &[u8]) -> Vec<u8> {
        let mut body = number.to_le_bytes().to_vec();
        body.extend([0, 1, 0, 0, 0, nulls, 1]);
        body.extend(types.iter().flat_map(|(code, flag)| [*code, *flag]));
        body.extend(values);
        body
    }

    #[test]
    fn marks_are_found_where_they_stand_for_parameters() {
        for (text, expected) in [
            ("SELECT ?, ?", 2),
            ("SELECT '?', \"?\", `?`, ?", 1),
            ("SELECT 'it''s ?', 'a\\'?', ? -- ?\n, ? # ?", 2),
            ("SELECT /* ? */ ? --? ", 2),
            ("SELECT 'open ?", 0),
            ("SELECT /* open ?", 0),
            ("SELECT 'é', ?", 1),
            ("SELECT 'ends\\", 0),
        ] {
            assert_eq!(question_marks(text).len(), expected, "{text}");
        }
    }

    #[test]
    fn parameters_are_written_into_the_text() {
        let mut statements = Statements::default();
        let number = statements.keep("SELECT ?, ?, ? + ?".to_owned(), 4).unwrap();
        let mut values = Vec::new();
        put_sized_string(&mut values, "o'ne \\ ?".as_bytes());
        values.extend((-5_i32).to_le_bytes());
        values.push(0xff);
        let types = [(0xfd, 0), (0x03, 0), (0x08, 0), (0x01, 0x80)];
        let filled = statements
            .filled_in(&execution(number, &types, 0b0100, &values))
            .unwrap();
        assert_eq!(filled, "SELECT 'o''ne \\\\ ?', -5, NULL + 255");
    }

    #[test]
    fn what_cannot_be_executed_is_refused() {
        let mut statements = Statements::default();
        assert_eq!(
            statements.keep("SELECT ?".to_owned(), 2).unwrap_err().code,
            1210
        );
        let number = statements.keep("SELECT ?".to_owned(), 1).unwrap();
        let code = |result: Result<String, SqlError>| result.unwrap_err().code;
        assert_eq!(code(statements.filled_in(&execution(9, &[], 0, &[]))), 1243);
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0x0c, 0)], 0, &[0]))),
            1235
        );
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0x08, 0)], 0, &[0]))),
            1210
        );
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0xfd, 0)], 0, &[1, 0xff]))),
            1300
        );
        let infinite = f64::INFINITY.to_le_bytes();
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0x05, 0)], 0, &infinite))),
            1210
        );
        statements.long_data(&number.to_le_bytes());
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0x01, 0)], 0, &[1]))),
            1235
        );
        statements.reset(&number.to_le_bytes()).unwrap();
        let filled = statements.filled_in(&execution(number, &[(0x01, 0)], 0, &[1]));
        assert_eq!(filled.unwrap(), "SELECT 1");
        statements.close(&number.to_le_bytes());
        assert_eq!(
            code(statements.filled_in(&execution(number, &[(0x01, 0)], 0, &[1]))),
            1243
        );
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut statements = Statements::default();
        for _ in 0..MOST_STATEMENTS {
            statements.keep("SELECT 1".to_owned(), 0).unwrap();
        }
        assert_eq!(
            statements.keep("SELECT 1".to_owned(), 0).unwrap_err().code,
            1461
        );
        statements.close(&1_u32.to_le_bytes());
        statements.keep("SELECT 1".to_owned(), 0).unwrap();
        let mut statements = Statements::default();
        let long = " ".repeat(MOST_TEXT);
        let number = statements.keep(long, 0).unwrap();
        assert_eq!(statements.keep(" ".to_owned(), 0).unwrap_err().code, 1461);
        statements.close(&number.to_le_bytes());
        statements.keep(" ".to_owned(), 0).unwrap();
    }

    proptest! {
        #[test]
        fn any_text_and_any_execution_are_read_or_refused(
            text in any::<String>(),
            sql in "[-?'\"`#/*\\\\ a\n]{0,40}",
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            for text in [text, sql] {
                let mut statements = Statements::default();
                let count = question_marks(&text).len() as u16;
                let number = statements.keep(text, count).unwrap();
                let _ = statements.filled_in(&body);
                let mut named = number.to_le_bytes().to_vec();
                named.extend(&body);
                let _ = statements.filled_in(&named);
                let _ = statements.reset(&body);
                statements.close(&body);
            }
        }
    }
}
