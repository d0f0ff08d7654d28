//! Values to the types of a program.
//!
//! A caller knows what a command replies and names the type; what the server sent may be spelt in
//! several ways. A number is an integer or the digits of one in a string; a map is a map, or in
//! RESP2 an array of keys and values by turns. A conversion accepts every such spelling and
//! nothing that would have to be guessed: null is no empty string, and 3.0 is no integer.
//!
//! An error of the server, wherever in the reply it is found, becomes an `Err`.

use super::Value;
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

impl Value {
    /// The value as a `T`.
    ///
    /// # Errors
    ///
    /// [`Server`](ErrorKind::Server) when the value is an error, or holds one where `T` asks for
    /// something else; [`Convert`](ErrorKind::Convert) when it is of another type. The message
    /// names both types, and does not quote the value.
    ///
    /// ```
    /// use greenroom::resp::Value;
    /// let reply = Value::Array(vec![Value::Bulk("7".into()), Value::Null]);
    /// assert_eq!(reply.convert::<(u32, Option<String>)>()?, (7, None));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn convert<T: FromValue>(self) -> Result<T> {
        T::from_value(self)
    }
}

/// A type that a [`Value`] can be turned into; usually through [`Value::convert`].
///
/// | type | is made from |
/// |---|---|
/// | [`Value`] | anything, errors included |
/// | `()` | anything but an error |
/// | `bool` | a boolean; the integers 0 and 1; the status `OK` |
/// | integers, `f64` | an integer; a string or a big number with its digits; `f64`: a double |
/// | [`Bytes`], `Vec<u8>` | a string of any type |
/// | `String` | a string of any type, in UTF-8 |
/// | `Option<T>` | null, or what `T` is made from |
/// | `Vec<T>` | an array, a set or a push |
/// | `Vec<(K, V)>`, maps | a map; an array of pairs; an array of keys and values by turns |
/// | tuples of 2 to 4 | an array, a set or a push of exactly so many |
pub trait FromValue: Sized {
    /// The value as a `Self`.
    ///
    /// # Errors
    ///
    /// As [`Value::convert`].
    fn from_value(value: Value) -> Result<Self>;

    /// The elements of an array as several of `Self`: one each, but for pairs.
    #[doc(hidden)]
    fn from_elements(items: Vec<Value>) -> Result<Vec<Self>> {
        items.into_iter().map(Self::from_value).collect()
    }

