//! The model's answers: text, thoughts, calls, pictures, as they stream.

use alloc::{boxed::Box, vec::Vec};

use agent_gateway_protocol::event::{
    Chunk, SnapshotMode, StreamEnd, StreamRetry, StreamStart, ToolsCallingChunk,
};
use agent_gateway_protocol::json::ToJson;
use agent_gateway_protocol::{Object, RawJson, ToolCallId};

use super::{Change, Transcript, Usage};

impl Transcript {
    pub(super) fn on_stream_start(
        &mut self,
        start: StreamStart,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        self.void_end(changed);
        if self.steps.last().is_none_or(|step| step.answering) {
            self.begin_step(index, changed);
        }
        let step = self.current_step(index, changed);
        step.answering = true;
        step.label = start.step_label.or(step.label.take());
        step.model = start.model.or(step.model.take());
        step.provider = start.provider.or(step.provider.take());
    }

    pub(super) fn on_stream_chunk(
        &mut self,
        chunk: Chunk,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        self.void_end(changed);
        match chunk {
            Chunk::Text(chunk) => {
                let piece = chunk.content.as_deref().unwrap_or_default();
                let text = &mut self.current_step(index, changed).text;
                let edit = match chunk.snapshot_mode {
                    Some(SnapshotMode::Replace) => text.snapshot(piece, chunk.snapshot_seq),
                    Some(SnapshotMode::Unknown(_)) | None => text.append(piece),
                };
                changed.extend(edit.map(Change::Text));
            }
            Chunk::Reasoning(chunk) => {
                let piece = chunk.reasoning.as_deref().unwrap_or_default();
                let reasoning = &mut self.current_step(index, changed).reasoning;
                let edit = match chunk.snapshot_mode {
                    Some(SnapshotMode::Replace) => reasoning.snapshot(piece, chunk.snapshot_seq),
                    Some(SnapshotMode::Unknown(_)) | None => reasoning.append(piece),
                };
                changed.extend(edit.map(Change::Reasoning));
            }
            Chunk::ToolsCalling(chunk) => self.on_tools_calling(chunk, index, changed),
            Chunk::Grounding(chunk) => self.ground(chunk.grounding, index, changed),
            Chunk::ToolState(chunk) => self.on_tool_state(chunk, changed),
            Chunk::Base64Image(chunk) => self.add_images(chunk.image_list.as_ref(), index, changed),
            Chunk::Image(chunk) => self.add_images(chunk.images.as_ref(), index, changed),
            Chunk::ContentPart(chunk) => {
                for part in parts(chunk.content_parts.as_ref()) {
                    match part {
                        Part::Text(text) => {
                            let edit = self.current_step(index, changed).text.append(&text);
                            changed.extend(edit.map(Change::Text));
                        }
                        Part::Other(image) => self.add_image(image, index, changed),
                    }
                }
            }
            Chunk::ReasoningPart(chunk) => {
                for part in parts(chunk.reasoning_parts.as_ref()) {
                    match part {
                        Part::Text(text) => {
                            let edit = self.current_step(index, changed).reasoning.append(&text);
                            changed.extend(edit.map(Change::Reasoning));
                        }
                        Part::Other(image) => self.add_image(image, index, changed),
                    }
                }
            }
            Chunk::Unknown(_) => {}
        }
    }

    pub(super) fn on_stream_end(
        &mut self,
        end: StreamEnd,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        let whole = end.final_content.as_deref().unwrap_or_default();
        let thoughts = end.reasoning.as_deref().unwrap_or_default();
        if !whole.is_empty() || !thoughts.is_empty() {
            let step = self.current_step(index, changed);
            let reasoning = step.reasoning.settle(thoughts);
            let text = step.text.settle(whole);
            changed.extend(reasoning.map(Change::Reasoning));
            changed.extend(text.map(Change::Text));
        }
        if let Some(list) = end.tools_calling.filter(|list| !list.is_empty()) {
            self.replace_calls(&list, index, changed);
        }
        self.ground(end.grounding, index, changed);
        self.add_images(end.image_list.as_ref(), index, changed);
        if let Some(usage) = &end.usage {
            self.tally.answers.add(Usage::read(usage));
            changed.push(Change::Usage);
        }
    }

    pub(super) fn on_stream_retry(&mut self, retry: &StreamRetry, changed: &mut Vec<Change>) {
        if let Some(step) = self.steps.last_mut() {
            step.discard_answer();
            self.keep_calls(&[], changed);
        }
        changed.push(Change::AnswerDiscarded {
            attempt: retry.attempt,
            max_attempts: retry.max_attempts,
            delay: retry.delay_ms,
        });
    }

    pub(super) fn on_tools_calling(
        &mut self,
        chunk: ToolsCallingChunk,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        self.replace_calls(&chunk.tools_calling.unwrap_or_default(), index, changed);
        // The rows of calls that wait for a person.
        for (call, row) in chunk.tool_message_ids.iter().flat_map(Object::iter) {
            if let Some(tool) = self.known(&ToolCallId::from(call)) {
                tool.row = row.read();
            }
        }
    }

    pub(super) fn ground(
        &mut self,
        grounding: Option<RawJson>,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        if let Some(grounding) = grounding {
            self.current_step(index, changed).grounding = Some(grounding);
            changed.push(Change::Grounding);
        }
    }

    pub(super) fn add_images(
        &mut self,
        list: Option<&RawJson>,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        let images: Vec<Object> = list.and_then(RawJson::read).unwrap_or_default();
        for image in images {
            self.add_image(image, index, changed);
        }
    }

    pub(super) fn add_image(
        &mut self,
        image: Object,
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        let image = image.to_raw_json();
        self.current_step(index, changed).images.push(image);
        changed.push(Change::Image);
    }
}

/// One part of an answer that is not text alone.
enum Part {
    Text(Box<str>),
    Other(Object),
}

fn parts(list: Option<&RawJson>) -> Vec<Part> {
    let objects: Vec<Object> = list.and_then(RawJson::read).unwrap_or_default();
    objects
        .into_iter()
        .map(|mut part| match part.take::<Box<str>>("text") {
            Some(text) => Part::Text(text),
            None => Part::Other(part),
        })
        .collect()
}
