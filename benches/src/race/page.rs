//! The page: one file, which needs no network and nothing beside it.

use super::column::{Column, Shown};
use super::findings;
use super::options::Group;
use super::programs;
use super::report::Report;
use super::statistics::number;
use super::svg::escaped;
use super::table::{FIRST, Row, Shape, Standing, Table};
use super::{bars, lines};

const STYLE: &str = concat!(include_str!("page.css"), include_str!("svg.css"));
const SCRIPT: &str = include_str!("page.js");

/// The file.
pub(crate) fn page(report: &Report) -> String {
    let groups = Group::ALL.into_iter().map(|group| section(report, group));
    let sections: String = groups.collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>greenroom: the race</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<button id=\"theme\" type=\"button\" hidden></button>\n<h1>greenroom: the race</h1>\n{}</header>\n\
         <main>\n{}{sections}</main>\n<footer>\n{}{}</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        introduction(report),
        standings(report),
        contenders(report),
        machine(report),
    )
}

fn introduction(report: &Report) -> String {
    let headline = findings::headline(report);
    let headline = headline.map_or(String::new(), |it| {
        format!("<p class=\"headline\">{}</p>\n", escaped(&it))
    });
    format!(
        "{headline}<p>Several programs do the same work against the same Redis server, one after the other, in turns. \
         Shown are medians; thin lines go from the smallest to the largest of all runs. × is the multiple of {FIRST}’s \
         figure, in bold where a program is clearly better: by more than a twentieth, and in four of five pairs of runs. A torn bar is longer than shown.</p>\n",
    )
}

/// What stands above those who are so.
const LABELS: [&str; 4] = [FIRST, "better", "no clear difference", "worse"];

/// Where greenroom stands, at one look.
fn standings(report: &Report) -> String {
    let rows = findings::figures(report).into_iter().map(|figure| {
        let [what, said @ ..] = findings::sentence(figure);
        let cells = LABELS.iter().zip(said);
        let cells = cells
            .map(|(label, said)| format!("<td data-label=\"{label}\">{}</td>", escaped(&said)));
        let (what, cells) = (escaped(&what), cells.collect::<String>());
        format!("<tr><th scope=\"row\">{what}</th>{cells}</tr>\n")
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    let heads = LABELS.map(|label| format!("<th scope=\"col\">{label}</th>"));
    format!(
        "<div class=\"scroll findings\">\n<table>\n<thead>\n<tr><td></td>{}</tr>\n</thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</div>\n",
        heads.concat(),
    )
}

/// Who is who, and who is missing.
fn contenders(report: &Report) -> String {
    let lines = programs::NAMES.iter();
    let lines = lines.map(|name| (name.to_string(), programs::about(name).to_string()));
    let not_run = notes(&report.not_run().collect::<Vec<_>>());
    format!("<h2>The programs</h2>\n{}{not_run}", list(lines))
}

fn machine(report: &Report) -> String {
    let lines = report.machine.lines.iter().cloned();
    format!("<h2>The machine</h2>\n{}", list(lines))
}

fn list(lines: impl Iterator<Item = (String, String)>) -> String {
    let lines = lines.map(|(name, value)| {
        let (name, value) = (escaped(&name), escaped(&value));
        format!("<dt>{name}</dt><dd>{value}</dd>\n")
    });
    format!("<dl>\n{}</dl>\n", lines.collect::<String>())
}

fn notes(notes: &[String]) -> String {
    let items = notes
        .iter()
        .map(|note| format!("<li>{}</li>\n", escaped(note)));
    match notes {
        [] => String::new(),
        _ => format!("<ul class=\"notes\">\n{}</ul>\n", items.collect::<String>()),
    }
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Pops => "Blocking pops",
        Group::Queue => "A queue",
        Group::Ping => "Many connections",
        Group::Shared => "A shared connection",
        Group::Cancel => "Pops that are given up",
        Group::Growth => "More and more clients",
        Group::Exact => "Counted",
    }
}

fn section(report: &Report, group: Group) -> String {
    let tables = report.tables.iter().filter(|table| table.group == group);
    let parts: String = tables
        .filter(|table| table.shape != Shape::Hidden)
        .map(part)
        .collect();
    match parts.as_str() {
        "" => String::new(),
        _ => {
            let (id, heading) = (group.name(), heading(group));
            format!("<section id=\"{id}\">\n<h2>{heading}</h2>\n{parts}</section>\n")
        }
    }
}

/// Pictures above, the table below.
fn part(table: &Table) -> String {
    let (title, about) = (escaped(&table.title), escaped(&table.about));
    let head = format!("<h3>{title}</h3>\n<p>{about}</p>\n");
    let body = match (table.rows.is_empty(), table.shape) {
        (true, _) => String::new(),
        (_, Shape::Lines) => curves(table) + &grid(table),
        _ => pictures(table) + &grid(table),
    };
    format!("<article>\n{head}{body}{}</article>\n", notes(&table.notes))
}

fn pictures(table: &Table) -> String {
    let drawn = table.columns.iter().enumerate();
    let drawn = drawn.filter(|(_, column)| column.shown == Shown::Picture);
    let figures = drawn.map(|(at, column)| {
        let id = format!("{}-{}", table.key, column.key);
        figure(column, &column.title, "", &bars::picture(table, at, &id))
    });
    format!(
        "<div class=\"pictures\">\n{}</div>\n",
        figures.collect::<String>()
    )
}

fn curves(table: &Table) -> String {
    let Some(column) = table.columns.first() else {
        return String::new();
    };
    let picture = lines::picture(table, &table.key);
    figure(column, "Both scales are logarithmic", " wide", &picture)
}

fn figure(column: &Column, title: &str, class: &str, picture: &str) -> String {
    let unit = match column.unit.as_str() {
        "" => String::new(),
        unit => format!("{}; ", escaped(unit)),
    };
    let (title, better) = (escaped(title), column.better.said());
    format!(
        "<figure class=\"picture{class}\">\n<figcaption><b>{title}</b> ({unit}{better})</figcaption>\n\
         {picture}</figure>\n"
    )
}

fn grid(table: &Table) -> String {
    let heads = table.columns.iter().map(|column| {
        let title = escaped(&column.title);
        let unit = match column.unit.as_str() {
            "" => String::new(),
            unit => format!("<br><small>{}</small>", escaped(unit)),
        };
        format!("<th scope=\"col\">{title}{unit}</th>\n")
    });
    let rows = table.rows.iter().map(|it| row(table, it));
    let title = escaped(&table.title);
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}, as a table\">\n<table>\n\
         <thead>\n<tr><th scope=\"col\">program</th>\n{}</tr>\n</thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        heads.collect::<String>(),
        rows.collect::<String>(),
    )
}