    /// The pairs of a map as several of `Self`: an error, but for pairs.
    #[doc(hidden)]
    fn from_pairs(pairs: Vec<(Value, Value)>) -> Result<Vec<Self>> {
        Err(mismatch(&Value::Map(pairs), "an array"))
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Value> {
        Ok(value)
    }
}

impl FromValue for () {
    fn from_value(value: Value) -> Result<()> {
        value.into_result().map(drop)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<bool> {
        match value {
            Value::Bool(truth) => Ok(truth),
            Value::Int(number @ 0..=1) => Ok(number == 1),
            Value::Simple(text) if *text == *b"OK" => Ok(true),
            other => Err(mismatch(&other, "a boolean")),
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl FromValue for $integer {
            fn from_value(value: Value) -> Result<$integer> {
                let number = match &value {
                    Value::Int(number) => <$integer>::try_from(*number).ok(),
                    _ => digits(&value).and_then(|digits| digits.parse().ok()),
                };
                number.ok_or_else(|| mismatch(&value, stringify!($integer)))
            }
        }
    )*};
}

// Not `u8`: a `Vec` of it is a string.
from_integer!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<f64> {
        let number = match &value {
            Value::Double(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            _ => digits(&value).and_then(|digits| digits.parse().ok()),
        };
        number.ok_or_else(|| mismatch(&value, "f64"))
    }
}

impl FromValue for Bytes {
    fn from_value(value: Value) -> Result<Bytes> {
        match value {
            Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => Ok(text),
            Value::BigNumber(digits) => Ok(digits),
            other => Err(mismatch(&other, "a string")),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Vec<u8>> {
        Bytes::from_value(value).map(Vec::from)
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<String> {
        let text = Vec::from_value(value)?;
        String::from_utf8(text).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("asked for UTF-8 text, and got other bytes from byte {at} on");
            Error::new(ErrorKind::Convert, message)
        })
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Option<T>> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Vec<T>> {
        match value {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => T::from_elements(items),
            Value::Map(pairs) => T::from_pairs(pairs),
            other => Err(mismatch(&other, "an array")),
        }
    }
}

impl<K, V, S> FromValue for HashMap<K, V, S>
where
    K: FromValue + Eq + Hash,
    V: FromValue,
    S: BuildHasher + Default,
{
    fn from_value(value: Value) -> Result<HashMap<K, V, S>> {
        Ok(Vec::<(K, V)>::from_value(value)?.into_iter().collect())
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(value: Value) -> Result<BTreeMap<K, V>> {
        Ok(Vec::<(K, V)>::from_value(value)?.into_iter().collect())
    }
}

impl<A: FromValue, B: FromValue> FromValue for (A, B) {
    fn from_value(value: Value) -> Result<(A, B)> {
        let [a, b] = exactly(value)?;
        Ok((A::from_value(a)?, B::from_value(b)?))
    }

    fn from_elements(items: Vec<Value>) -> Result<Vec<(A, B)>> {
        let is_pair = |item: &Value| matches!(item, Value::Array(pair) if pair.len() == 2);
        if items.iter().all(is_pair) {
            return items.into_iter().map(Self::from_value).collect();
        }
        if items.len() % 2 == 1 {
            return Err(mismatch(&Value::Array(items), "pairs"));
        }
        let mut pairs = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((A::from_value(key)?, B::from_value(value)?));
        }
        Ok(pairs)
    }

    fn from_pairs(pairs: Vec<(Value, Value)>) -> Result<Vec<(A, B)>> {
        pairs
            .into_iter()
            .map(|(a, b)| Ok((A::from_value(a)?, B::from_value(b)?)))
            .collect()
    }
}

impl<A: FromValue, B: FromValue, C: FromValue> FromValue for (A, B, C) {
    fn from_value(value: Value) -> Result<(A, B, C)> {
        let [a, b, c] = exactly(value)?;
        Ok((A::from_value(a)?, B::from_value(b)?, C::from_value(c)?))
    }
}

impl<A: FromValue, B: FromValue, C: FromValue, D: FromValue> FromValue for (A, B, C, D) {
    fn from_value(value: Value) -> Result<(A, B, C, D)> {
        let [a, b, c, d] = exactly(value)?;
        Ok((
            A::from_value(a)?,
            B::from_value(b)?,
            C::from_value(c)?,
            D::from_value(d)?,
        ))
    }
}

fn exactly<const N: usize>(value: Value) -> Result<[Value; N]> {
    let asked = || format!("an array of {N}");
    match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => items
            .try_into()
            .map_err(|items| mismatch(&Value::Array(items), &asked())),
        other => Err(mismatch(&other, &asked())),
    }
}

/// The text of what may spell a number.
fn digits(value: &Value) -> Option<&str> {
    match value {
        Value::Simple(_) | Value::Bulk(_) | Value::BigNumber(_) => value.as_str(),
        _ => None,
    }
}

/// Why `value` is not what was asked for: because it is an error, or of another type.
fn mismatch(value: &Value, asked: &str) -> Error {
    let came = match value {
        Value::Error(text) => return Error::server(text),
        Value::Null => "null".into(),
        Value::Int(number) => format!("the integer {number}"),
        Value::Simple(text) => format!("a simple string of {} bytes", text.len()),
        Value::Bulk(text) => format!("a bulk string of {} bytes", text.len()),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Double(number) => format!("the double {number}"),
        Value::Bool(truth) => format!("the boolean {truth}"),
        Value::BigNumber(digits) => format!("a big number of {} digits", digits.len()),
        Value::Verbatim { text, .. } => format!("a verbatim string of {} bytes", text.len()),
        Value::Map(pairs) => format!("a map of {}", pairs.len()),
        Value::Set(items) => format!("a set of {}", items.len()),
        Value::Push(items) => format!("a push of {}", items.len()),
    };
    Error::new(
        ErrorKind::Convert,
        format!("asked for {asked}, and got {came}"),
    )
}
