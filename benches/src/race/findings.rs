//! The race in a few words: where greenroom stands in the figures that count most.

use super::bars;
use super::report::Report;
use super::statistics::number;
use super::table::{FIRST, Standing, Table};

/// Which columns of which tables: the main ones come first.
const OTHERS: [(&str, &str); 5] = [
    ("growth_bytes", "bytes"),
    ("drain", "cpu_us"),
    ("shared", "cpu_us"),
    ("latency", "p50_us"),
    ("exact", "instructions"),
];
const MAIN: [&str; 2] = ["cpu_us", "cron_max_ms"];

/// A column of a table.
pub(crate) type Figure<'report> = (&'report Table, usize);

/// The figures that count most, as far as they were measured.
pub(crate) fn figures(report: &Report) -> Vec<Figure<'_>> {
    let main = MAIN.iter().filter_map(|key| figure(main(report)?, key));
    let others = OTHERS.iter().filter_map(|(table, column)| {
        let mut tables = report.tables.iter();
        figure(tables.find(|it| it.key == *table)?, column)
    });
    main.chain(others).collect()
}

fn figure<'report>(table: &'report Table, key: &str) -> Option<Figure<'report>> {
    let at = table.at(key)?;
    table.row(FIRST)?.cells.get(at)?.spread?;
    Some((table, at))
}

/// The pops with the most clients.
fn main(report: &Report) -> Option<&Table> {
    let clients = |table: &Table| table.key.strip_prefix("pops_")?.parse::<usize>().ok();
    let pops = report
        .tables
        .iter()
        .filter(|table| clients(table).is_some());
    pops.max_by_key(|table| clients(table))
}

/// The main finding.
pub(crate) fn headline(report: &Report) -> Option<String> {
    let (table, at) = *figures(report).first()?;
    let named = |standing| programs(table, at, standing);
    let [better, same, worse] = [Standing::Better, Standing::Same, Standing::Worse].map(named);
    let others = better.len() + same.len() + worse.len();
    let mut said = format!(
        "{}: greenroom takes less processor time than {} of {others} others",
        table.title,
        worse.len(),
    );
    for (names, what) in [(better, "more than"), (same, "about as much as")] {
        if !names.is_empty() {
            let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
            said += &format!(", {what} {}", names.join(" and "));
        }
    }
    Some(said + ".")
}

/// What stands where: the figure, its value, and those who are better, about the same and worse.
pub(crate) fn sentence((table, at): Figure) -> [String; 5] {
    let column = &table.columns[at];
    let cell = table.row(FIRST).and_then(|row| row.cells[at].spread);
    let value = cell.map_or(String::new(), |spread| bars::value(column, spread.median));
    let named = |standing| {
        let said = programs(table, at, standing).into_iter();
        let said = said.map(|(name, ratio)| match ratio {
            Some(ratio) => format!("{name}\u{a0}×{}", number(ratio)),
            None => name.into(),
        });
        said.collect::<Vec<_>>().join(", ")
    };
    [
        format!("{}: {}", table.title, column.title),
        value,
        named(Standing::Better),
        named(Standing::Same),
        named(Standing::Worse),
    ]
}

/// All that stand so, the best one first.
fn programs(table: &Table, at: usize, standing: Standing) -> Vec<(&str, Option<f64>)> {
    let rows = table.rows.iter();
    let rows = rows.filter(|row| table.standing(row, at) == Some(standing));
    let mut programs: Vec<_> = rows
        .map(|row| (row.program.as_str(), row.cells[at].ratio))
        .collect();
    let order = |(_, ratio): &(&str, Option<f64>)| ratio.unwrap_or(0.0);
    programs.sort_by(|one, other| order(one).total_cmp(&order(other)));
    programs
}

#[cfg(test)]
mod tests {
    use super::super::column::{Better, Column, Shown};
    use super::super::machine::Machine;
    use super::super::options::Group;
    use super::super::table::{Row, Shape};
    use super::*;

    fn pops(clients: usize, rows: Vec<Row>) -> Table {
        let column = Column::new(
            "cpu_us",
            "Processor a pop",
            "µs",
            Better::Less,
            Shown::Table,
        );
        Table {
            group: Group::Pops,
            key: format!("pops_{clients}"),
            title: format!("{clients} pops"),
            about: String::new(),
            shape: Shape::Bars,
            columns: vec![column],
            rows,
            notes: Vec::new(),
        }
        .compare()
    }

    fn report(tables: Vec<Table>) -> Report {
        Report {
            machine: Machine { lines: Vec::new() },
            tables,
            missing: Vec::new(),
        }
    }

    #[test]
    fn who_wins_is_said() {
        let row = |name: &str, runs: [f64; 2]| Row::new(name, vec![runs.to_vec()]);
        let report = report(vec![
            pops(
                900,
                vec![
                    row(FIRST, [10.0, 20.0]),
                    row("threads", [60.0, 60.0]),
                    row("fred", [30.0, 30.0]),
                    row("bare_mio", [3.0, 3.0]),
                    row("tokio_raw", [15.0, 25.0]),
                ],
            ),
            pops(500, Vec::new()),
        ]);
        assert_eq!(
            headline(&report).unwrap(),
            "900 pops: greenroom takes less processor time than 2 of 4 others, more than bare_mio, about as much as tokio_raw."
        );
        assert_eq!(
            sentence(figures(&report)[0]),
            [
                "900 pops: Processor a pop",
                "15.0 µs",
                "bare_mio\u{a0}×0.20",
                "tokio_raw\u{a0}×1.33",
                "fred\u{a0}×2.00, threads\u{a0}×4.00",
            ]
        );
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let threads = vec![Row::new("threads", vec![vec![1.0]])];
        for tables in [
            vec![],
            vec![pops(500, Vec::new())],
            vec![pops(500, threads)],
        ] {
            let report = report(tables);
            assert!(figures(&report).is_empty() && headline(&report).is_none());
        }
    }
}
