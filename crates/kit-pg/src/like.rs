/// A LIKE pattern for values that contain `text`; wildcards in `text` are escaped.
pub fn like_anywhere(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_of_the_text_are_taken_literally() {
        assert_eq!(super::like_anywhere(r"50%_\"), r"%50\%\_\\%");
    }
}
