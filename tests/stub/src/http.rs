//! As much of HTTP/1.1 as AWS's SDKs speak.

use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

/// A request.
pub(crate) struct Request {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    /// Whole lines.
    headers: String,
    body: Cow<'static, [u8]>,
}

impl Request {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The Region that the request is signed for.
    pub(crate) fn region(&self) -> &str {
        self.signed(2)
    }

    /// The service that the request is signed for.
    pub(crate) fn service(&self) -> &str {
        self.signed(3)
    }

    fn signed(&self, part: usize) -> &str {
        let signed = self.header("authorization").and_then(|header| header.split_once("Credential="));
        signed.and_then(|(_, scope)| scope.split('/').nth(part)).unwrap_or_default()
    }
}

impl Answer {
    /// What was asked for.
    pub(crate) fn ok(body: String) -> Self {
        Self::of(200, body)
    }

    /// A block of a snapshot, and the digest that EBS gives with it.
    pub(crate) fn block(data: &'static [u8], sha_256: &str) -> Self {
        let headers = format!(
            "x-amz-Data-Length: {}\r\nx-amz-Checksum: {sha_256}\r\nx-amz-Checksum-Algorithm: SHA256\r\n",
            data.len()
        );
        Self { status: 200, headers, body: Cow::Borrowed(data) }
    }

    fn of(status: u16, body: String) -> Self {
        Self { status, headers: String::new(), body: Cow::Owned(body.into_bytes()) }
    }

    /// What was asked for, as JSON.
    pub(crate) fn json(body: &Value) -> Self {
        Self::ok(body.to_string())
    }

    /// What it says.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// An error of EC2.
    pub(crate) fn refused(code: &str, message: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        Self::of(400, format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"))
    }

    /// An error of DynamoDB, with the item on which a condition failed.
    pub(crate) fn condition_failed(item: Option<Value>) -> Self {
        let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        let mut body = json!({"__type": code, "message": "The conditional request failed"});
        if let (Some(item), Some(body)) = (item, body.as_object_mut()) {
            body.insert("Item".to_owned(), item);
        }
        Self::of(400, body.to_string())
    }
}

/// What reads a connection's requests.
pub(crate) fn reader(connection: &TcpStream) -> BufReader<&TcpStream> {
    BufReader::new(connection)
}

/// The next request; nothing once the client has closed.
pub(crate) fn read(reader: &mut BufReader<&TcpStream>) -> anyhow::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok(Some(Request { path, headers, body: String::from_utf8(body)? }))
}

/// Sends an answer.
pub(crate) fn write(mut connection: &TcpStream, answer: &Answer) -> anyhow::Result<()> {
    let Answer { status, headers, body } = answer;
    let mut whole = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    whole.extend_from_slice(body);
    connection.write_all(&whole)?;
    Ok(())
}
