//! One file of a ZIP package (PKWARE's APPNOTE.TXT 6.3.10), as Lambda keeps layers: stored or deflated, without encryption.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

/// The end of central directory record: its signature, its length, and that of the longest comment behind it.
const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const MAX_COMMENT_BYTES: usize = 65_535;
/// A file's header in the central directory, and the one before its bytes.
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_BYTES: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The file of this name, of no more than `most` bytes; `None` when the package has none.
///
/// # Errors
/// When the package cannot be read.
pub(crate) fn file(package: &[u8], name: &str, most: usize) -> Result<Option<Vec<u8>>, &'static str> {
    let end = end(package).ok_or("it is no ZIP file")?;
    let (count, start) = (short(end, 10), long(end, 16));
    let mut place = start.ok_or("it is no ZIP file")?;
    for _ in 0..count.unwrap_or_default() {
        let header =
            package.get(place..).filter(|header| header.starts_with(&CENTRAL)).ok_or("its directory is broken")?;
        let lengths = (|| Some((short(header, 28)?, short(header, 30)?, short(header, 32)?)))();
        let (of_name, of_extra, of_comment) = lengths.ok_or("its directory is broken")?;
        if header.get(CENTRAL_BYTES..CENTRAL_BYTES + usize::from(of_name)) == Some(name.as_bytes()) {
            return content(package, header, most).map(Some);
        }
        place += CENTRAL_BYTES + usize::from(of_name) + usize::from(of_extra) + usize::from(of_comment);
    }
    Ok(None)
}

/// The package's last record, with what is behind it.
fn end(package: &[u8]) -> Option<&[u8]> {
    let last = package.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(MAX_COMMENT_BYTES);
    (first..=last).rev().find_map(|place| package.get(place..).filter(|record| record.starts_with(&END)))
}

fn content(package: &[u8], header: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let found = || {
        let (method, packed, size) = (short(header, 10)?, long(header, 20)?, long(header, 24)?);
        let local = package.get(long(header, 42)?..).filter(|local| local.starts_with(&LOCAL))?;
        let start = LOCAL_BYTES + usize::from(short(local, 26)?) + usize::from(short(local, 28)?);
        Some((method, size, local.get(start..start.checked_add(packed)?)?))
    };
    let (method, size, packed) = found().ok_or("its file is broken")?;
    if size > most {
        return Err("its file is too large");
    }
    let bytes = match method {
        STORED => packed.to_vec(),
        DEFLATED => {
            let mut bytes = Vec::new();
            // One byte more than it may have tells that it has more.
            let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
            DeflateDecoder::new(packed).take(limit).read_to_end(&mut bytes).map_err(|_| "its file is broken")?;
            bytes
        }
        _ => return Err("its file is packed in a way that is not read here"),
    };
    if bytes.len() == size { Ok(bytes) } else { Err("its file is broken") }
}

fn short(bytes: &[u8], place: usize) -> Option<u16> {
    bytes.get(place..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn long(bytes: &[u8], place: usize) -> Option<usize> {
    let number = bytes.get(place..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// A package of one file, with a comment.
    fn package(name: &str, text: &[u8], method: u16) -> Vec<u8> {
        let mut packed = text.to_vec();
        if method == DEFLATED {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            packed = encoder.finish().unwrap();
        }
        let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes().to_vec();
        let short = |number: u16| number.to_le_bytes().to_vec();
        let of_name = || short(u16::try_from(name.len()).unwrap());
        let mut bytes = [LOCAL.to_vec(), vec![0; 22], of_name(), short(0), name.into(), packed.clone()].concat();
        let start = bytes.len();
        bytes.extend([CENTRAL.to_vec(), vec![0; 6], short(method), vec![0; 8]].concat());
        bytes.extend([long(packed.len()), long(text.len()), of_name(), vec![0; 12], long(0), name.into()].concat());
        let length = bytes.len() - start;
        bytes.extend([END.to_vec(), vec![0; 4], short(1), short(1), long(length), long(start)].concat());
        bytes.extend([short(3), b"hey".to_vec()].concat());
        bytes
    }

    #[test]
    fn a_file_is_read_as_it_was_packed() {
        let text = b"{\"PolicyType\": \"EVENT_BASED_POLICY\"} {\"PolicyType\": \"EVENT_BASED_POLICY\"}";
        for method in [STORED, DEFLATED] {
            let package = package("policy.json", text, method);
            assert_eq!(file(&package, "policy.json", 1000), Ok(Some(text.to_vec())));
            assert_eq!(file(&package, "policy", 1000), Ok(None));
            assert_eq!(file(&package, "policy.json", text.len() - 1), Err("its file is too large"));
        }
        assert!(file(&package("policy.json", text, 12), "policy.json", 1000).is_err());
    }

    #[test]
    fn what_is_broken_is_an_error_or_nothing() {
        let whole = package("policy.json", b"text text text text", DEFLATED);
        for length in 0..whole.len() - 3 {
            assert!(file(&whole[..length], "policy.json", 1000).is_err(), "{length}");
        }
        for place in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[place] = value;
                // Whatever it is, it is no panic, and no more than was allowed.
                let read = file(&broken, "policy.json", 1000);
                assert!(read.is_err() || read.unwrap().is_none_or(|bytes| bytes.len() <= 1000));
            }
        }
    }
}
