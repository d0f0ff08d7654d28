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

/// Medians that are closer than this share are the same.
const APART: f64 = 0.05;

/// Of all pairs of a run of one program and one of another, as many have to agree on which is less.
/// All of them would be too many: with one disturbed run, nothing would differ from anything.
const AGREEING: f64 = 0.8;

/// How a program compares with [`FIRST`]. What is not clearly apart is the same: another race may
/// have it the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Better,
    Same,
    Worse,
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
                    .filter(|(cell, first)| *cell > 0.0 && *first > 0.0)
                    .map(|(cell, first)| cell / first);
            }
        }
        self
    }

    /// How a row compares with that of [`FIRST`], if it is another one.
    pub(crate) fn standing(&self, row: &Row, at: usize) -> Option<Standing> {
        let first = self.row(FIRST).filter(|_| row.program != FIRST)?;
        let (first, other) = (&first.cells[at], &row.cells[at]);
        let (is_less, is_more) = (is_less(other, first)?, is_less(first, other)?);
        let (is_better, is_worse) = match self.columns[at].better {
            Better::Less => (is_less, is_more),
            Better::More => (is_more, is_less),
            Better::Neither => return None,
        };
        Some(match (is_better, is_worse) {
            (true, _) => Standing::Better,
            (_, true) => Standing::Worse,
            _ => Standing::Same,
        })
    }

    pub(crate) fn row(&self, program: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.program == program)
    }

    /// The number of a column.
    pub(crate) fn at(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }
}

/// Whether one cell is clearly below another.
fn is_less(one: &Cell, other: &Cell) -> Option<bool> {
    let (low, high) = (one.spread?.median, other.spread?.median);
    let pairs = one
        .samples
        .iter()
        .flat_map(|low| other.samples.iter().map(move |high| low < high));
    let agreeing = pairs.filter(|is_less| *is_less).count() as f64;
    let all = (one.samples.len() * other.samples.len()) as f64;
    Some(high - low > APART * high.abs() && agreeing >= AGREEING * all)
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

    #[test]
    fn what_is_not_clearly_apart_is_the_same() {
        let column = |better| Column::new("a", "A", "", better, Shown::Table);
        let rows = [
            (FIRST, [20.0, 21.0, 22.0, 30.0, 40.0]),
            ("less", [10.0, 11.0, 12.0, 13.0, 25.0]),
            ("overlaps", [10.0, 19.0, 20.0, 35.0, 36.0]),
            ("near", [19.0, 20.8, 21.8, 29.0, 39.0]),
            ("more", [39.0, 40.0, 41.0, 42.0, 43.0]),
        ];
        let standings = |better| {
            let table = Table {
                group: Group::Pops,
                key: "t".into(),
                title: "T".into(),
                about: String::new(),
                shape: Shape::Bars,
                columns: vec![column(better)],
                rows: rows
                    .iter()
                    .map(|(name, of)| Row::new(name, vec![of.to_vec()]))
                    .collect(),
                notes: Vec::new(),
            };
            let standing = |row| table.standing(row, 0);
            table.rows.iter().map(standing).collect::<Vec<_>>()
        };
        use Standing::{Better as Wins, Same, Worse};
        assert_eq!(
            standings(Better::Less),
            [None, Some(Wins), Some(Same), Some(Same), Some(Worse)]
        );
        assert_eq!(
            standings(Better::More),
            [None, Some(Worse), Some(Same), Some(Same), Some(Wins)]
        );
        assert_eq!(standings(Better::Neither), [None; 5]);
    }
}
