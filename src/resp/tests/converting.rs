//! To the types of a program.

use super::*;
use std::collections::{BTreeMap, HashMap};

#[test]
fn a_value_becomes_what_is_asked_for() {
    assert_eq!(Value::Int(-3).convert::<i32>().unwrap(), -3);
    assert_eq!(
        bulk("18446744073709551615").convert::<u64>().unwrap(),
        u64::MAX
    );
    assert_eq!(bulk("2.5").convert::<f64>().unwrap(), 2.5);
    assert!(Value::Simple("OK".into()).convert::<bool>().unwrap());
    assert!(!Value::Int(0).convert::<bool>().unwrap());
    assert_eq!(bulk("\u{e9}").convert::<String>().unwrap(), "\u{e9}");
    assert_eq!(bulk("ab").convert::<Vec<u8>>().unwrap(), b"ab");
    assert_eq!(Value::Null.convert::<Option<Vec<u8>>>().unwrap(), None);
    assert_eq!(
        bulk("a").convert::<Option<Bytes>>().unwrap(),
        Some("a".into())
    );
    Value::Array(vec![Value::Error("ERR".into())])
        .convert::<()>()
        .unwrap();
    let numbers = Value::Set(vec![Value::Int(1), bulk("2")]);
    assert_eq!(numbers.convert::<Vec<i64>>().unwrap(), [1, 2]);
    let three = Value::Array(vec![Value::Int(1), Value::Null, bulk("c")]);
    let (a, b, c): (u32, Option<String>, String) = three.convert().unwrap();
    assert_eq!((a, b, c.as_str()), (1, None, "c"));
    let four = Value::Array((0..4).map(Value::Int).collect());
    assert_eq!(
        four.convert::<(i64, u32, usize, i8)>().unwrap(),
        (0, 1, 2, 3)
    );
}

#[test]
fn pairs_come_in_three_spellings() {
    let pair = |key, number| vec![bulk(key), Value::Int(number)];
    let spellings = [
        Value::Map(vec![(bulk("a"), Value::Int(1)), (bulk("b"), Value::Int(2))]),
        Value::Array([pair("a", 1), pair("b", 2)].concat()),
        Value::Array(vec![Value::Array(pair("a", 1)), Value::Array(pair("b", 2))]),
    ];
    for spelling in spellings {
        let list: Vec<(String, i64)> = spelling.clone().convert().unwrap();
        assert_eq!(list, [("a".to_string(), 1), ("b".to_string(), 2)]);
        let tree: BTreeMap<String, i64> = spelling.clone().convert().unwrap();
        let hash: HashMap<String, i64> = spelling.convert().unwrap();
        assert_eq!((tree["b"], hash["b"], tree.len(), hash.len()), (2, 2, 2, 2));
    }
    let odd = Value::Array(vec![bulk("a")])
        .convert::<Vec<(String, i64)>>()
        .unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::Convert);
}

#[test]
fn what_cannot_be_converted_says_both_types_and_quotes_nothing() {
    let errors = [
        Value::Null.convert::<String>().unwrap_err(),
        Value::Int(300).convert::<i8>().unwrap_err(),
        Value::Int(-1).convert::<u64>().unwrap_err(),
        Value::Int(2).convert::<bool>().unwrap_err(),
        bulk("s3cret").convert::<i64>().unwrap_err(),
        bulk("s3cret").convert::<Vec<i64>>().unwrap_err(),
        Value::Double(3.0).convert::<i64>().unwrap_err(),
        Value::Map(vec![]).convert::<Vec<i64>>().unwrap_err(),
        Value::Array(vec![Value::Int(1); 3])
            .convert::<(i64, i64)>()
            .unwrap_err(),
        Value::Bulk(Bytes::from_static(b"\xff"))
            .convert::<String>()
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Convert);
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    let error = bulk("seven").convert::<i64>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "asked for i64, and got a bulk string of 5 bytes"
    );
}

#[test]
fn a_server_error_is_an_err_for_whoever_asks_for_something_else() {
    let error = || Value::Error("WRONGTYPE x".into());
    assert_eq!(
        error().convert::<i64>().unwrap_err().code(),
        Some("WRONGTYPE")
    );
    assert_eq!(
        error().convert::<()>().unwrap_err().code(),
        Some("WRONGTYPE")
    );
    assert_eq!(
        error().convert::<Option<String>>().unwrap_err().code(),
        Some("WRONGTYPE")
    );
    assert_eq!(error().into_result().unwrap_err().code(), Some("WRONGTYPE"));
    assert_eq!(error().convert::<Value>().unwrap(), error());
    let nested = Value::Array(vec![Value::Int(1), error()]);
    assert_eq!(nested.clone().into_result().unwrap(), nested);
    assert_eq!(nested.clone().convert::<Vec<Value>>().unwrap()[1], error());
    assert_eq!(
        nested.convert::<Vec<i64>>().unwrap_err().code(),
        Some("WRONGTYPE")
    );
}
