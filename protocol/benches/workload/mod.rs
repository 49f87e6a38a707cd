//! Frames as LobeHub sends them: `type` last inside `event`, an operation id in each, text in pieces of a few words,
//! snapshots of message rows.

use std::fmt::Write;

/// The frames of a load: *small* has a mean of about 260 bytes, *mix* is 95 % small and 5 % of 20 KB, *big* is 200 KB.
pub(crate) fn frames(load: &str) -> Vec<String> {
    match load {
        "small" => (0..200).map(chunk).collect(),
        "mix" => (0..200)
            .map(|id| {
                if id % 20 == 7 {
                    snapshot(id, 20_000)
                } else {
                    chunk(id)
                }
            })
            .collect(),
        _ => (0..8).map(|id| snapshot(id, 200_000)).collect(),
    }
}

const WORDS: [&str; 8] = [
    "Codes from 4000 to 4999 ",
    "are for applications, ",
    "as \\\"RFC 6455\\\" says;\\n",
    "`loop {}` never ends. ",
    "Größe ✓ passt, ",
    "see https://example.org/a/b?c=d ",
    "and then ",
    "the quick brown fox jumps over the lazy dog. ",
];

fn chunk(id: usize) -> String {
    let mut text = String::new();
    for word in 0..1 + id % 4 {
        text.push_str(WORDS[(id * 7 + word * 3) % WORDS.len()]);
    }
    format!(
        "{{\"type\":\"agent_event\",\"id\":\"{id}\",\"event\":{{\"data\":{{\"chunkType\":\"text\",\"content\":\"{text}\"}},\
         \"operationId\":\"op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa\",\"stepIndex\":{},\"timestamp\":{},\
         \"type\":\"stream_chunk\"}}}}",
        id / 50,
        1_783_756_801_781_u64 + id as u64 * 137,
    )
}

fn snapshot(id: usize, size: usize) -> String {
    let mut rows = String::new();
    for row in 0.. {
        if rows.len() >= size {
            break;
        }
        if row > 0 {
            rows.push(',');
        }
        let mut text = String::new();
        while text.len() < 200 + row * 397 % 1_800 {
            text.push_str(WORDS[(row * 5 + text.len()) % WORDS.len()]);
        }
        let _ = write!(
            rows,
            "{{\"id\":\"msg_{row}\",\"role\":\"assistant\",\"content\":\"{text}\",\"parentId\":\"msg_u{row}\",\
             \"threadId\":null,\"topicId\":\"tpc_9fWbz\",\"agentId\":\"agt_4kQm2\",\"groupId\":null,\
             \"createdAt\":\"2026-07-11T08:00:00.000Z\",\"updatedAt\":\"2026-07-11T08:00:01.000Z\",\"error\":null,\
             \"metadata\":{{\"usage\":{{\"totalTokens\":{},\"cost\":0.0031}}}},\"model\":\"gpt-x\",\
             \"provider\":\"openai\",\"tools\":null,\"tool_call_id\":null,\"plugin\":null,\"pluginState\":null,\
             \"pluginIntervention\":null,\"imageList\":[],\"fileList\":[]}}",
            row * 31,
        );
    }
    format!(
        "{{\"type\":\"agent_event\",\"id\":\"{id}\",\"event\":{{\"data\":{{\"uiMessages\":[{rows}]}},\
         \"operationId\":\"op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa\",\"stepIndex\":1,\
         \"timestamp\":1783756800685,\"type\":\"step_start\"}}}}",
    )
}
