//! Answers as packets: done, refused, and rows as text or as the answer of a prepared statement.

use bytes::BufMut;

use super::handshake::STATUS_AUTOCOMMIT;
use super::packet::{PacketError, PacketStream, Socket};
use super::wire::{put_sized_number, put_sized_string};
use crate::{Answer, Column, ColumnType, SqlError};

/// Another answer follows.
const STATUS_MORE_RESULTS: u16 = 0x0008;

const NULL: u8 = 0xfb;

const CHARSET_TEXT: u16 = 45;
const CHARSET_BINARY: u16 = 63;

const FLAG_NOT_NULL: u16 = 1;
const FLAG_BLOB: u16 = 16;
const FLAG_UNSIGNED: u16 = 32;
const FLAG_BINARY: u16 = 128;

/// How a result writes its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As `COM_QUERY` has them.
    Text,
    /// As `COM_STMT_EXECUTE` has them; every column is declared as text.
    Binary,
}

/// Sends the answers of one packet of statements.
pub(crate) async fn send_answers<S: Socket>(
    stream: &mut PacketStream<S>,
    answers: &[Result<Answer, SqlError>],
    format: Format,
) -> Result<(), PacketError> {
    for (index, answer) in answers.iter().enumerate() {
        let more = if index + 1 < answers.len() {
            STATUS_MORE_RESULTS
        } else {
            0
        };
        let status = STATUS_AUTOCOMMIT | more;
        match answer {
            Ok(Answer::Done { affected_rows }) => stream.send(&ok(*affected_rows, status)).await?,
            Ok(Answer::Rows { columns, rows }) => {
                send_rows(stream, columns, rows, format, status).await?;
            }
            Err(refused) => {
                stream.send(&error(refused)).await?;
                break;
            }
        }
    }
    stream.flush().await
}

async fn send_rows<S: Socket>(
    stream: &mut PacketStream<S>,
    columns: &[Column],
    rows: &[Vec<Option<String>>],
    format: Format,
    status: u16,
) -> Result<(), PacketError> {
    let mut packet = Vec::new();
    put_sized_number(&mut packet, columns.len() as u64);
    stream.send(&packet).await?;
    for column in columns {
        stream.send(&definition(column, format)).await?;
    }
    stream.send(&end(status)).await?;
    for row in rows {
        packet.clear();
        match format {
            Format::Text => put_text_row(&mut packet, row, columns.len()),
            Format::Binary => put_binary_row(&mut packet, row, columns.len()),
        }
        stream.send(&packet).await?;
    }
    stream.send(&end(status)).await
}

/// It worked and there are no rows.
pub(crate) fn ok(affected_rows: u64, status: u16) -> Vec<u8> {
    let mut packet = vec![0];
    put_sized_number(&mut packet, affected_rows);
    // The last generated id, which there never is.
    packet.put_u8(0);
    packet.put_u16_le(status);
    // Warnings.
    packet.put_u16_le(0);
    packet
}

/// The end of columns or rows.
pub(crate) fn end(status: u16) -> Vec<u8> {
    let mut packet = vec![0xfe, 0, 0];
    packet.put_u16_le(status);
    packet
}

/// It was refused.
pub(crate) fn error(refused: &SqlError) -> Vec<u8> {
    let state = if refused.state.len() == 5 {
        refused.state
    } else {
        "HY000"
    };
    let mut packet = error_without_state(refused);
    packet.splice(3..3, [b"#", state.as_bytes()].concat());
    packet
}

/// It was refused before the client has said what it understands.
pub(crate) fn error_without_state(refused: &SqlError) -> Vec<u8> {
    let mut packet = vec![0xff];
    packet.put_u16_le(refused.code);
    packet.put_slice(refused.message.as_bytes());
    packet
}

/// A statement was prepared; the definitions of its parameters follow.
pub(crate) fn prepared(statement: u32, parameters: u16) -> Vec<u8> {
    let mut packet = vec![0];
    packet.put_u32_le(statement);
    // Columns.
    packet.put_u16_le(0);
    packet.put_u16_le(parameters);
    packet.put_u8(0);
    // Warnings.
    packet.put_u16_le(0);
    packet
}

/// The definition of a parameter of a prepared statement.
pub(crate) fn parameter() -> Vec<u8> {
    let kind = ColumnType::Varchar(65_535);
    definition(
        &Column {
            name: "?".to_owned(),
            kind,
            nullable: true,
        },
        Format::Binary,
    )
}

fn definition(column: &Column, format: Format) -> Vec<u8> {
    let shape = match format {
        Format::Text => shape(column.kind),
        Format::Binary => shape(as_text(column.kind)),
    };
    let mut packet = Vec::with_capacity(64);
    put_sized_string(&mut packet, b"def");
    // Schema, table, and the table's own name.
    packet.put_bytes(0, 3);
    put_sized_string(&mut packet, column.name.as_bytes());
    put_sized_string(&mut packet, column.name.as_bytes());
    packet.put_u8(0x0c);
    packet.put_u16_le(shape.charset);
    packet.put_u32_le(shape.length);
    packet.put_u8(shape.code);
    packet.put_u16_le(shape.flags | if column.nullable { 0 } else { FLAG_NOT_NULL });
    packet.put_u8(shape.decimals);
    packet.put_u16_le(0);
    packet
}

/// What every value of the type fits into when it is written out.
fn as_text(kind: ColumnType) -> ColumnType {
    match kind {
        ColumnType::Varchar(_) => kind,
        ColumnType::LongText => ColumnType::Varchar(u32::MAX / 4),
        _ => ColumnType::Varchar(shape(kind).length),
    }
}

