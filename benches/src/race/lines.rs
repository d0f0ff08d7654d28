//! Lines over the number of clients, one for each program.
//!
//! Both axes are logarithmic: a cost that grows with the number of clients is a straight line. Each
//! line ends in its name, and has marks and dashes of its own, so that no colour is needed to
//! follow it.

use super::statistics::{Spread, number};
use super::svg::{Point, Svg};
use super::table::{FIRST, Row, Table};

const SIZE: Point = (500.0, 330.0);
/// The corners of the area with the lines.
const TOP_LEFT: Point = (48.0, 12.0);
const BOTTOM_RIGHT: Point = (292.0, 284.0);
/// How far apart names have to be to be read.
const APART: f64 = 18.0;

/// One picture of all columns: a line for each program.
pub(crate) fn picture(table: &Table, id: &str) -> String {
    let description = table.rows.iter().map(|row| {
        let values = points(table, row);
        let values = values.map(|(x, spread)| format!("{} at {x}", number(spread.median)));
        format!("{}: {}", row.program, values.collect::<Vec<_>>().join(", "))
    });
    let description = description.collect::<Vec<_>>().join(". ");
    let mut svg = Svg::new(SIZE, &table.title, &description);
    let field = Field::of(table);
    field.draw(&mut svg, table);
    // The first is drawn last, above all others.
    let mut ends = Vec::new();
    for (number, row) in table.rows.iter().enumerate().rev() {
        let points = points(table, row);
        let points = points.map(|(x, spread)| {
            let at = |value| field.place((x, value));
            let whisker = (at(spread.min.max(field.y.min)), at(spread.max));
            (at(spread.median), whisker)
        });
        let (points, whiskers): (Vec<_>, Vec<_>) = points.unzip();
        for (min, max) in whiskers {
            svg.line(&format!("spread line{number}"), min, max);
        }
        svg.lines(&format!("line line{number}"), &points);
        for point in &points {
            svg.mark(&format!("mark line{number}"), number, *point);
        }
        ends.extend(points.last().map(|end| (*end, number)));
    }
    label(&mut svg, table, ends);
    svg.finish(id)
}

/// Only what a logarithm has: more than nothing.
fn points(table: &Table, row: &Row) -> impl Iterator<Item = (f64, Spread)> {
    let cells = table.columns.iter().zip(&row.cells);
    let points = cells.filter_map(|(column, cell)| Some((column.x? as f64, cell.spread?)));
    points.filter(|(_, spread)| spread.median > 0.0)
}

/// The area between the axes.
struct Field {
    x: Axis,
    y: Axis,
}

impl Field {
    fn of(table: &Table) -> Field {
        let all: Vec<_> = table
            .rows
            .iter()
            .flat_map(|row| points(table, row))
            .collect();
        let xs: Vec<f64> = all.iter().map(|(x, _)| *x).collect();
        let ys = all
            .iter()
            .flat_map(|(_, it)| [it.min, it.median, it.max])
            .filter(|y| *y > 0.0);
        Field {
            x: Axis::over(&xs),
            y: Axis::over(&ys.collect::<Vec<_>>()),
        }
    }

    fn place(&self, (x, y): Point) -> Point {
        (
            self.x.place(x, TOP_LEFT.0, BOTTOM_RIGHT.0),
            self.y.place(y, BOTTOM_RIGHT.1, TOP_LEFT.1),
        )
    }

    /// Thin lines at round values, and for each number of clients.
    fn draw(&self, svg: &mut Svg, table: &Table) {
        for tick in self.y.ticks() {
            let (_, at) = self.place((1.0, tick));
            svg.line("grid", (TOP_LEFT.0, at), (BOTTOM_RIGHT.0, at));
            svg.text("tick left", (TOP_LEFT.0 - 8.0, at + 4.5), &tick_text(tick));
        }
        let below = BOTTOM_RIGHT.1 + 18.0;
        for clients in table.columns.iter().filter_map(|column| column.x) {
            let clients = clients as f64;
            let (at, _) = self.place((clients, 1.0));
            svg.line("grid", (at, TOP_LEFT.1), (at, BOTTOM_RIGHT.1));
            svg.text("tick below", (at, below), &number(clients));
        }
        let middle = f64::midpoint(TOP_LEFT.0, BOTTOM_RIGHT.0);
        svg.text("tick below", (middle, SIZE.1 - 6.0), "clients");
    }
}

