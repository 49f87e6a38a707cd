// What the server knows: who may call, its topics and operations, and the gateway that it pushes events to.
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3NjAwMDAwMDAsImV4cCI6MTc2MDAwMDMwMH0.c2ln';

export class World {
  count = 0;
  operations = new Map();
  topics = new Map();
  messages = new Map();
  settles;
  gateway;
  gatewayMode;
  token;
  #serviceToken;

  constructor({ gateway, gatewayMode = true, token = JWT, serviceToken, settles = true } = {}) {
    Object.assign(this, { gateway, gatewayMode, token, settles });
    this.#serviceToken = serviceToken;
  }

  // In LobeHub's order: a key that is given must be good; only without one does the access token count.
  user(headers) {
    const key = headers.get('x-api-key');
    if (key) return key === 'sk-lh-0123456789abcdef' ? 'user_1' : undefined;
    return headers.get('oidc-auth') === 'access.token.good' ? 'user_1' : undefined;
  }

  async start({ prompt, appContext }) {
    this.count += 1;
    const id = `op_${this.count}`;
    const topic = appContext?.topicId ?? `tpc_${this.count}`;
    this.operations.set(id, { id, status: 'running', token: this.token, topic });
    this.topics.set(topic, { id: topic, running: { operationId: id } });
    this.messages.set(topic, [...(this.messages.get(topic) ?? []), prompt]);
    if (this.#serviceToken) await this.#play(id, prompt);
    return this.operations.get(id);
  }

  interrupt(id) {
    const operation = this.operations.get(id);
    if (operation?.status !== 'running') return false;
    operation.status = 'interrupted';
    return true;
  }

  // LobeHub's side of the gateway: init is awaited before the answer, the events come when they come.
  async #play(operationId, prompt) {
    await this.#push('init', { operationId, userId: 'user_1' });
    const event = (type, data) => ({ type, stepIndex: 0, operationId, timestamp: 0, data });
    const text = (content) => event('stream_chunk', { chunkType: 'text', content });
    const words = prompt.split(' ').map((word) => text(`${word} `));
    const events = [event('stream_start', {}), ...words, event('stream_end', {})];
    this.#push('push-events', { operationId, events })
      .then(() => this.#push('push-event', { operationId, event: event('agent_runtime_end', { reason: 'done' }) }))
      .then(() => {
        this.operations.get(operationId).status = 'done';
      });
  }

  async #push(call, body) {
    const answer = await fetch(`${this.gateway}/api/operations/${call}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#serviceToken}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${call}: ${answer.status} ${await answer.text()}`);
  }
}
