//! What is decoded: one reply, many times over, cut into pieces.

/// A reply, whichever library reads it.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Nil,
    Bulk(Vec<u8>),
    Array(Vec<Vec<u8>>),
}

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) reply: Reply,
    pub(crate) replies: usize,
    /// So many times the reply, as a server writes it.
    pub(crate) stream: Vec<u8>,
    /// So many bytes come at once.
    pub(crate) piece: usize,
}

const WHOLE: usize = usize::MAX;

pub(crate) fn inputs() -> Vec<Input> {
    let mib = Reply::Bulk(vec![b'x'; 1 << 20]);
    let array = Reply::Array(
        (0..1_000)
            .map(|i| format!("element:{i:08}").into())
            .collect(),
    );
    let popped = Reply::Array(vec!["list".into(), "element:00000000".into()]);
    vec![
        Input::new("nil", Reply::Nil, 1_000, WHOLE),
        Input::new("bulk_5B", Reply::Bulk("hello".into()), 1_000, WHOLE),
        Input::new("array_1000", array.clone(), 1, WHOLE),
        Input::new("bulk_1MiB", mib.clone(), 1, WHOLE),
        Input::new("bulk_1MiB_by_64KiB", mib, 1, 64 << 10),
        Input::new("popped_by_1B", popped, 100, 1),
        Input::new("array_1000_by_1B", array, 1, 1),
    ]
}

impl Input {
    fn new(name: &'static str, reply: Reply, replies: usize, piece: usize) -> Input {
        let stream = reply.wire().repeat(replies);
        let piece = piece.min(stream.len());
        Input {
            name,
            reply,
            replies,
            stream,
            piece,
        }
    }

    pub(crate) fn pieces(&self) -> std::slice::Chunks<'_, u8> {
        self.stream.chunks(self.piece)
    }
}

impl Reply {
    /// In RESP2. Written without any of the encoders, so that none of them judges itself.
    fn wire(&self) -> Vec<u8> {
        match self {
            Reply::Nil => b"*-1\r\n".to_vec(),
            Reply::Bulk(text) => bulk(text),
            Reply::Array(items) => {
                let mut wire = format!("*{}\r\n", items.len()).into_bytes();
                wire.extend(items.iter().flat_map(|item| bulk(item)));
                wire
            }
        }
    }

    /// The strings in it.
    pub(crate) fn strings(&self) -> &[Vec<u8>] {
        match self {
            Reply::Nil => &[],
            Reply::Bulk(text) => std::slice::from_ref(text),
            Reply::Array(items) => items,
        }
    }
}

fn bulk(text: &[u8]) -> Vec<u8> {
    let head = format!("${}\r\n", text.len());
    [head.as_bytes(), text, b"\r\n"].concat()
}
