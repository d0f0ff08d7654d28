//! What is shown in the terminal.

use super::column::{Column, Shown};
use super::machine::Machine;
use super::statistics::number;
use super::table::{Cell, FIRST, Row, Shape, Table};
use comfy_table::{CellAlignment, Table as Grid, TableComponent, presets};
use std::fmt::Write as _;

/// What a race begins with.
pub(crate) fn machine(machine: &Machine) -> String {
    let width = machine
        .lines
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, value) in &machine.lines {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    let _ = writeln!(
        text,
        "\nShown are medians and, after ×, the multiple of {FIRST}'s; below them smallest..largest."
    );
    text
}

/// A table with its title; nothing if it is only for files.
pub(crate) fn table(table: &Table) -> String {
    if table.shape == Shape::Hidden {
        return String::new();
    }
    let mut text = format!("\n{}\n{}\n", table.title, wrapped(&table.about));
    if !table.rows.is_empty() {
        let _ = writeln!(text, "{}", grid(table));
    }
    for note in &table.notes {
        let _ = writeln!(text, "{}", wrapped(note));
    }
    text
}

fn grid(table: &Table) -> Grid {
    let shown = |column: &&Column| column.shown >= Shown::Table;
    let mut grid = Grid::new();
    grid.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    let of_runs = table.rows.iter().flat_map(|row| &row.cells);
    if of_runs.map(|cell| cell.samples.len()).max() < Some(2) {
        // All rows have one line.
        grid.remove_style(TableComponent::HorizontalLines);
    }
    let head = table.columns.iter().filter(shown).map(head);
    grid.set_header([String::new()].into_iter().chain(head));
    for Row { program, cells } in &table.rows {
        let cells = table.columns.iter().zip(cells);
        let cells = cells.filter(|(column, _)| shown(column));
        let cells = cells.map(|(_, cell)| told(cell));
        grid.add_row([program.clone()].into_iter().chain(cells));
    }
    for column in grid.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    grid
}

/// In lines that are not wide: the columns are many.
fn head(column: &Column) -> String {
    let mut lines = vec![String::new()];
    for word in column.title.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 12 => {
                let space = if line.is_empty() { "" } else { " " };
                *line = format!("{line}{space}{word}");
            }
            _ => lines.push(word.into()),
        }
    }
    if !column.unit.is_empty() {
        lines.push(format!("({})", column.unit));
    }
    lines.join("\n")
}

fn told(cell: &Cell) -> String {
    let Some(spread) = cell.spread else {
        return "-".into();
    };
    let ratio = cell
        .ratio
        .map_or(String::new(), |ratio| format!(" ×{}", number(ratio)));
    let mut text = format!("{}{ratio}", number(spread.median));
    if cell.samples.len() > 1 {
        let _ = write!(text, "\n{}..{}", number(spread.min), number(spread.max));
    }
    text
}

/// In lines of less than a hundred columns.
pub(crate) fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 99 => {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::column::Better;
    use super::super::options::Group;
    use super::*;

    #[test]
    fn a_table_says_medians_spreads_and_ratios() {
        let column = Column::new("a", "Processor a pop", "µs", Better::Less, Shown::Table);
        let detail = Column::new("b", "Hidden", "µs", Better::Less, Shown::Detail);
        let of = Table {
            group: Group::Pops,
            key: "t".into(),
            title: "Title".into(),
            about: "About.".into(),
            shape: Shape::Bars,
            columns: vec![column, detail],
            rows: vec![
                Row::new(FIRST, vec![vec![2.0, 1.0, 4.0], vec![1.0]]),
                Row::new("threads", vec![vec![3.0], vec![1.0]]),
                Row::new("fred", vec![vec![], vec![]]),
            ],
            notes: vec!["rustis failed: it is ill".into()],
        };
        let text = table(&of.compare());
        for part in [
            "Title\nAbout.\n",
            "2.00 ×1.00",
            "1.00..4.00",
            "3.00 ×1.50",
            "(µs)",
            "\nrustis failed: it is ill\n",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains("Hidden"));
    }

    #[test]
    fn long_lines_are_wrapped() {
        let text = wrapped(&"word ".repeat(50));
        assert!(text.lines().count() == 3 && text.lines().all(|line| line.len() < 100));
    }
}
