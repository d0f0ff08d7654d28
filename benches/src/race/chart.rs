//! Pictures of tables.
//!
//! Bars begin at zero, so that their lengths may be compared; the values stand beside them. Lines
//! are over axes of powers, on which a cost that grows with the number of clients is a straight
//! line; each ends in its name, and has marks and dashes of its own, so that no colour is needed to
//! follow it.

use super::column::Column;
use super::statistics::{Spread, number};
use super::svg::{Point, Svg};
use super::table::{FIRST, Row, Table};

const WIDTH: f64 = 560.0;
const NAMES: f64 = 124.0;
/// Where bars end, and their values begin.
const BARS_END: f64 = 404.0;
const ROW: f64 = 26.0;

/// A picture of one column: a bar for each program.
pub(crate) fn bars(table: &Table, at: usize, id: &str) -> String {
    let column = &table.columns[at];
    let rows: Vec<(&Row, Spread)> = table
        .rows
        .iter()
        .filter_map(|row| Some((row, row.cells[at].spread?)))
        .collect();
    let said = rows
        .iter()
        .map(|(row, spread)| format!("{} {}", row.program, value(column, *spread)));
    let said = said.collect::<Vec<_>>().join("; ");
    let title = format!("{}, {}", table.title, column.title);
    let description = format!("Bars, {}: {said}.", column.better.said());
    let mut svg = Svg::new((WIDTH, ROW * rows.len() as f64 + 6.0), &title, &description);
    let longest = longest(rows.iter().map(|(_, spread)| *spread));
    let x = |value: f64| NAMES + (BARS_END - NAMES) * (value / longest).clamp(0.0, 1.0);
    for (number, (row, spread)) in rows.iter().enumerate() {
        let top = 3.0 + ROW * number as f64;
        let middle = top + ROW / 2.0;
        let first = if row.program == FIRST { " first" } else { "" };
        let name = (NAMES - 8.0, middle + 4.5);
        svg.text(&format!("name{first}"), name, &row.program);
        let length = (x(spread.median) - NAMES).max(1.0);
        svg.bar(
            &format!("bar{first}"),
            (NAMES, top + 4.0),
            (length, ROW - 8.0),
        );
        whisker(
            &mut svg,
            (x(spread.min), x(spread.max)),
            middle,
            spread.max <= longest,
        );
        svg.text(
            &format!("value{first}"),
            (490.0, middle + 4.5),
            &value(column, *spread),
        );
        if let Some(ratio) = row.cells[at].ratio {
            svg.text(
                "ratio",
                (WIDTH - 2.0, middle + 4.5),
                &format!("×{}", self::number(ratio)),
            );
        }
    }
    svg.finish(id)
}

fn value(column: &Column, spread: Spread) -> String {
    let unit = match column.unit.as_str() {
        "a second" => " /s".into(),
        unit => format!(" {unit}"),
    };
    format!("{}{unit}", number(spread.median)).trim_end().into()
}

/// The value at the end of the picture. A single slow run must not make all bars short: its whisker
/// is cut off.
fn longest(spreads: impl Iterator<Item = Spread> + Clone) -> f64 {
    let median = spreads
        .clone()
        .map(|spread| spread.median)
        .fold(0.0, f64::max);
    let max = spreads.map(|spread| spread.max).fold(0.0, f64::max);
    max.min(1.5 * median).max(f64::MIN_POSITIVE)
}

/// From the smallest to the largest; without an end where it is cut off.
fn whisker(svg: &mut Svg, (min, max): Point, y: f64, is_whole: bool) {
    if max - min < 1.0 {
        return;
    }
    svg.line("whisker", (min, y), (max, y));
    svg.line("whisker", (min, y - 4.0), (min, y + 4.0));
    if is_whole {
        svg.line("whisker", (max, y - 4.0), (max, y + 4.0));
    }
}

