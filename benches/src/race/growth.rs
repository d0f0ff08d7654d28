//! How the costs of pops grow with the number of clients: one column for each number.

use super::column::{Better, Column, Shown};
use super::options::Group;
use super::statistics::number;
use super::table::{Cell, Row, Shape, Table};

/// What is drawn over the number of clients: a column of the tables of pops.
struct Line {
    column: &'static str,
    key: &'static str,
    title: &'static str,
    about: &'static str,
}

const LINES: [Line; 4] = [
    Line {
        column: "cpu_us",
        key: "growth_cpu",
        title: "Processor time a pop, by the number of clients",
        about: "All that the process uses, divided by the number of clients. With few of them, it is mostly the start.",
    },
    Line {
        column: "peak_mib",
        key: "growth_memory",
        title: "Peak memory, by the number of clients",
        about: "What was resident at most, the program itself included.",
    },
    Line {
        column: "cron_max_ms",
        key: "growth_cron",
        title: "Latest cron tick, by the number of clients",
        about: "How late the cron task was at worst, while the connections of all pops were opened and closed.",
    },
    Line {
        column: "beyond_ms",
        key: "growth_beyond",
        title: "Time beyond the timeout, by the number of clients",
        about: "How much longer than the timeout of its pops a program runs: opening and closing all connections, and \
                being late.",
    },
];

/// With fewer clients, a program shows its start and nothing else.
const CLIENTS_MIN: usize = 100;

/// Turns tables of pops, whose keys say how many clients, into tables over that number.
pub(crate) fn tables(of_pops: &[Table]) -> Vec<Table> {
    let mut by_clients: Vec<(usize, &Table)> = of_pops
        .iter()
        .filter_map(|table| Some((table.key.strip_prefix("pops_")?.parse().ok()?, table)))
        .collect();
    by_clients.sort_by_key(|(clients, _)| *clients);
    let (Some(&(first, one)), Some(&(last, many))) = (by_clients.first(), by_clients.last()) else {
        return Vec::new();
    };
    let drawn: Vec<_> = by_clients
        .iter()
        .filter(|(clients, _)| *clients >= CLIENTS_MIN)
        .copied()
        .collect();
    let mut tables: Vec<Table> = LINES.iter().filter_map(|line| over(line, &drawn)).collect();
    // They are about the same runs.
    if let Some(table) = tables.first_mut() {
        table.notes = notes(&drawn);
    }
    if first < last {
        tables.push(bytes((first, one), (last, many)));
    }
    tables
}

fn over(line: &Line, by_clients: &[(usize, &Table)]) -> Option<Table> {
    let (_, most) = by_clients.last()?;
    let column = &most.columns[most.at(line.column)?];
    let cell = |table: &Table, program: &str| {
        let row = table.row(program)?;
        row.cells.get(table.at(line.column)?).cloned()
    };
    let row = |program: &String| Row {
        program: program.clone(),
        cells: by_clients
            .iter()
            .map(|(_, table)| cell(table, program).unwrap_or_else(Cell::default))
            .collect(),
    };
    let columns = by_clients.iter().map(|(clients, _)| Column {
        x: Some(*clients),
        key: format!("{}_{clients}", line.column),
        title: format!("{} clients", number(*clients as f64)),
        shown: Shown::Picture,
        ..column.clone()
    });
    let table = Table {
        group: Group::Growth,
        key: line.key.into(),
        title: line.title.into(),
        about: line.about.into(),
        shape: Shape::Lines,
        columns: columns.collect(),
        rows: programs(by_clients).iter().map(row).collect(),
        notes: Vec::new(),
    };
    Some(table.compare())
}

/// All that have a row with some number of clients, in the order of the first table.
fn programs(by_clients: &[(usize, &Table)]) -> Vec<String> {
    let mut programs: Vec<String> = Vec::new();
    for row in by_clients.iter().flat_map(|(_, table)| &table.rows) {
        if !programs.contains(&row.program) {
            programs.push(row.program.clone());
        }
    }
    programs
}

fn notes(by_clients: &[(usize, &Table)]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (clients, table) in by_clients {
        for note in &table.notes {
            let failed = format!("{} clients: {note}", number(*clients as f64));
            let note = if note.contains(" failed: ") {
                &failed
            } else {
                note
            };
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
    notes
}

/// Memory for one client: what many clients need more than few, round by round.
fn bytes((first, one): (usize, &Table), (last, many): (usize, &Table)) -> Table {
    let peaks = |table: &Table, program: &str| {
        let at = table.at("peak_mib")?;
        Some(table.row(program)?.cells[at].samples.clone())
    };
    let rows = many.rows.iter().filter_map(|row| {
        let few = peaks(one, &row.program)?;
        let all = peaks(many, &row.program)?;
        let clients = (last - first) as f64;
        let each = all.iter().zip(&few);
        let each = each.map(|(all, few)| (all - few) * 1024.0 * 1024.0 / clients);
        Some(Row::new(&row.program, vec![each.collect()]))
    });
    Table {
        group: Group::Growth,
        key: "growth_bytes".into(),
        title: "What one more client takes".into(),
        about: format!(
            "The peak with {} clients less that with {first}, divided by the difference. The memory of the kernel and of \
             the server is not in it.",
            number(last as f64),
        ),
        shape: Shape::Bars,
        columns: vec![Column::new(
            "bytes",
            "Memory for a client",
            "bytes",
            Better::Less,
            Shown::Picture,
        )],
        rows: rows.collect(),
        notes: Vec::new(),
    }
    .compare()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pops(clients: usize, rows: Vec<Row>) -> Table {
        let column = |key| Column::new(key, "", "", Better::Less, Shown::Table);
        Table {
            group: Group::Growth,
            key: format!("pops_{clients}"),
            title: String::new(),
            about: String::new(),
            shape: Shape::Hidden,
            columns: vec![column("cpu_us"), column("peak_mib")],
            rows,
            notes: Vec::new(),
        }
    }

    fn row(program: &str, cpu_us: f64, peak_mib: f64) -> Row {
        Row::new(program, vec![vec![cpu_us], vec![peak_mib]])
    }

    #[test]
    fn columns_are_numbers_of_clients() {
        let of_pops = [
            pops(1, vec![row("greenroom", 900.0, 2.0)]),
            pops(
                100,
                vec![row("greenroom", 30.0, 3.0), row("threads", 60.0, 6.0)],
            ),
            pops(1025, vec![row("greenroom", 20.0, 3.0)]),
        ];
        let tables = tables(&of_pops);
        let keys: Vec<_> = tables.iter().map(|table| table.key.as_str()).collect();
        assert_eq!(keys, ["growth_cpu", "growth_memory", "growth_bytes"]);
        let cpu = &tables[0];
        assert_eq!(
            cpu.columns.iter().map(|c| c.x).collect::<Vec<_>>(),
            [Some(100), Some(1025)]
        );
        assert_eq!(cpu.row("threads").unwrap().cells[0].ratio, Some(2.0));
        assert!(cpu.row("threads").unwrap().cells[1].spread.is_none());
        let bytes = &tables[2];
        assert_eq!(bytes.rows.len(), 1);
        assert_eq!(bytes.rows[0].cells[0].samples, [1024.0]);
    }
}
