//! The messages of `pgoutput`, version 1, as far as they tell of rows. Source: PostgreSQL, "Logical Replication Message Formats".

use bytes::{Buf, Bytes};

/// One message inside a transaction.
#[derive(Debug, PartialEq)]
pub enum Message {
    /// A table is described, before its first row and whenever it changed.
    Relation(Relation),
    /// A row.
    Row(Row),
    /// Rows of these tables are gone all at once.
    Truncate(Vec<u32>),
    /// Nothing of interest.
    Other,
}

/// A table as the log has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `d` for the key, `f` for whole rows, `n` for nothing, `i` for an index.
    pub identity: u8,
    /// Names of the columns in the order of the rows, and whether they are part of the identity.
    pub columns: Vec<(String, bool)>,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is new.
    Insert,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
}

impl Action {
    /// As clients know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A changed row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table.
    pub table: u32,
    /// What happened.
    pub action: Action,
    /// As it was, or the identity of it.
    pub old: Option<Tuple>,
    /// As it is.
    pub new: Option<Tuple>,
}

/// The values of a row in the order of its columns.
pub type Tuple = Vec<Cell>;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// NULL, or not recorded.
    Null,
    /// Large, stored apart, and the same as before.
    Unchanged,
    /// In the server's text form.
    Text(Bytes),
}

/// A message that does not follow the format.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads one message.
pub fn read(mut bytes: Bytes) -> Result<Message, Unreadable> {
    let message = match u8(&mut bytes)? {
        b'R' => {
            let oid = u32(&mut bytes)?;
            let (schema, name) = (text(&mut bytes)?, text(&mut bytes)?);
            let identity = u8(&mut bytes)?;
            let columns = (0..u16(&mut bytes)?)
                .map(|_| {
                    let key = u8(&mut bytes)? & 1 == 1;
                    let name = text(&mut bytes)?;
                    u32(&mut bytes)?;
                    u32(&mut bytes)?;
                    Ok((name, key))
                })
                .collect::<Result<_, _>>()?;
            Message::Relation(Relation {
                oid,
                schema,
                name,
                identity,
                columns,
            })
        }
        b'I' => {
            let table = u32(&mut bytes)?;
            u8(&mut bytes)?;
            let new = Some(tuple(&mut bytes)?);
            Message::Row(Row {
                table,
                action: Action::Insert,
                old: None,
                new,
            })
        }
        b'U' => {
            let table = u32(&mut bytes)?;
            let mut old = None;
            if u8(&mut bytes)? != b'N' {
                old = Some(tuple(&mut bytes)?);
                u8(&mut bytes)?;
            }
            let new = Some(tuple(&mut bytes)?);
            Message::Row(Row {
                table,
                action: Action::Update,
                old,
                new,
            })
        }
        b'D' => {
            let table = u32(&mut bytes)?;
            u8(&mut bytes)?;
            let old = Some(tuple(&mut bytes)?);
            Message::Row(Row {
                table,
                action: Action::Delete,
                old,
                new: None,
            })
        }
        b'T' => {
            let count = u32(&mut bytes)?;
            u8(&mut bytes)?;
            Message::Truncate((0..count).map(|_| u32(&mut bytes)).collect::<Result<_, _>>()?)
        }
        _ => Message::Other,
    };
    Ok(message)
}

fn tuple(bytes: &mut Bytes) -> Result<Tuple, Unreadable> {
    (0..u16(bytes)?)
        .map(|_| match u8(bytes)? {
            b'n' => Ok(Cell::Null),
            b'u' => Ok(Cell::Unchanged),
            b't' => {
                let length = usize::try_from(u32(bytes)?).map_err(|_| Unreadable)?;
                (bytes.len() >= length)
                    .then(|| Cell::Text(bytes.split_to(length)))
                    .ok_or(Unreadable)
            }
            _ => Err(Unreadable),
        })
        .collect()
}

fn text(bytes: &mut Bytes) -> Result<String, Unreadable> {
    let end = memchr::memchr(0, bytes).ok_or(Unreadable)?;
    let text = bytes.split_to(end);
    bytes.advance(1);
    String::from_utf8(text.into()).map_err(|_| Unreadable)
}

fn u8(bytes: &mut Bytes) -> Result<u8, Unreadable> {
    bytes.try_get_u8().map_err(|_| Unreadable)
}

fn u16(bytes: &mut Bytes) -> Result<u16, Unreadable> {
    bytes.try_get_u16().map_err(|_| Unreadable)
}

fn u32(bytes: &mut Bytes) -> Result<u32, Unreadable> {
    bytes.try_get_u32().map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_table_and_a_row_of_it_are_read() {
        let relation = b"R\x00\x00\x40\x01public\0notes\0d\x00\x02\x01id\0\x00\x00\x00\x17\xff\xff\xff\xff\x00body\0\x00\x00\x00\x19\xff\xff\xff\xff";
        let Ok(Message::Relation(read)) = super::read(Bytes::from_static(relation)) else {
            panic!("a relation")
        };
        assert_eq!(
            (read.oid, read.name.as_str(), read.identity),
            (0x4001, "notes", b'd')
        );
        assert_eq!(
            read.columns,
            [("id".to_owned(), true), ("body".to_owned(), false)]
        );

        let update = b"U\x00\x00\x40\x01K\x00\x02t\x00\x00\x00\x011nN\x00\x02t\x00\x00\x00\x012u";
        let Ok(Message::Row(row)) = super::read(Bytes::from_static(update)) else {
            panic!("a row")
        };
        assert_eq!(row.action, Action::Update);
        assert_eq!(row.old, Some(vec![Cell::Text("1".into()), Cell::Null]));
        assert_eq!(row.new, Some(vec![Cell::Text("2".into()), Cell::Unchanged]));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(kind in prop::sample::select(b"RIUDTYOX".to_vec()), mut bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            bytes.insert(0, kind);
            let _ = super::read(bytes.into());
        }
    }
}
