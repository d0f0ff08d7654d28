//! One small picture of the figures that count most, as a file of its own: bars side by side.
//!
//! It is shown among a page's text, at a width of some 830 pixels, and must not need that page: it
//! has its colours for light and dark with it, and a ground of its own, since the page's theme need
//! not be the system's.

use super::bars::{self, ROW, WIDTH};
use super::findings::{self, Figure};
use super::report::Report;
use super::svg::Svg;
use super::text;

const STYLE: &str = concat!(include_str!("picture.css"), include_str!("svg.css"));

const MARGIN: f64 = 16.0;
/// Between two columns.
const GAP: f64 = 28.0;
/// Above the bars: what they are, and of what.
const CAPTION: f64 = 42.0;
/// Below the bars.
const SPACE: f64 = 12.0;
const HEAD: f64 = 22.0;
const LINE: f64 = 18.0;
const FOOT: f64 = 46.0;

/// The file.
pub(crate) fn picture(report: &Report) -> String {
    let figures = findings::figures(report);
    // As many as fill two columns.
    let figures = &figures[..figures.len().min(6)];
    let heights = figures.chunks(2).map(height);
    let width = 2.0 * (MARGIN + WIDTH) + GAP;
    let headline = findings::headline(report).unwrap_or_default();
    // A line of the terminal is as wide.
    let lines = text::wrapped(&headline);
    let head = HEAD + LINE * lines.lines().count() as f64;
    let size = (width, head + heights.sum::<f64>() + FOOT);
    let said = figures.iter().map(|figure| said(*figure));
    let mut svg = Svg::new(size, &headline, &said.collect::<Vec<_>>().join(" "));
    svg.bar("ground", (0.0, 0.0), size);
    for (line, text) in lines.lines().enumerate() {
        svg.text("head", (MARGIN, 28.0 + LINE * line as f64), text);
    }
    let mut top = head;
    for pair in figures.chunks(2) {
        for (place, figure) in pair.iter().enumerate() {
            panel(
                &mut svg,
                *figure,
                (MARGIN + place as f64 * (WIDTH + GAP), top),
            );
        }
        top += height(pair);
    }
    svg.move_to((MARGIN, top));
    for (line, text) in [explained(figures), origin(report)].iter().enumerate() {
        svg.text("quiet", (0.0, 14.0 + LINE * line as f64), text);
    }
    svg.finish_alone(STYLE)
}

fn height(pair: &[Figure]) -> f64 {
    let rows = pair
        .iter()
        .map(|(table, at)| bars::rows(table, *at).count());
    CAPTION + ROW * rows.max().unwrap_or(0) as f64 + SPACE
}

fn panel(svg: &mut Svg, (table, at): Figure, (x, y): (f64, f64)) {
    let column = &table.columns[at];
    svg.move_to((x, y));
    svg.text("head", (0.0, 16.0), &column.title);
    let unit = match column.unit.as_str() {
        "" => String::new(),
        unit => format!("{unit}; "),
    };
    let below = format!("{unit}{}; {}", column.better.said(), table.title);
    svg.text("quiet", (0.0, 33.0), &below);
    svg.move_to((x, y + CAPTION));
    bars::draw(svg, table, at);
}

fn said(figure: Figure) -> String {
    let [what, value, ..] = findings::sentence(figure);
    format!("{what}, greenroom {value}.")
}

fn explained(figures: &[Figure]) -> String {
    let torn = match figures.iter().any(|(table, at)| bars::is_torn(table, *at)) {
        true => " Torn bars are longer than shown.",
        false => "",
    };
    format!(
        "Medians; thin lines: smallest to largest. ×: multiple of greenroom's, bold where clearly better.{torn}"
    )
}

fn origin(report: &Report) -> String {
    let lines = report.machine.lines.iter();
    let lines = lines.filter(|(name, _)| ["date", "machine", "revision"].contains(&name.as_str()));
    lines
        .map(|(_, value)| value.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::column::{Better, Column, Shown};
    use super::super::machine::Machine;
    use super::super::options::Group;
    use super::super::table::{FIRST, Row, Shape, Table};
    use super::*;

    #[test]
    fn it_stands_alone() {
        let column =
            |key: &str| Column::new(key, "Processor <a>", "µs", Better::Less, Shown::Table);
        let table = Table {
            group: Group::Pops,
            key: "pops_500".into(),
            title: "500 pops".into(),
            about: String::new(),
            shape: Shape::Bars,
            columns: vec![column("cpu_us"), column("cron_max_ms")],
            rows: vec![
                Row::new(FIRST, vec![vec![2.0]; 2]),
                Row::new("threads", vec![vec![3.0]; 2]),
                Row::new("fred", vec![vec![99.0]; 2]),
            ],
            notes: Vec::new(),
        };
        let svg = picture(&Report {
            machine: Machine {
                lines: vec![("machine".into(), "<2 cores>".into())],
            },
            tables: vec![table.compare()],
            missing: Vec::new(),
        });
        assert!(svg.starts_with("<svg xmlns=") && svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("class=\"bar first\"").count(), 2);
        assert!(svg.contains("&lt;2 cores&gt;") && svg.contains("Processor &lt;a&gt;"));
        assert!(svg.contains("class=\"tear\"") && svg.contains("Torn bars"));
        assert!(!svg.contains("url(") && !svg.contains("href"));
    }
}