/// How a type is declared.
struct Shape {
    code: u8,
    charset: u16,
    length: u32,
    flags: u16,
    decimals: u8,
}

fn shape(kind: ColumnType) -> Shape {
    let binary = |code, length, flags, decimals| Shape {
        code,
        charset: CHARSET_BINARY,
        length,
        flags: FLAG_BINARY | flags,
        decimals,
    };
    let text = |code, length, flags| Shape {
        code,
        charset: CHARSET_TEXT,
        length,
        flags,
        decimals: 0,
    };
    match kind {
        ColumnType::TinyInt => binary(1, 4, 0, 0),
        ColumnType::BigInt => binary(8, 20, 0, 0),
        ColumnType::UnsignedBigInt => binary(8, 20, FLAG_UNSIGNED, 0),
        // 31: as many digits after the point as there are.
        ColumnType::Double => binary(5, 23, 0, 31),
        ColumnType::Decimal { precision, scale } => {
            // Room for the sign and the point.
            let length = u32::from(precision) + 1 + u32::from(scale > 0);
            binary(246, length, 0, scale)
        }
        ColumnType::Timestamp => binary(7, 26, 0, 6),
        ColumnType::DateTime => binary(12, 26, 0, 6),
        ColumnType::Time => binary(11, 17, 0, 6),
        ColumnType::Varchar(characters) => text(253, characters.saturating_mul(4), 0),
        ColumnType::LongText => text(252, u32::MAX, FLAG_BLOB),
    }
}

fn values(row: &[Option<String>], width: usize) -> impl Iterator<Item = Option<&String>> {
    // A row of another length would shift all that follows it on the wire.
    (0..width).map(|index| row.get(index).and_then(Option::as_ref))
}

fn put_text_row(packet: &mut Vec<u8>, row: &[Option<String>], width: usize) {
    for value in values(row, width) {
        match value {
            Some(value) => put_sized_string(packet, value.as_bytes()),
            None => packet.put_u8(NULL),
        }
    }
}

fn put_binary_row(packet: &mut Vec<u8>, row: &[Option<String>], width: usize) {
    // The first two bits of the map are reserved.
    let mut nulls = vec![0_u8; (width + 2).div_ceil(8)];
    for (index, value) in values(row, width).enumerate() {
        if value.is_none() {
            nulls[(index + 2) / 8] |= 1 << ((index + 2) % 8);
        }
    }
    packet.put_u8(0);
    packet.put_slice(&nulls);
    for value in values(row, width).flatten() {
        put_sized_string(packet, value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ColumnType, nullable: bool) -> Column {
        Column {
            name: "x".to_owned(),
            kind,
            nullable,
        }
    }

    /// Charset, length, type, flags and decimals of a definition.
    fn declared(packet: &[u8]) -> (u16, u32, u8, u16, u8) {
        let fixed = &packet[packet.len() - 12..];
        (
            u16::from_le_bytes([fixed[0], fixed[1]]),
            u32::from_le_bytes([fixed[2], fixed[3], fixed[4], fixed[5]]),
            fixed[6],
            u16::from_le_bytes([fixed[7], fixed[8]]),
            fixed[9],
        )
    }

    #[test]
    fn columns_are_declared_as_the_views_have_them() {
        let text = |kind| declared(&definition(&column(kind, true), Format::Text));
        assert_eq!(text(ColumnType::BigInt), (63, 20, 8, 128, 0));
        assert_eq!(text(ColumnType::UnsignedBigInt), (63, 20, 8, 128 | 32, 0));
        assert_eq!(
            text(ColumnType::Decimal {
                precision: 21,
                scale: 4
            }),
            (63, 23, 246, 128, 4)
        );
        assert_eq!(text(ColumnType::Varchar(4096)), (45, 16_384, 253, 0, 0));
        assert_eq!(text(ColumnType::LongText), (45, u32::MAX, 252, 16, 0));
        assert_eq!(text(ColumnType::Timestamp), (63, 26, 7, 128, 6));
        let strict = definition(&column(ColumnType::BigInt, false), Format::Text);
        assert_eq!(declared(&strict).3, 128 | 1);
        let binary = definition(&column(ColumnType::BigInt, true), Format::Binary);
        assert_eq!(declared(&binary), (45, 80, 253, 0, 0));
    }

    #[test]
    fn rows_are_as_wide_as_their_columns() {
        let row = [Some("ab".to_owned()), None];
        let mut packet = Vec::new();
        put_text_row(&mut packet, &row, 2);
        assert_eq!(packet, b"\x02ab\xfb");
        packet.clear();
        put_text_row(&mut packet, &row, 3);
        assert_eq!(packet, b"\x02ab\xfb\xfb");
        packet.clear();
        put_binary_row(&mut packet, &row, 2);
        assert_eq!(packet, b"\x00\x08\x02ab");
    }

    #[test]
    fn a_refusal_has_its_code_and_state() {
        let refused = SqlError {
            code: 1235,
            state: "0A000",
            message: "no".to_owned(),
        };
        assert_eq!(error(&refused), b"\xff\xd3\x04#0A000no");
        assert_eq!(error_without_state(&refused), b"\xff\xd3\x04no");
        let odd = SqlError {
            state: "?",
            ..refused
        };
        assert_eq!(error(&odd), b"\xff\xd3\x04#HY000no");
    }
}
