//! Files as Windows writes them: its editors and PowerShell's `>` write UTF-16, or UTF-8 with a byte order mark in front.

use std::io::{self, Read};

/// A file in UTF-8 or UTF-16, told by its byte order mark, or by the zeros of UTF-16 around its first two characters. Read, it
/// is UTF-8 without a mark. That of bytes that are neither nothing is judged: they come as they are, compressed ones too.
///
/// What is no UTF-16 behind such a beginning is an error of the kind `InvalidData`.
#[derive(Debug)]
pub struct Utf8<R> {
    input: R,
    form: Option<Form>,
    /// What is read and not yet decoded: less than a character.
    rest: Vec<u8>,
    /// What is decoded, and how much of it has been given.
    ready: (Vec<u8>, usize),
}

#[derive(Debug, Clone, Copy)]
enum Form {
    AsItIs,
    Utf16(fn([u8; 2]) -> u16),
}

/// How much is read of UTF-16 at a time.
const CHUNK: u64 = 64 * 1024;

impl<R: Read> Utf8<R> {
    /// Reads nothing yet.
    pub fn new(input: R) -> Self {
        Self { input, form: None, rest: Vec::new(), ready: (Vec::new(), 0) }
    }

    /// Looks at the first bytes.
    fn begin(&mut self) -> io::Result<Form> {
        let mut head = Vec::new();
        self.input.by_ref().take(4).read_to_end(&mut head)?;
        let (form, mark) = match *head.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (Form::AsItIs, 3),
            [0xff, 0xfe, ..] => (Form::Utf16(u16::from_le_bytes), 2),
            [0xfe, 0xff, ..] => (Form::Utf16(u16::from_be_bytes), 2),
            [1..=0x7f, 0, 1..=0x7f, 0] => (Form::Utf16(u16::from_le_bytes), 0),
            [0, 1..=0x7f, 0, 1..=0x7f] => (Form::Utf16(u16::from_be_bytes), 0),
            _ => (Form::AsItIs, 0),
        };
        let head = head.split_off(mark);
        match form {
            Form::AsItIs => self.ready = (head, 0),
            Form::Utf16(_) => self.rest = head,
        }
        self.form = Some(form);
        Ok(form)
    }

    /// Decodes some more of UTF-16; at the file's end there is nothing more.
    fn decode(&mut self, unit: fn([u8; 2]) -> u16) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.rest);
        let read = self.input.by_ref().take(CHUNK).read_to_end(&mut bytes)?;
        let mut units: Vec<u16> = bytes.as_chunks::<2>().0.iter().copied().map(unit).collect();
        let mut left = bytes.len() % 2;
        if read > 0 {
            // The first half of a pair waits for the second one.
            if units.pop_if(|last| (0xd800..0xdc00).contains(last)).is_some() {
                left += 2;
            }
            self.rest = bytes.split_off(bytes.len() - left);
        } else if left > 0 {
            return Err(invalid("UTF-16 that ends within a character"));
        }
        let text: Result<String, _> = char::decode_utf16(units).collect();
        self.ready = (text.map_err(|_| invalid("UTF-16 with half a character"))?.into_bytes(), 0);
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let form = match self.form {
            Some(form) => form,
            None => self.begin()?,
        };
        loop {
            let (ready, given) = &mut self.ready;
            let mut waiting = ready.get(*given..).unwrap_or_default();
            if !waiting.is_empty() || buffer.is_empty() {
                let read = waiting.read(buffer)?;
                *given += read;
                return Ok(read);
            }
            match form {
                Form::AsItIs => return self.input.read(buffer),
                Form::Utf16(unit) => self.decode(unit)?,
            }
            if self.ready.0.is_empty() && self.rest.is_empty() {
                return Ok(0);
            }
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as a pipe may.
    struct Few<'b>(&'b [u8], usize);

    impl Read for Few<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let read = |most| {
            let mut all = Vec::new();
            Utf8::new(Few(bytes, most)).read_to_end(&mut all).map(|_| all).map_err(|error| error.to_string())
        };
        let (few, many) = (read(1), read(bytes.len().max(1)));
        assert_eq!(few, many);
        few
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn what_windows_writes_is_read_as_what_others_write() {
        let long = "{\"a\": \"é€😀\"}\r\n".repeat(10_000);
        for text in ["", "{}", "[1]", "{\"a\": \"é€😀\"}\r\n", long.as_str()] {
            let marked = format!("\u{feff}{text}");
            assert_eq!(read(text.as_bytes()), Ok(text.into()));
            assert_eq!(read(marked.as_bytes()), Ok(text.into()));
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(read(&utf16(&marked, bytes)), Ok(text.into()), "{text}");
                assert_eq!(read(&utf16(text, bytes)), Ok(text.into()), "{text}");
            }
        }
    }

    #[test]
    fn what_is_neither_comes_as_it_is() {
        for bytes in [&[0x1f, 0x8b, 8, 0, 0, 0][..], &[0, 159, 146, 150], &[0xef, 0xbb], &[0xff], b"a", &[0, 0, 0, 0]] {
            assert_eq!(read(bytes), Ok(bytes.to_vec()));
        }
    }

    #[test]
    fn half_a_character_is_an_error() {
        let text = utf16("\u{feff}a😀", u16::to_le_bytes);
        for (cut, problem) in [(1, "ends within"), (2, "half a character"), (3, "ends within")] {
            let error = read(&text[..text.len() - cut]).unwrap_err();
            assert!(error.contains(problem), "{cut}: {error}");
        }
        assert!(read(&[0xff, 0xfe, 0, 0xdc, b'a', 0]).unwrap_err().contains("half a character"));
    }
}
