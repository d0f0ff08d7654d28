//! Bars: a program in each row, with its value and the multiple of [`FIRST`]'s.
//!
//! They begin at zero, so that their lengths may be compared. One that is many times as long as all
//! others would leave nothing of them to compare: it is torn, and only its value says how long it
//! is.

use super::column::Column;
use super::statistics::{Spread, number};
use super::svg::{Point, Svg};
use super::table::{FIRST, Row, Standing, Table};

pub(crate) const WIDTH: f64 = 420.0;
pub(crate) const ROW: f64 = 24.0;
/// Where bars begin and end.
const START: f64 = 128.0;
const END: f64 = 288.0;
/// Where values and ratios end.
const VALUE: f64 = 364.0;
const RATIO: f64 = WIDTH - 2.0;

/// So many times as long as the next shorter one is a bar that is torn.
const TORN: f64 = 4.0;

/// As many are to be left that are not torn.
const WHOLE_MIN: usize = 2;

/// A picture of one column.
pub(crate) fn picture(table: &Table, at: usize, id: &str) -> String {
    let column = &table.columns[at];
    let said = rows(table, at).map(|(row, spread)| {
        let value = format!("{} {}", number(spread.median), column.unit);
        format!("{} {}", row.program, value.trim_end())
    });
    let said = said.collect::<Vec<_>>().join("; ");
    let title = format!("{}, {}", table.title, column.title);
    let description = format!("Bars, {}: {said}.", column.better.said());
    let height = ROW * rows(table, at).count() as f64;
    let mut svg = Svg::new((WIDTH, height), &title, &description);
    draw(&mut svg, table, at);
    svg.finish(id)
}

/// All who have this figure.
pub(crate) fn rows(table: &Table, at: usize) -> impl Iterator<Item = (&Row, Spread)> {
    let rows = table.rows.iter();
    rows.filter_map(move |row| Some((row, row.cells[at].spread?)))
}

/// Whether any bar is torn.
pub(crate) fn is_torn(table: &Table, at: usize) -> bool {
    let spreads: Vec<_> = rows(table, at).map(|(_, spread)| spread).collect();
    let end = end(&spreads);
    spreads.iter().any(|spread| spread.median > end)
}

/// Draws them below the point where the picture is now.
pub(crate) fn draw(svg: &mut Svg, table: &Table, at: usize) {
    let spreads: Vec<_> = rows(table, at).map(|(_, spread)| spread).collect();
    let end = end(&spreads);
    for (number, (row, spread)) in rows(table, at).enumerate() {
        let middle = ROW * (number as f64 + 0.5);
        let first = if row.program == FIRST { " first" } else { "" };
        bar(svg, first, spread, (end, middle));
        let base = middle + 4.5;
        svg.text(&format!("name{first}"), (START - 8.0, base), &row.program);
        let value = self::number(spread.median);
        svg.text(&format!("value{first}"), (VALUE, base), &value);
        if let Some(ratio) = row.cells[at].ratio {
            let better = match table.standing(row, at) {
                Some(Standing::Better) => " better",
                _ => "",
            };
            let ratio = format!("×{}", self::number(ratio));
            svg.text(&format!("ratio{better}"), (RATIO, base), &ratio);
        }
    }
}

fn bar(svg: &mut Svg, first: &str, spread: Spread, (end, middle): Point) {
    let x = |value: f64| START + (END - START) * (value / end).clamp(0.0, 1.0);
    let length = (x(spread.median) - START).max(1.0);
    let (top, height) = (middle - 8.0, 16.0);
    svg.bar(&format!("bar{first}"), (START, top), (length, height));
    if spread.median > end {
        for tear in [END - 24.0, END - 16.0] {
            svg.line("tear", (tear, middle + 10.0), (tear + 6.0, middle - 10.0));
        }
    } else {
        let is_whole = spread.max <= end;
        whisker(svg, (x(spread.min), x(spread.max)), middle, is_whole);
    }
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

/// The value at the end of the picture. A single slow run must not make all bars short either: its
/// whisker is cut off.
fn end(spreads: &[Spread]) -> f64 {
    let mut spreads = spreads.to_vec();
    spreads.sort_unstable_by(|one, other| one.median.total_cmp(&other.median));
    while let [.., next, last] = spreads[..]
        && spreads.len() > WHOLE_MIN
        && last.median > TORN * next.median
    {
        spreads.pop();
    }
    let median = spreads.last().map_or(0.0, |spread| spread.median);
    let max = spreads.iter().map(|spread| spread.max).fold(0.0, f64::max);
    max.min(1.5 * median).max(f64::MIN_POSITIVE)
}

/// A value with its unit, for sentences.
pub(crate) fn value(column: &Column, value: f64) -> String {
    match column.unit.as_str() {
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, max: f64) -> Spread {
        Spread {
            median,
            min: median,
            max,
        }
    }

    #[test]
    fn one_slow_run_does_not_shorten_all_bars() {
        assert_eq!(end(&[spread(10.0, 11.0), spread(2.0, 3.0)]), 11.0);
        assert_eq!(end(&[spread(10.0, 99.0)]), 15.0);
        assert!(end(&[spread(0.0, 0.0)]) > 0.0);
        assert!(end(&[]) > 0.0);
    }

    #[test]
    fn one_long_bar_is_torn() {
        let of = |medians: &[f64]| {
            let spreads: Vec<_> = medians.iter().map(|&it| spread(it, it)).collect();
            end(&spreads)
        };
        assert_eq!(of(&[2.0, 90.0, 3.0]), 3.0);
        assert_eq!(of(&[2.0, 12.0, 3.0]), 12.0);
        assert_eq!(of(&[1.0, 2.0, 900.0, 20.0]), 2.0);
        // Of two, the longer one is what there is to see.
        assert_eq!(of(&[2.0, 90.0]), 90.0);
    }
}
