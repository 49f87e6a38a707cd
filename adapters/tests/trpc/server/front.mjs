// What may stand between a server and its client: each takes the real answer and does to it what networks and proxies do.
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

// Status, headers and body of the real answer.
const parts = async (answer) => {
  const body = Buffer.from(await answer.arrayBuffer());
  return [answer.status, Object.fromEntries(answer.headers), body];
};

const zipped = { 'content-type': 'application/json', 'content-encoding': 'gzip' };

const page = (status, headers = {}) => (_ask, outgoing) =>
  outgoing
    .writeHead(status, { 'content-type': 'text/html', ...headers })
    .end(`<html><h1>${status} from a proxy</h1></html>`);

const pass = async (ask, outgoing) => {
  const [status, headers, body] = await parts(await ask());
  outgoing.writeHead(status, headers).end(body);
};

export const fronts = {
  // Nothing.
  '': pass,

  // The body a few bytes at a time.
  slow: async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, { ...headers, 'content-length': body.length });
    for (let at = 0; at < body.length; at += 16) {
      outgoing.write(body.subarray(at, at + 16));
      await wait(1);
    }
    outgoing.end();
  },

  // Half of the body, then nothing: the connection is gone. With and without a length that was promised.
  cut: async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, { ...headers, 'content-length': body.length });
    outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
  },
  'cut-chunked': async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, headers);
    outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
  },
  // Half of the body, properly ended: a proxy that truncates.
  truncated: async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, headers).end(body.subarray(0, body.length / 2));
  },
  // The head never comes, nor does anything else.
  hung: () => {},
  reset: (_ask, outgoing) => outgoing.socket.resetAndDestroy(),

  gzip: async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, { ...headers, 'content-encoding': 'gzip' }).end(gzipSync(body));
  },
  // A few KB that unpack to 64 MiB.
  bomb: (_ask, outgoing) => outgoing.writeHead(200, zipped).end(gzipSync(Buffer.alloc(64 << 20, '['))),
  'broken-gzip': (_ask, outgoing) => outgoing.writeHead(200, zipped).end('no gzip'),

  // Pages of proxies.
  'page-200': page(200),
  'page-401': page(401),
  'page-404': page(404),
  'page-429': page(429, { 'retry-after': '7' }),
  'page-502': page(502),
  'page-503': page(503, { 'retry-after': 'Wed, 21 Oct 2037 07:28:00 GMT' }),
  empty: (_ask, outgoing) => outgoing.writeHead(204).end(),

  // The real refusal, with what a rate limit adds.
  limited: async (ask, outgoing) => {
    const [status, headers, body] = await parts(await ask());
    outgoing.writeHead(status, { ...headers, 'retry-after': '3' }).end(body);
  },

  // Requests that arrive changed, so that tRPC itself refuses them.
  'no-content-type': async (ask, outgoing, body) => {
    const answer = await ask({ headers: { host: 'x' }, body: new Uint8Array(body) });
    const [status, headers, text] = await parts(answer);
    outgoing.writeHead(status, headers).end(text);
  },
  'half-request': async (ask, outgoing, body) => {
    const [status, headers, text] = await parts(await ask({ body: body.subarray(0, body.length / 2) }));
    outgoing.writeHead(status, headers).end(text);
  },
  'by-get': async (ask, outgoing) => {
    const [status, headers, text] = await parts(await ask({ method: 'GET', body: undefined }));
    outgoing.writeHead(status, headers).end(text);
  },

  // What was asked, for the test to see.
  echo: (_ask, outgoing, body) => {
    const { url, method, headers } = outgoing.req;
    const text = JSON.stringify({ result: { data: { json: { url, method, headers, body: body.toString() } } } });
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(text);
  },
};