/// Names at the right, moved apart, with thin lines to the ends of theirs.
fn label(svg: &mut Svg, table: &Table, mut names: Vec<(Point, usize)>) {
    names.sort_by(|((_, one), _), ((_, other), _)| one.total_cmp(other));
    let mut places: Vec<f64> = names.iter().map(|((_, y), _)| *y).collect();
    for at in 1..places.len() {
        places[at] = places[at].max(places[at - 1] + APART);
    }
    // Those that were moved below the picture push the others back up.
    let mut lowest = BOTTOM_RIGHT.1;
    for place in places.iter_mut().rev() {
        *place = place.min(lowest);
        lowest = *place - APART;
    }
    for ((end, number), place) in names.into_iter().zip(places) {
        let row = &table.rows[number];
        let first = if row.program == FIRST { " first" } else { "" };
        svg.line(
            "leader",
            (end.0 + 6.0, end.1),
            (BOTTOM_RIGHT.0 + 16.0, place),
        );
        svg.mark(
            &format!("mark line{number}"),
            number,
            (BOTTOM_RIGHT.0 + 24.0, place),
        );
        let last = row
            .cells
            .iter()
            .rev()
            .find_map(|cell| Some((cell.spread?, cell.ratio)));
        let Some((spread, ratio)) = last else {
            continue;
        };
        let ratio = ratio.map_or(String::new(), |ratio| format!(" ×{}", self::number(ratio)));
        let name = format!("{} {}{ratio}", row.program, self::number(spread.median));
        svg.text(
            &format!("end{first}"),
            (BOTTOM_RIGHT.0 + 36.0, place + 4.5),
            &name,
        );
    }
}

fn tick_text(tick: f64) -> String {
    match tick < 1.0 {
        true => format!("{tick}"),
        false if tick < 100.0 => format!("{tick:.0}"),
        false => number(tick),
    }
}

/// An axis of powers of ten.
struct Axis {
    min: f64,
    max: f64,
}

impl Axis {
    fn over(values: &[f64]) -> Axis {
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(0.0, f64::max);
        match min < max {
            true => Axis { min, max },
            // One value, or none: anything will do.
            false => Axis {
                min: max.max(1.0) / 2.0,
                max: max.max(1.0) * 2.0,
            },
        }
    }

    /// Where a value is on a stretch from `start` to `end`, with some room around all values.
    fn place(&self, value: f64, start: f64, end: f64) -> f64 {
        let share = (value / self.min).ln() / (self.max / self.min).ln();
        start + (end - start) * (0.04 + 0.92 * share)
    }

    /// 1, 2, 5, 10 and so on; where there would be too many, only the powers of ten.
    fn ticks(&self) -> Vec<f64> {
        let within = |tick: &f64| (self.min * 0.95..=self.max * 1.05).contains(tick);
        let powers = (-6..12).map(|power| 10_f64.powi(power));
        let fine: Vec<f64> = powers
            .clone()
            .flat_map(|power| [power, 2.0 * power, 5.0 * power])
            .filter(within)
            .collect();
        match fine.len() {
            0..=8 => fine,
            _ => powers.filter(within).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_some_ticks() {
        let axis = |values: &[f64]| Axis::over(values).ticks();
        assert_eq!(axis(&[20.0, 400.0]), [20.0, 50.0, 100.0, 200.0]);
        assert_eq!(
            axis(&[1.0, 10_000.0]),
            [1.0, 10.0, 100.0, 1_000.0, 10_000.0]
        );
        assert!(!axis(&[7.0]).is_empty() && !axis(&[]).is_empty());
    }

    #[test]
    fn values_are_between_the_ends_of_an_axis() {
        let axis = Axis::over(&[100.0, 10_000.0]);
        let places = [100.0, 1_000.0, 10_000.0].map(|value| axis.place(value, 0.0, 100.0));
        assert_eq!(places.map(f64::round), [4.0, 50.0, 96.0]);
    }
}
