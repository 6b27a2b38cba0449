//! A position in a statement's tokens.

use super::tokens::{Piece, Tok};
use crate::SqlError;
use crate::error;
use crate::version::Version;

/// Reads tokens from left to right; whatever does not fit is 1064.
pub(crate) struct Cursor<'a> {
    piece: &'a Piece,
    pos: usize,
    pub(crate) version: Version,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(piece: &'a Piece, version: Version) -> Cursor<'a> {
        Cursor {
            piece,
            pos: 0,
            version,
        }
    }

    /// The refusal of what stands here.
    pub(crate) fn refuse(&self) -> SqlError {
        let near = self
            .piece
            .tokens
            .get(self.pos)
            .map_or("", |t| &self.piece.text[t.at..]);
        error::syntax(near)
    }

    pub(crate) fn peek(&self) -> Option<&'a Tok> {
        self.piece.tokens.get(self.pos).map(|t| &t.tok)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Tok> {
        let tok = self.peek();
        self.pos += 1;
        tok
    }

    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Tok::Word(w)) if w.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn accept(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        if found {
            self.pos += 1;
        }
        found
    }

    /// Takes several keywords in a row, or none of them.
    pub(crate) fn accept_all(&mut self, keywords: &[&str]) -> bool {
        let start = self.pos;
        for keyword in keywords {
            if !self.accept(keyword) {
                self.pos = start;
                return false;
            }
        }
        true
    }

    pub(crate) fn expect(&mut self, keyword: &str) -> Result<(), SqlError> {
        if self.accept(keyword) {
            Ok(())
        } else {
            Err(self.refuse())
        }
    }

    pub(crate) fn punct(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Tok::Punct(p)) if *p == wanted);
        if found {
            self.pos += 1;
        }
        found
    }

    pub(crate) fn expect_punct(&mut self, wanted: &str) -> Result<(), SqlError> {
        if self.punct(wanted) {
            Ok(())
        } else {
            Err(self.refuse())
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.piece.tokens.len()
    }

    pub(crate) fn end<T>(&self, value: T) -> Result<T, SqlError> {
        if self.at_end() {
            Ok(value)
        } else {
            Err(self.refuse())
        }
    }

    /// A name, bare or in backticks.
    pub(crate) fn name(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Some(Tok::Word(w) | Tok::Quoted(w)) => {
                self.pos += 1;
                Ok(w.clone())
            }
            _ => Err(self.refuse()),
        }
    }

    /// A literal.
    pub(crate) fn string(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Some(Tok::Str(s)) => {
                self.pos += 1;
                Ok(s.clone())
            }
            _ => Err(self.refuse()),
        }
    }

    /// A non-negative integer.
    pub(crate) fn integer(&mut self) -> Result<u64, SqlError> {
        match self.peek() {
            Some(Tok::Num(n)) => match n.parse() {
                Ok(value) => {
                    self.pos += 1;
                    Ok(value)
                }
                Err(_) => Err(self.refuse()),
            },
            _ => Err(self.refuse()),
        }
    }

    /// A literal, a number or a word, as text.
    pub(crate) fn value(&mut self) -> Result<String, SqlError> {
        let minus = if self.punct("-") { "-" } else { "" };
        match self.peek() {
            Some(Tok::Str(s) | Tok::Num(s) | Tok::Word(s) | Tok::Quoted(s)) => {
                self.pos += 1;
                Ok(format!("{minus}{s}"))
            }
            _ => Err(self.refuse()),
        }
    }

    /// Names or literals between commas.
    pub(crate) fn names(&mut self) -> Result<Vec<String>, SqlError> {
        let mut names = vec![self.name()?];
        while self.punct(",") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    pub(crate) fn strings(&mut self) -> Result<Vec<String>, SqlError> {
        let mut strings = vec![self.string()?];
        while self.punct(",") {
            strings.push(self.string()?);
        }
        Ok(strings)
    }

    pub(crate) fn integers(&mut self) -> Result<Vec<u64>, SqlError> {
        let mut integers = vec![self.integer()?];
        while self.punct(",") {
            integers.push(self.integer()?);
        }
        Ok(integers)
    }

    /// `[TENANT [=] name]`.
    pub(crate) fn one_tenant(&mut self) -> Result<Option<String>, SqlError> {
        if !self.accept("TENANT") {
            return Ok(None);
        }
        self.punct("=");
        self.name().map(Some)
    }

    /// `[TENANT [=] name, ...]`.
    pub(crate) fn tenants(&mut self) -> Result<Option<Vec<String>>, SqlError> {
        if !self.accept("TENANT") {
            return Ok(None);
        }
        self.punct("=");
        self.names().map(Some)
    }

    /// `[DESCRIPTION [=] 'text']`.
    pub(crate) fn description(&mut self) -> Result<String, SqlError> {
        if !self.accept("DESCRIPTION") {
            return Ok(String::new());
        }
        self.punct("=");
        self.string()
    }
}