fn row(table: &Table, row: &Row) -> String {
    let class = if row.program == FIRST {
        " class=\"first\""
    } else {
        ""
    };
    let cells: String = (0..row.cells.len())
        .map(|at| cell(table, row, at))
        .collect();
    let program = escaped(&row.program);
    format!("<tr{class}><th scope=\"row\">{program}</th>\n{cells}</tr>\n")
}

fn cell(table: &Table, row: &Row, at: usize) -> String {
    let Some(spread) = row.cells[at].spread else {
        return "<td>–</td>\n".into();
    };
    let class = match table.standing(row, at) {
        Some(Standing::Better) => "ratio better",
        _ => "ratio",
    };
    let ratio = row.cells[at].ratio.map_or(String::new(), |ratio| {
        format!(" <span class=\"{class}\">×{}</span>", number(ratio))
    });
    let [median, min, max] = [spread.median, spread.min, spread.max].map(number);
    let between = match min == max {
        true => String::new(),
        false => format!("<br><small>{min}..{max}</small>"),
    };
    format!("<td>{median}{ratio}{between}</td>\n")
}

#[cfg(test)]
mod tests {
    use super::super::column::Better;
    use super::super::machine::Machine;
    use super::*;

    fn report() -> Report {
        let column = |key: &str, x| Column {
            x,
            ..Column::new(key, "Processor <time>", "µs", Better::Less, Shown::Picture)
        };
        let table = |shape, columns: Vec<Column>| {
            let samples = vec![vec![2.0, 3.0]; columns.len()];
            Table {
                group: Group::Pops,
                key: format!("{shape:?}"),
                title: "500 <pops>".into(),
                about: "a & b".into(),
                shape,
                columns,
                rows: vec![
                    Row::new(FIRST, samples.clone()),
                    Row::new("<evil>", samples),
                ],
                notes: vec!["<script>alert(1)</script>".into()],
            }
            .compare()
        };
        Report {
            machine: Machine {
                lines: vec![("command".into(), "race --html '<x>'".into())],
            },
            tables: vec![
                table(Shape::Bars, vec![column("cpu", None)]),
                table(
                    Shape::Lines,
                    vec![column("a", Some(100)), column("b", Some(300))],
                ),
                table(Shape::Hidden, vec![column("hidden_column", None)]),
            ],
            missing: vec![("hiredis_ev".into(), "no <cc>".into())],
        }
    }

    #[test]
    fn all_that_comes_from_elsewhere_is_escaped() {
        let page = page(&report());
        for raw in ["<evil>", "<time>", "<script>alert", "<x>", "<cc>", "<pops>"] {
            assert!(!page.contains(raw), "{raw}");
        }
        assert!(page.contains("&lt;evil&gt;") && page.contains("a &amp; b"));
    }

    #[test]
    fn the_page_needs_nothing_beside_it() {
        let page = page(&report());
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn pictures_say_unit_and_direction() {
        let page = page(&report());
        assert_eq!(page.matches("<svg ").count(), 2);
        assert_eq!(page.matches("(µs; less is better)").count(), 2);
        assert_eq!(page.matches("<table>").count(), 2);
        assert!(page.contains("Both scales are logarithmic"));
        assert!(!page.contains("hidden_column"));
    }
}
