// A client of `agw serve` that shares no code with it: Node's own fetch and WebSocket, no package.
//
//   agw serve > serve.json &
//   node --experimental-websocket examples/node/client.mjs serve.json      (Node 22 and newer need no flag)
//
// It plays both sides of a plain gateway: as a client it starts a run and reads its stream; as LobeHub's server it
// pushes the events that the client then reads. With `agw serve SCRIPT` add `--watch`: then the script does the pushing.
import { readFileSync } from 'node:fs';

const [file, mode] = process.argv.slice(2);
const { api, gateway, serviceToken, clientToken } = JSON.parse(readFileSync(file, 'utf8'));

// 1. Start a run, as LobeHub's clients do: tRPC over plain HTTP.
const answer = await fetch(`${api}/trpc/lambda/aiAgent.execAgent`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': clientToken },
  body: JSON.stringify({ json: { slug: 'inbox', prompt: 'Hello from Node' } }),
});
const run = (await answer.json()).result.data.json;
console.log('started', run.operationId);

// 2. Open the gateway's socket: auth first, then resume from the beginning.
const url = `${gateway.replace(/^http/, 'ws')}/ws?operationId=${encodeURIComponent(run.operationId)}`;
const socket = new WebSocket(url);
const send = (frame) => socket.send(JSON.stringify(frame));
socket.onopen = () => send({ type: 'auth', token: run.token });
socket.onclose = ({ code, reason }) => console.log('closed', code, reason);
socket.onmessage = async ({ data }) => {
  const frame = JSON.parse(data);
  switch (frame.type) {
    case 'auth_success':
      send({ type: 'resume', lastEventId: '', wantStatus: true });
      if (mode !== '--watch') await play();
      break;
    case 'agent_event': {
      const { type, data } = frame.event;
      console.log(frame.id, type, data?.content ?? data?.reasoning ?? data?.reason ?? '');
      if (type === 'tool_execute') {
        send({ type: 'tool_result', toolCallId: data.toolCallId, content: 'from Node', success: true });
      }
      break;
    }
    case 'session_complete':
      console.log(frame.id, frame.type);
      socket.close();
      break;
    default:
      console.log(frame.type, frame.status ?? frame.reason ?? '');
  }
};

// 3. As LobeHub's server: push a small stream to the operation.
async function play() {
  const event = (type, data) => ({ type, stepIndex: 0, operationId: run.operationId, timestamp: Date.now(), data });
  await push('push-event', { event: event('stream_start', { model: 'by-hand' }) });
  await push('push-events', {
    events: [
      event('stream_chunk', { chunkType: 'text', content: 'Hello ' }),
      event('stream_chunk', { chunkType: 'text', content: 'back.' }),
    ],
  });
  await push('push-event', { event: event('agent_runtime_end', { reason: 'done' }) });
}

async function push(path, body) {
  const answer = await fetch(`${gateway}/api/operations/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ operationId: run.operationId, ...body }),
  });
  if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status} ${await answer.text()}`);
}
