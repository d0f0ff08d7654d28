//! The figures as JSON and as CSV, for those who want to do something else with them.

use super::column::Column;
use super::report::Report;
use super::table::{Cell, Row, Table};
use jzon::{JsonValue, array, object};

/// The version of the JSON. Who changes what is there already raises it.
pub(crate) const SCHEMA: usize = 1;

/// All tables with all samples.
pub(crate) fn json(report: &Report) -> String {
    let mut machine = JsonValue::new_object();
    for (name, value) in &report.machine.lines {
        machine[name.as_str()] = value.as_str().into();
    }
    let not_run = report.missing.iter();
    let not_run = not_run.map(|(name, why)| object! { program: name.as_str(), why: why.as_str() });
    let json = object! {
        schema: SCHEMA,
        machine: machine,
        not_run: not_run.collect::<Vec<_>>(),
        tables: report.tables.iter().map(table).collect::<Vec<_>>(),
    };
    json.pretty(1) + "\n"
}

fn table(table: &Table) -> JsonValue {
    let row = |row: &Row| {
        let cells = table.columns.iter().zip(&row.cells);
        let mut figures = JsonValue::new_object();
        for (column, cell) in cells {
            figures[column.key.as_str()] = figure(cell);
        }
        object! { program: row.program.as_str(), figures: figures }
    };
    let column = |column: &Column| {
        object! {
            key: column.key.as_str(),
            title: column.title.as_str(),
            unit: column.unit.as_str(),
            better: column.better.word(),
            shown: column.shown.word(),
            x: column.x,
        }
    };
    object! {
        key: table.key.as_str(),
        workload: table.group.name(),
        title: table.title.as_str(),
        about: table.about.as_str(),
        shape: table.shape.word(),
        columns: table.columns.iter().map(column).collect::<Vec<_>>(),
        rows: table.rows.iter().map(row).collect::<Vec<_>>(),
        notes: table.notes.clone(),
    }
}

fn figure(cell: &Cell) -> JsonValue {
    let Some(spread) = cell.spread else {
        return JsonValue::Null;
    };
    let mut samples = array![];
    for sample in &cell.samples {
        // The only error is that this is no array.
        let _ = samples.push(*sample);
    }
    object! {
        median: spread.median,
        min: spread.min,
        max: spread.max,
        ratio: cell.ratio,
        samples: samples,
    }
}

/// A line for each figure.
pub(crate) fn csv(report: &Report) -> String {
    let mut csv = String::from("table,program,figure,unit,better,median,min,max,ratio,rounds\n");
    for table in &report.tables {
        for row in &table.rows {
            let cells = table.columns.iter().zip(&row.cells);
            cells.for_each(|(column, cell)| csv.push_str(&line(table, row, column, cell)));
        }
    }
    csv
}

/// No field has a comma or a quote in it: they are keys, units and numbers.
fn line(table: &Table, row: &Row, column: &Column, cell: &Cell) -> String {
    let Some(spread) = cell.spread else {
        return String::new();
    };
    let ratio = cell
        .ratio
        .map_or(String::new(), |ratio| format!("{ratio:.4}"));
    format!(
        "{},{},{},{},{},{:.4},{:.4},{:.4},{ratio},{}\n",
        table.key,
        row.program,
        column.key,
        column.unit,
        column.better.word(),
        spread.median,
        spread.min,
        spread.max,
        cell.samples.len(),
    )
}
