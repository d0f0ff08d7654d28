//! Pops that are given up: when the server has stopped waiting, and what was lost.
//!
//! **Losses.** Elements are numbers, so that each can be followed. Whoever has pushed them knows which there are, the
//! program says which its consumers were given, and the rest must be in the queue when all is over. What is in
//! neither place is lost: the server has given it to somebody who did not wait any more. What is there twice is
//! duplicated, which is what becomes of giving back carelessly.
//!
//! **The end of waiting.** A program says when it gave up the first pop, and when it went on to its end, which
//! closes all connections anyway. What the server said between these two moments counts.

use super::table::{FIRST, Table};
use super::watch::Look;
use jzon::JsonValue;

/// What greenroom must not be beyond, in any round.
const BUDGETS: [Budget; 6] = [
    Budget::new("cancel", "unblocked_ms", 1_000.0),
    Budget::new("cancel", "blocked", 0.0),
    Budget::new("timeouts", "lost", 0.0),
    Budget::new("timeouts", "duplicated", 0.0),
    Budget::new("aborts", "lost", 0.0),
    Budget::new("aborts", "duplicated", 0.0),
];

struct Budget {
    table: &'static str,
    column: &'static str,
    at_most: f64,
}

impl Budget {
    const fn new(table: &'static str, column: &'static str, at_most: f64) -> Budget {
        Budget {
            table,
            column,
            at_most,
        }
    }
}

/// Adds to what a program says when its pops were over, and what the server had left then.
pub(crate) fn cancelled(said: &mut JsonValue, looks: &[Look], pops: usize) -> Result<(), String> {
    let moment = |name: &str| {
        let moment = said[name].as_u64();
        moment.ok_or_else(|| format!("it does not say {name}"))
    };
    let (began, ended) = (moment("began_ns")?, moment("ended_ns")?);
    let mut before = looks.iter().filter(|look| look.at_ns < began);
    if !before.any(|look| look.blocked >= pops as u64) {
        return Err(format!("its {pops} pops did not all wait in the server"));
    }
    let mut after = looks
        .iter()
        .filter(|look| (began..ended).contains(&look.at_ns));
    let last = after.clone().next_back();
    let last = last.ok_or("nobody has looked when its pops were over")?;
    said["blocked"] = last.blocked.into();
    said["connections"] = last.connected.into();
    if let Some(over) = after.find(|look| look.blocked == 0) {
        said["unblocked_ms"] = ((over.at_ns - began) as f64 / 1e6).into();
    }
    Ok(())
}

/// Adds to what a program says which of the elements from 0 to `pushed` are where.
pub(crate) fn losses(said: &mut JsonValue, pushed: usize, left: &[usize]) -> Result<(), String> {
    let mut seen = vec![0_usize; pushed];
    let delivered = said["delivered"].members().map(|number| number.as_usize());
    let delivered: Option<Vec<usize>> = delivered.collect();
    let delivered = delivered.ok_or("what it has delivered are no numbers")?;
    for number in delivered.iter().chain(left) {
        let seen = seen.get_mut(*number);
        *seen.ok_or_else(|| format!("nobody has pushed {number}"))? += 1;
    }
    said["came"] = delivered.len().into();
    said["left"] = left.len().into();
    said["lost"] = seen.iter().filter(|seen| **seen == 0).count().into();
    let more = seen.iter().map(|seen| seen.saturating_sub(1));
    said["duplicated"] = more.sum::<usize>().into();
    Ok(())
}

/// Compares greenroom with its budgets: a line for each, and whether all are met.
pub(crate) fn check(tables: &[Table]) -> (Vec<String>, bool) {
    let mut is_met = true;
    let lines = BUDGETS.iter().map(|budget| {
        let Budget {
            table,
            column,
            at_most,
        } = *budget;
        let worst = worst(tables, table, column);
        let is_within = worst.is_some_and(|worst| worst <= at_most);
        is_met &= is_within;
        let verdict = if is_within { "is met" } else { "is not met" };
        let measured = worst.map_or("not measured".into(), |worst| {
            format!("{worst:.1} at worst")
        });
        format!("{table}, {column}: {measured}; the budget of {at_most} {verdict}")
    });
    (lines.collect(), is_met)
}

fn worst(tables: &[Table], table: &str, column: &str) -> Option<f64> {
    let table = tables.iter().find(|it| it.key == table)?;
    let cell = table.row(FIRST)?.cells.get(table.at(column)?)?;
    // A round that has no figure has met no budget.
    let rounds = table.row(FIRST)?.cells.iter();
    let rounds = rounds.map(|cell| cell.samples.len()).max()?;
    (cell.samples.len() == rounds).then_some(cell.spread?.max)
}