const LINES: Point = (860.0, 400.0);
/// The corners of the area with the lines.
const TOP_LEFT: Point = (64.0, 14.0);
const BOTTOM_RIGHT: Point = (650.0, 350.0);
/// How far apart names have to be to be read.
const APART: f64 = 17.0;

/// One picture of all columns: a line for each program.
pub(crate) fn lines(table: &Table, id: &str) -> String {
    let all = table.rows.iter().flat_map(|row| points(table, row));
    let (xs, ys): (Vec<f64>, Vec<f64>) = all.unzip();
    let description = table.rows.iter().map(|row| {
        let values = points(table, row);
        let values = values.iter().map(|(x, y)| format!("{} at {x}", number(*y)));
        format!("{}: {}", row.program, values.collect::<Vec<_>>().join(", "))
    });
    let description = description.collect::<Vec<_>>().join(". ");
    let mut svg = Svg::new(LINES, &table.title, &description);
    let (x, y) = (Axis::over(&xs), Axis::over(&ys));
    let place = |(at_x, at_y): Point| {
        (
            x.place(at_x, TOP_LEFT.0, BOTTOM_RIGHT.0),
            y.place(at_y, BOTTOM_RIGHT.1, TOP_LEFT.1),
        )
    };
    for tick in y.ticks() {
        let (_, at) = place((1.0, tick));
        svg.line("grid", (TOP_LEFT.0, at), (BOTTOM_RIGHT.0, at));
        svg.text("tick left", (TOP_LEFT.0 - 8.0, at + 4.5), &tick_text(tick));
    }
    for column in &table.columns {
        let Some(clients) = column.x else { continue };
        let (at, _) = place((clients as f64, 1.0));
        svg.line("grid", (at, TOP_LEFT.1), (at, BOTTOM_RIGHT.1));
        svg.text(
            "tick below",
            (at, BOTTOM_RIGHT.1 + 20.0),
            &number(clients as f64),
        );
    }
    let middle = f64::midpoint(TOP_LEFT.0, BOTTOM_RIGHT.0);
    svg.text("tick below", (middle, LINES.1 - 6.0), "clients");
    let mut names = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        let points: Vec<Point> = points(table, row).into_iter().map(place).collect();
        svg.lines(&format!("line line{number}"), &points);
        for point in &points {
            svg.mark(&format!("mark line{number}"), number, *point);
        }
        names.extend(points.last().map(|end| (*end, number)));
    }
    label(&mut svg, table, names);
    svg.finish(id)
}

/// Only what a logarithm has: more than nothing.
fn points(table: &Table, row: &Row) -> Vec<Point> {
    let cells = table.columns.iter().zip(&row.cells);
    let points = cells.filter_map(|(column, cell)| Some((column.x? as f64, cell.spread?.median)));
    points.filter(|(_, y)| *y > 0.0).collect()
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
            (BOTTOM_RIGHT.0 + 22.0, place),
        );
        svg.mark(
            &format!("mark line{number}"),
            number,
            (BOTTOM_RIGHT.0 + 30.0, place),
        );
        let last = points(table, row).last().map_or(0.0, |(_, y)| *y);
        let name = format!("{} {}", row.program, self::number(last));
        svg.text(
            &format!("end{first}"),
            (BOTTOM_RIGHT.0 + 42.0, place + 4.5),
            &name,
        );
    }
}

fn tick_text(tick: f64) -> String {
    match tick < 1.0 {
        true => format!("{tick}"),
        false => number(tick.round()),
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
    fn one_slow_run_does_not_shorten_all_bars() {
        let spread = |median, max| Spread {
            median,
            min: median,
            max,
        };
        assert_eq!(
            longest([spread(10.0, 11.0), spread(2.0, 3.0)].into_iter()),
            11.0
        );
        assert_eq!(longest([spread(10.0, 99.0)].into_iter()), 15.0);
        assert!(longest([spread(0.0, 0.0)].into_iter()) > 0.0);
    }

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
