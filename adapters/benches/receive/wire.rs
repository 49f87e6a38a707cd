//! Frames as bytes, made beforehand: the server must not be what is measured.

/// An agent event whose text has this length, as one unmasked WebSocket frame.
pub(crate) fn event(id: u64, length: usize, operation: &str) -> Vec<u8> {
    let text = "x".repeat(length);
    frame(&format!(
        r#"{{"type":"agent_event","id":"{id}","event":{{"data":{{"chunkType":"text","content":"{text}"}},"operationId":"{operation}","stepIndex":3,"timestamp":1760000000000,"type":"stream_chunk"}}}}"#
    ))
}

/// The end of a run.
pub(crate) fn end(id: u64) -> Vec<u8> {
    frame(&format!(
        r#"{{"type":"agent_event","id":"{id}","event":{{"data":{{"reason":"done"}},"stepIndex":3,"timestamp":1760000000000,"type":"agent_runtime_end"}}}}"#
    ))
}

/// A ping.
#[allow(dead_code, reason = "the benchmark sends none")]
pub(crate) fn ping(payload: &[u8; 125]) -> Vec<u8> {
    let mut frame = vec![0x89, 125];
    frame.extend_from_slice(payload);
    frame
}

/// One unmasked text frame.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}