#[cfg(test)]
mod tests {
    use super::super::column::{Better, Column, Shown};
    use super::super::options::Group;
    use super::super::table::{Row, Shape};
    use super::*;
    use jzon::object;

    fn accounted(delivered: Vec<usize>, left: &[usize]) -> Result<[usize; 4], String> {
        let mut said = object! { delivered: delivered, given_up: 3 };
        losses(&mut said, 5, left)?;
        Ok(["came", "left", "lost", "duplicated"].map(|name| said[name].as_usize().unwrap()))
    }

    #[test]
    fn every_element_is_somewhere_or_lost() {
        assert_eq!(accounted(vec![4, 0, 1], &[3, 2]).unwrap(), [3, 2, 0, 0]);
        assert_eq!(accounted(vec![4, 0], &[3]).unwrap(), [2, 1, 2, 0]);
        assert_eq!(accounted(vec![], &[]).unwrap(), [0, 0, 5, 0]);
    }

    #[test]
    fn one_that_is_there_twice_does_not_hide_one_that_is_lost() {
        assert_eq!(accounted(vec![0, 1, 2, 2], &[3]).unwrap(), [4, 1, 1, 1]);
        assert_eq!(accounted(vec![0, 1, 2], &[2, 3]).unwrap(), [3, 2, 1, 1]);
    }

    #[test]
    fn what_nobody_has_pushed_is_no_account() {
        assert!(accounted(vec![5], &[]).is_err());
        assert!(losses(&mut object! { delivered: ["x"] }, 5, &[]).is_err());
    }

    fn look(at_ns: u64, blocked: u64, connected: u64) -> Look {
        Look {
            at_ns,
            blocked,
            connected,
        }
    }

    fn seen(looks: &[Look]) -> Result<JsonValue, String> {
        let mut said = object! { cancelled: 2, began_ns: 1_000_000, ended_ns: 9_000_000 };
        cancelled(&mut said, looks, 2)?;
        Ok(said)
    }

    #[test]
    fn the_first_look_without_a_blocked_client_is_the_end() {
        let looks = [
            look(500_000, 2, 3),
            look(2_000_000, 1, 3),
            look(3_500_000, 0, 2),
            look(8_000_000, 0, 1),
            look(9_500_000, 0, 0),
        ];
        let said = seen(&looks).unwrap();
        assert_eq!(said["unblocked_ms"], 2.5);
        assert_eq!(
            (said["blocked"].clone(), said["connections"].clone()),
            (0.into(), 1.into())
        );
    }

    #[test]
    fn pops_that_only_end_with_the_program_were_not_given_up() {
        let looks = [
            look(500_000, 2, 3),
            look(8_000_000, 2, 3),
            look(9_500_000, 0, 0),
        ];
        let said = seen(&looks).unwrap();
        assert!(said["unblocked_ms"].is_null());
        assert_eq!(said["blocked"], 2);
    }

    #[test]
    fn pops_that_never_waited_are_no_figure() {
        assert!(seen(&[look(500_000, 1, 3), look(2_000_000, 0, 3)]).is_err());
        assert!(seen(&[look(500_000, 2, 3), look(9_500_000, 0, 3)]).is_err());
    }

    fn measured(lost: &[f64], unblocked_ms: &[f64]) -> Vec<Table> {
        let column = |key| Column::new(key, "", "", Better::Less, Shown::Table);
        let table = |key: &str, columns: &[(&'static str, &[f64])]| Table {
            group: Group::Cancel,
            key: key.into(),
            title: String::new(),
            about: String::new(),
            shape: Shape::Bars,
            columns: columns.iter().map(|(key, _)| column(key)).collect(),
            rows: vec![Row::new(
                FIRST,
                columns.iter().map(|(_, of)| of.to_vec()).collect(),
            )],
            notes: Vec::new(),
        };
        let none: &[f64] = &[0.0; 2];
        vec![
            table(
                "cancel",
                &[("unblocked_ms", unblocked_ms), ("blocked", none)],
            ),
            table("timeouts", &[("lost", lost), ("duplicated", none)]),
            table("aborts", &[("lost", none), ("duplicated", none)]),
        ]
    }

    #[test]
    fn one_bad_round_is_enough() {
        assert!(check(&measured(&[0.0, 0.0], &[10.0, 999.0])).1);
        let (lines, is_met) = check(&measured(&[0.0, 1.0], &[10.0, 20.0]));
        assert!(!is_met);
        assert_eq!(
            lines[2],
            "timeouts, lost: 1.0 at worst; the budget of 0 is not met"
        );
        assert!(!check(&measured(&[0.0, 0.0], &[10.0, 1_001.0])).1);
        assert!(!check(&measured(&[0.0, 0.0], &[10.0])).1);
        assert!(!check(&[]).1);
    }
}
