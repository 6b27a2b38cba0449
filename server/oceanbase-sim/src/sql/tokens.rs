//! Tokens of MySQL text, and the split of a packet into statements.

use crate::SqlError;
use crate::error;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tok {
    /// A bare name or keyword.
    Word(String),
    /// A name in backticks.
    Quoted(String),
    /// A literal, unescaped.
    Str(String),
    /// A number as written.
    Num(String),
    /// `@@name`, without the scope.
    SysVar(String),
    /// `@name`.
    UserVar(String),
    /// `?`.
    Param,
    /// Anything else.
    Punct(&'static str),
}

/// A token and where it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

/// One statement of a packet.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
}

const PUNCT: [&str; 31] = [
    "<=>", "<=", ">=", "<>", "!=", "||", "&&", ":=", "(", ")", ",", ".", "=", "<", ">", "+", "-",
    "*", "/", "%", ";", ":", "!", "&", "|", "^", "~", "{", "}", "[", "]",
];

/// Splits a packet at its semicolons; empty statements fall away.
pub(crate) fn split(text: &str, backslash: bool) -> Result<Vec<Piece>, SqlError> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut current: Vec<Token> = Vec::new();
    let mut cut = |current: &mut Vec<Token>, start: usize, end: usize| {
        if !current.is_empty() {
            let tokens = std::mem::take(current)
                .into_iter()
                .map(|t| Token {
                    at: t.at - start,
                    end: t.end - start,
                    ..t
                })
                .collect();
            pieces.push(Piece {
                text: text[start..end].to_owned(),
                tokens,
            });
        }
    };
    for token in scan(text, backslash)? {
        if token.tok == Tok::Punct(";") {
            cut(&mut current, start, token.at);
            start = token.end;
        } else {
            current.push(token);
        }
    }
    cut(&mut current, start, text.len());
    Ok(pieces)
}

/// Every token of a text, without comments and hints.
pub(crate) fn scan(text: &str, backslash: bool) -> Result<Vec<Token>, SqlError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(skip) = blank(rest)? {
            at += skip;
            continue;
        }
        let (tok, used) = token(rest, backslash)?;
        let end = at + used;
        tokens.push(Token { tok, at, end });
        at = end;
    }
    Ok(tokens)
}

/// Length of the white space or comment at the beginning, if there is one.
fn blank(rest: &str) -> Result<Option<usize>, SqlError> {
    let first = rest.chars().next().unwrap_or(' ');
    if first.is_whitespace() {
        return Ok(Some(first.len_utf8()));
    }
    if rest.starts_with("/*") {
        return match rest.find("*/") {
            Some(end) => Ok(Some(end + 2)),
            None => Err(error::syntax(rest)),
        };
    }
    if rest.starts_with("-- ") || rest.starts_with('#') {
        return Ok(Some(rest.find('\n').map_or(rest.len(), |n| n + 1)));
    }
    Ok(None)
}

fn token(rest: &str, backslash: bool) -> Result<(Tok, usize), SqlError> {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        '\'' | '"' => {
            let (value, used) = literal(rest, first, backslash)?;
            Ok((Tok::Str(value), used))
        }
        '`' => {
            let (value, used) = literal(rest, '`', false)?;
            Ok((Tok::Quoted(value), used))
        }
        '?' => Ok((Tok::Param, 1)),
        '@' if rest.starts_with("@@") => {
            let used = name_length(&rest[2..], true);
            let name = rest[2..2 + used].to_ascii_lowercase();
            let name = name
                .strip_prefix("global.")
                .or_else(|| name.strip_prefix("session."))
                .or_else(|| name.strip_prefix("local."))
                .unwrap_or(&name);
            Ok((Tok::SysVar(name.to_owned()), used + 2))
        }
        '@' => {
            let used = name_length(&rest[1..], true);
            Ok((Tok::UserVar(rest[1..=used].to_owned()), used + 1))
        }
        c if c.is_ascii_digit() => Ok(number(rest)),
        c if c.is_alphabetic() || c == '_' => {
            let used = name_length(rest, false);
            Ok((Tok::Word(rest[..used].to_owned()), used))
        }
        _ => PUNCT
            .iter()
            .find(|p| rest.starts_with(**p))
            .map(|p| (Tok::Punct(p), p.len()))
            .ok_or_else(|| error::syntax(rest)),
    }
}

fn name_length(rest: &str, dots: bool) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || (dots && c == '.')))
        .unwrap_or(rest.len())
}

/// A number; `1abc` is a name in MySQL, and `10G` is what unit sizes look like.
fn number(rest: &str) -> (Tok, usize) {
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let tail = &rest[digits..];
    if tail.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        let used = name_length(rest, false);
        return (Tok::Word(rest[..used].to_owned()), used);
    }
    let mut used = digits;
    if let Some(fraction) = tail.strip_prefix('.') {
        let more = fraction
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(fraction.len());
        used += 1 + more;
    }
    (Tok::Num(rest[..used].to_owned()), used)
}

/// A quoted text: doubled quotes and, where they count, backslashes.
fn literal(rest: &str, quote: char, backslash: bool) -> Result<(String, usize), SqlError> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && backslash {
            match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, '0')) => value.push('\0'),
                Some((_, other)) => value.push(other),
                None => break,
            }
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                value.push(quote);
            } else {
                return Ok((value, at + c.len_utf8()));
            }
        } else {
            value.push(c);
        }
    }
    Err(error::syntax(rest))
}
