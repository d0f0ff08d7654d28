//! Chapter 3.

use super::super::packed::{pack, unpack};
use super::super::reap::{Table, dispatch};
use super::super::slots::Slots;
use std::num::NonZeroU32;

pub fn packed() {
    let generation = |number| NonZeroU32::new(number).unwrap();
    assert_eq!(pack(7, generation(3)), 0x0000_0003_0000_0007);
    assert_eq!(pack(u32::MAX, NonZeroU32::MAX), u64::MAX);
    for (index, number) in [(0, 1), (7, 3), (u32::MAX, 1), (0, u32::MAX)] {
        let word = pack(index, generation(number));
        assert_eq!(unpack(word), Some((index, generation(number))));
    }
    assert_eq!(unpack(0), None);
    assert_eq!(unpack(u64::from(u32::MAX)), None, "generation 0");
    assert_eq!(unpack(1 << 32), Some((0, NonZeroU32::MIN)));
}

pub fn slots() {
    let mut slots = Slots::new();
    let (one, two) = (slots.insert("one"), slots.insert("two"));
    assert_ne!(one, two);
    assert_eq!(
        (slots.get(one), slots.get(two)),
        (Some(&"one"), Some(&"two"))
    );
    assert_eq!(slots.remove(one), Some("one"));
    assert_eq!(slots.get(one), None);
    assert_eq!(slots.remove(one), None, "it is gone already");

    let three = slots.insert("three");
    assert_eq!(three.index, one.index, "a free place is used again");
    assert_eq!(slots.get(one), None, "the key is that of another time");
    assert_eq!(slots.remove(one), None);
    assert_eq!(slots.get(three), Some(&"three"), "and takes nothing away");
    assert_eq!(slots.get(two), Some(&"two"));

    let mut stale = vec![one];
    let mut latest = three;
    for round in 0..1_000 {
        slots.remove(latest).unwrap();
        stale.push(latest);
        latest = slots.insert("again");
        assert_eq!(latest.index, one.index, "round {round}: the table grows");
    }
    assert!(stale.iter().all(|&key| slots.get(key).is_none()));
}

pub fn reap() {
    let mut table = Table::default();
    let (a, b) = (table.open("a"), table.open("b"));
    let mut seen = Vec::new();
    let mut opened = None;
    let stale = dispatch(&mut table, &[a, b, a, b], |table, index, socket| {
        seen.push(socket);
        if socket == "a" {
            table.close(index);
            table.close(index);
            opened = Some(table.open("c"));
        }
    });
    assert_eq!(seen, ["a", "b", "b"], "no event of another's is delivered");
    assert_eq!(stale, 1);
    assert_ne!(opened, Some(a), "the place was still named by the batch");
    assert_eq!(table.socket(a), None);
    assert_eq!(table.open("d"), a, "it is free now");
    assert_ne!(table.open("e"), a, "and was freed once");

    let stale = dispatch(&mut table, &[a, b], |table, _, _| table.close(b));
    assert_eq!(stale, 1, "one may close another");
    table.close(a);
    assert_eq!(table.open("f"), a, "outside of a batch it is free at once");
}
