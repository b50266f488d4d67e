use std::error::Error;

use bytes::{BufMut, BytesMut};
use regrant_store::MovedValue;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Problem = Box<dyn Error + Sync + Send>;

/// A value on its way into a column, by the type of that: 32 bits are an unsigned number, 16 bytes a `uuid`.
#[derive(Debug)]
pub(super) struct Arriving<'a>(pub(super) &'a MovedValue);

impl ToSql for Arriving<'_> {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match (self.0, column) {
            (MovedValue::Null, _) => return Ok(IsNull::Yes),
            (MovedValue::Integer(number), &Type::INT8) => out.put_i64(*number),
            (MovedValue::Integer(number), &Type::INT4) => out.put_u32(u32::try_from(*number)?),
            (MovedValue::Integer(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
            (MovedValue::Integer(number @ (0 | 1)), &Type::BOOL) => out.put_u8(u8::from(*number == 1)),
            (MovedValue::Bytes(bytes), &Type::UUID) => out.put_slice(&<[u8; 16]>::try_from(bytes.as_slice())?),
            (MovedValue::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (MovedValue::Text(text), &Type::TEXT) => out.put_slice(text.as_bytes()),
            (MovedValue::Integer(_) | MovedValue::Bytes(_) | MovedValue::Text(_), _) => {
                return Err(format!("{:?} does not fit into a column of type {column}", self.0).into());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value that was read back.
pub(super) struct Arrived(pub(super) MovedValue);

impl<'a> FromSql<'a> for Arrived {
    fn from_sql(column: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        Ok(Self(match *column {
            Type::INT8 => MovedValue::Integer(i64::from_sql(column, raw)?),
            Type::INT4 => MovedValue::Integer(i32::from_sql(column, raw)?.cast_unsigned().into()),
            Type::INT2 => MovedValue::Integer(i16::from_sql(column, raw)?.into()),
            Type::BOOL => MovedValue::Integer(bool::from_sql(column, raw)?.into()),
            Type::UUID | Type::BYTEA => MovedValue::Bytes(raw.to_vec()),
            Type::TEXT => MovedValue::Text(String::from_sql(column, raw)?),
            _ => return Err(format!("nothing is kept as {column}").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self(MovedValue::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_went_and_one_that_does_not_fit_is_refused() {
        let (text, bytes) = (MovedValue::Text("ä".to_owned()), MovedValue::Bytes(vec![0; 16]));
        for (column, value) in [
            (Type::INT8, MovedValue::Integer(i64::MIN)),
            (Type::INT4, MovedValue::Integer(u32::MAX.into())),
            (Type::INT2, MovedValue::Integer(255)),
            (Type::BOOL, MovedValue::Integer(1)),
            (Type::UUID, bytes.clone()),
            (Type::BYTEA, bytes.clone()),
            (Type::TEXT, text.clone()),
        ] {
            let mut written = BytesMut::new();
            assert!(matches!(Arriving(&value).to_sql(&column, &mut written).unwrap(), IsNull::No));
            assert!(Arrived::from_sql(&column, &written).unwrap().0 == value, "{column}");
            assert!(matches!(Arriving(&MovedValue::Null).to_sql(&column, &mut written).unwrap(), IsNull::Yes));
        }
        for (column, value) in [
            (Type::INT4, MovedValue::Integer(-1)),
            (Type::INT4, MovedValue::Integer(1 << 32)),
            (Type::INT2, MovedValue::Integer(1 << 15)),
            (Type::BOOL, MovedValue::Integer(2)),
            (Type::UUID, MovedValue::Bytes(vec![0; 15])),
            (Type::BYTEA, text),
            (Type::TEXT, bytes),
        ] {
            assert!(Arriving(&value).to_sql(&column, &mut BytesMut::new()).is_err(), "{column}");
        }
    }
}
