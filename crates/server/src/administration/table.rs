/// Rows under a header, each column as wide as its widest cell, two spaces apart.
pub(super) fn table<const COLUMNS: usize>(header: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let header = header.map(str::to_owned);
    let rows: Vec<[String; COLUMNS]> =
        [&header].into_iter().chain(rows).map(|row| row.each_ref().map(|cell| printable(cell))).collect();
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

/// `text` without what a terminal would obey: names were chosen by others.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
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
    fn what_a_terminal_would_obey_is_not_printed() {
        assert_eq!(fields(&[("name", "\u{1b}[2Jx\ny".to_owned())]), "name  \u{fffd}[2Jx\u{fffd}y\n");
    }
}
