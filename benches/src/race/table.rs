//! The result: tables, from which everything that is shown and written is made.

use super::column::{Better, Column, Metric};
use super::measure::Run;
use super::options::Group;
use super::plan::Work;
use super::statistics::Spread;

/// The program with which the others are compared.
pub(crate) const FIRST: &str = "greenroom";

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A picture for each column: a bar for each program.
    Bars,
    /// One picture: a line for each program, a point for each column.
    Lines,
    /// Only as text.
    Hidden,
}

impl Shape {
    const ALL: [Shape; 3] = [Shape::Bars, Shape::Lines, Shape::Hidden];

    /// In file formats.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Shape::Bars => "bars",
            Shape::Lines => "lines",
            Shape::Hidden => "hidden",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Shape> {
        Shape::ALL.into_iter().find(|shape| shape.word() == word)
    }
}

/// Programs and what was measured of them.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) group: Group,
    /// In file formats.
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) shape: Shape,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// Who did not run and why, what went wrong.
    pub(crate) notes: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) program: String,
    /// One for each column.
    pub(crate) cells: Vec<Cell>,
}

/// What was seen of one column in the runs of one program: nothing, if it could not be measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) samples: Vec<f64>,
    pub(crate) spread: Option<Spread>,
    /// The median as a multiple of that of [`FIRST`].
    pub(crate) ratio: Option<f64>,
}

impl Row {
    /// One list of samples for each column.
    pub(crate) fn new(program: &str, samples: Vec<Vec<f64>>) -> Row {
        let cell = |samples: Vec<f64>| Cell {
            spread: Spread::of(&samples),
            samples,
            ratio: None,
        };
        Row {
            program: program.into(),
            cells: samples.into_iter().map(cell).collect(),
        }
    }

    /// The figures of some runs.
    pub(crate) fn of_runs(program: &str, metrics: &[Metric], work: &Work, runs: &[Run]) -> Row {
        let samples = |metric: &Metric| {
            let value = |run| (metric.value)(work, run);
            runs.iter().filter_map(value).collect()
        };
        Row::new(program, metrics.iter().map(samples).collect())
    }
}

impl Table {
    /// Compares every row with that of [`FIRST`]. A ratio of what is not above zero says nothing,
    /// nor does one of what is neither good nor bad.
    pub(crate) fn compare(mut self) -> Table {
        let first = self.rows.iter().find(|row| row.program == FIRST);
        let Some(first) = first.cloned() else {
            return self;
        };
        for row in &mut self.rows {
            let cells = row.cells.iter_mut().zip(&first.cells);
            for ((cell, first), column) in cells.zip(&self.columns) {
                let medians = cell.spread.zip(first.spread);
                let medians = medians.map(|(cell, first)| (cell.median, first.median));
                cell.ratio = medians
                    .filter(|_| column.better != Better::Neither)
                    .filter(|(cell, first)| *cell >= 0.0 && *first > 0.0)
                    .map(|(cell, first)| cell / first);
            }
        }
        self
    }

    pub(crate) fn row(&self, program: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.program == program)
    }

    /// The number of a column.
    pub(crate) fn at(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Shown;
    use super::*;

    #[test]
    fn ratios_are_to_greenroom() {
        let column = Column::new("a", "A", "", Better::Less, Shown::Table);
        let table = Table {
            group: Group::Pops,
            key: "t".into(),
            title: "T".into(),
            about: String::new(),
            shape: Shape::Bars,
            columns: vec![column.clone(), column],
            rows: vec![
                Row::new("threads", vec![vec![3.0, 5.0], vec![1.0]]),
                Row::new(FIRST, vec![vec![2.0], vec![0.0]]),
            ],
            notes: Vec::new(),
        }
        .compare();
        let ratios = |name| {
            let row = table.row(name).unwrap();
            row.cells.iter().map(|cell| cell.ratio).collect::<Vec<_>>()
        };
        assert_eq!(ratios("threads"), [Some(2.0), None]);
        assert_eq!(ratios(FIRST), [Some(1.0), None]);
    }
}
