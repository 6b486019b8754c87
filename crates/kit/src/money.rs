//! Amounts of money: integers in the smallest unit, never floating point.

/// An amount in the smallest unit (paise) with two decimals: 99900 is "999.00".
pub fn decimal(minor: i64) -> String {
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn case_34_amounts_are_exact_paise() {
        assert_eq!([99_900, 1, 0, -5, 100].map(super::decimal), ["999.00", "0.01", "0.00", "-0.05", "1.00"]);
    }
}
