//! What an earlier race has found, from the JSON that it has written.
//!
//! Only samples are read: medians, spreads and ratios are computed from them, as they were then.

use super::Result;
use super::column::{Better, Column, Shown};
use super::files::SCHEMA;
use super::machine::Machine;
use super::options::Group;
use super::report::Report;
use super::table::{Row, Shape, Table};
use jzon::JsonValue;

pub(crate) fn report(text: &str) -> Result<Report> {
    let json = jzon::parse(text)?;
    if json["schema"].as_usize() != Some(SCHEMA) {
        return Err("these are no figures of a race, or those of another version".into());
    }
    let lines = json["machine"].entries();
    let lines = lines.map(|(name, value)| Ok((name.into(), string(value)?)));
    let missing = json["not_run"].members();
    let missing = missing.map(|it| Ok((string(&it["program"])?, string(&it["why"])?)));
    Ok(Report {
        machine: Machine {
            lines: lines.collect::<Result<_>>()?,
        },
        tables: json["tables"].members().map(table).collect::<Result<_>>()?,
        missing: missing.collect::<Result<_>>()?,
    })
}

fn table(json: &JsonValue) -> Result<Table> {
    let columns = json["columns"].members().map(column);
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    let rows = json["rows"].members().map(|row| {
        let figures = columns.iter();
        let figures = figures.map(|column| samples(&row["figures"][column.key.as_str()]));
        let program = string(&row["program"])?;
        Ok(Row::new(&program, figures.collect()))
    });
    let table = Table {
        group: word(&json["workload"], Group::of)?,
        key: string(&json["key"])?,
        title: string(&json["title"])?,
        about: string(&json["about"])?,
        shape: word(&json["shape"], Shape::of)?,
        rows: rows.collect::<Result<_>>()?,
        columns,
        notes: json["notes"].members().map(string).collect::<Result<_>>()?,
    };
    Ok(table.compare())
}

fn column(json: &JsonValue) -> Result<Column> {
    Ok(Column {
        key: string(&json["key"])?,
        title: string(&json["title"])?,
        unit: string(&json["unit"])?,
        better: word(&json["better"], Better::of)?,
        shown: word(&json["shown"], Shown::of)?,
        x: json["x"].as_usize(),
    })
}

/// None, where nothing was measured.
fn samples(figure: &JsonValue) -> Vec<f64> {
    let samples = figure["samples"].members();
    samples.filter_map(JsonValue::as_f64).collect()
}

fn word<T>(json: &JsonValue, of: fn(&str) -> Option<T>) -> Result<T> {
    let known = json.as_str().and_then(of);
    known.ok_or_else(|| format!("{json} is not known").into())
}

fn string(json: &JsonValue) -> Result<String> {
    let text = json.as_str().ok_or_else(|| format!("{json} is no text"))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::super::table::FIRST;
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let column = |key: &str, x| Column {
            x,
            ..Column::new(key, "Title", "µs", Better::More, Shown::Table)
        };
        let table = Table {
            group: Group::Growth,
            key: "k".into(),
            title: "T".into(),
            about: "A".into(),
            shape: Shape::Lines,
            columns: vec![column("a", Some(100)), column("b", None)],
            rows: vec![
                Row::new(FIRST, vec![vec![2.0, 3.5], vec![]]),
                Row::new("threads", vec![vec![0.125], vec![-1.0]]),
            ],
            notes: vec!["n".into()],
        };
        let written = files::json(&Report {
            machine: Machine {
                lines: vec![("kernel".into(), "6".into())],
            },
            tables: vec![table.compare()],
            missing: vec![("fred".into(), "why".into())],
        });
        assert_eq!(files::json(&report(&written).unwrap()), written);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for text in ["", "{}", "{\"schema\":0}", "{\"schema\":1,\"tables\":[{}]}"] {
            assert!(report(text).is_err(), "{text}");
        }
    }
}
