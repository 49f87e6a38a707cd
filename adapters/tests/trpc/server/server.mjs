// Serves `/trpc/lambda` on a free port of loopback, as LobeHub does: the fetch adapter of tRPC. Prints its port, and ends
// when its standard input does, so that it never outlives the test that started it.
//
// A first segment before `/trpc` names what stands between the server and its client: see `front.mjs`.
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { createServer } from 'node:http';

import { fronts } from './front.mjs';
import { makeRouter } from './router.mjs';
import { World } from './world.mjs';

const world = new World(JSON.parse(process.argv[2] ?? '{}'));
const router = makeRouter(world);

const lambda = (request) =>
  fetchRequestHandler({
    endpoint: '/trpc/lambda',
    req: request,
    router,
    createContext: ({ req }) => ({ user: world.user(req.headers) }),
    responseMeta: ({ errors }) =>
      errors.some((error) => error.code === 'UNAUTHORIZED') ? { headers: { 'x-auth-required': 'true' } } : {},
  });

const read = async (incoming) => {
  const pieces = [];
  for await (const piece of incoming) pieces.push(piece);
  return Buffer.concat(pieces);
};

const server = createServer(async (incoming, outgoing) => {
  const [, name = '', path] = /^(?:\/(?!trpc)([\w-]+))?(\/.*)$/.exec(incoming.url);
  const front = fronts[name];
  if (!front) return outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('no such page');
  const body = await read(incoming);
  const { method, headers } = incoming;
  const ask = (changes = {}) => {
    const asked = { method, headers: { ...headers }, body: method === 'GET' ? undefined : body, path, ...changes };
    return lambda(new Request(`http://${headers.host}${asked.path}`, asked));
  };
  await front(ask, outgoing, body);
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
