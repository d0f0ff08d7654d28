//! Responses.

/// What a client is told.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The element that was popped for it: it goes back if the client cannot be told.
    pub(crate) element: Option<Vec<u8>>,
}

impl Response {
    /// One line.
    pub(crate) fn line(status: u16, text: impl std::fmt::Display) -> Response {
        Response {
            status,
            body: format!("{text}\n").into_bytes(),
            element: None,
        }
    }

    /// An element that was popped, and a line end to look good in a terminal.
    pub(crate) fn element(element: Vec<u8>) -> Response {
        Response {
            status: 200,
            body: [&*element, b"\n"].concat(),
            element: Some(element),
        }
    }

    /// Adds it to `output`; `is_last` tells the client that the connection ends with it.
    pub(crate) fn write_to(&self, output: &mut Vec<u8>, is_last: bool) {
        let (status, reason) = (self.status, reason(self.status));
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
        if status == 405 {
            head += "Allow: GET\r\n";
        }
        // 204 says that there is no body, and must not say how long it is.
        if status != 204 {
            let length = self.body.len();
            head += &format!("Content-Type: text/plain\r\nContent-Length: {length}\r\n");
        }
        if is_last {
            head += "Connection: close\r\n";
        }
        head += "\r\n";
        output.extend_from_slice(head.as_bytes());
        output.extend_from_slice(&self.body);
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}
