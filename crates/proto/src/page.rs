use crate::common::{CursorAt, PageInfo, PageRequest, page_request};

impl PageRequest {
    /// A numbered page.
    pub fn numbered(number: u32, size: u32) -> Self {
        Self { size, at: Some(page_request::At::Number(number)) }
    }

    /// The size, the number, and the cursor together with whether a count is wanted.
    pub fn parts(self) -> (u32, Option<u32>, Option<(String, bool)>) {
        match self.at {
            Some(page_request::At::Number(number)) => (self.size, Some(number), None),
            Some(page_request::At::Cursor(cursor)) => (self.size, None, Some((cursor.after, cursor.count))),
            None => (self.size, None, None),
        }
    }

    /// The page after a cursor.
    pub fn after(cursor: String, count: bool, size: u32) -> Self {
        Self { size, at: Some(page_request::At::Cursor(CursorAt { after: cursor, count })) }
    }
}

impl PageInfo {
    /// The part of a list's answer besides its rows.
    pub fn new(count: Option<i64>, next_cursor: Option<String>) -> Self {
        Self { count, next_cursor }
    }
}
