use regrant_engine::turns_direction;

/// The widest cell of a table, in characters; `--json` and the commands that show one thing alone print all of it.
const CELL_CHARACTERS_MAX: usize = 80;

/// Rows under a header, each column as wide as its widest cell, two spaces apart.
pub(crate) fn table<const COLUMNS: usize>(header: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let header = header.map(str::to_owned);
    let rows: Vec<[String; COLUMNS]> =
        [&header].into_iter().chain(rows).map(|row| row.each_ref().map(|cell| clipped(&printable(cell)))).collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Names and their values, line by line, the values in one column.
pub(super) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("{name:width$}  {}\n", printable(value));
    fields.iter().map(line).collect()
}

/// `text` without what a terminal would obey or not show: names were chosen by others.
pub(super) fn printable(text: &str) -> String {
    let is_shown = |character: char| {
        let is_invisible = matches!(character, '\u{200b}'..='\u{200f}' | '\u{feff}');
        !character.is_control() && !turns_direction(character) && !is_invisible
    };
    text.chars().map(|character| if is_shown(character) { character } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= CELL_CHARACTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(CELL_CHARACTERS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_their_words_do() {
        let rows = [["a".to_owned(), "long name".to_owned()], ["b ü".to_owned(), String::new()]];
        assert_eq!(table(["ID", "NAME"], &rows), "ID   NAME\na    long name\nb ü\n");
        assert_eq!(fields(&[("id", "a".to_owned()), ("name", "b".to_owned())]), "id    a\nname  b\n");
    }

    #[test]
    fn a_wide_cell_is_clipped_where_it_stands_beside_others() {
        let (fits, wide) = ("x".repeat(CELL_CHARACTERS_MAX), "y".repeat(CELL_CHARACTERS_MAX + 1));
        let clipped = format!("{}…", "y".repeat(CELL_CHARACTERS_MAX - 1));
        let rows = [[fits.clone()], [wide.clone()]];
        assert_eq!(table(["NAME"], &rows), format!("NAME\n{fits}\n{clipped}\n"));
        assert_eq!(fields(&[("name", wide.clone())]), format!("name  {wide}\n"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        for hidden in ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}', '\u{200f}', '\u{feff}', '\u{9b}'] {
            assert_eq!(printable(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        assert_eq!(fields(&[("name", "\u{1b}[2Jx\ny".to_owned())]), "name  \u{fffd}[2Jx\u{fffd}y\n");
    }
}
