// The client: the one backend that logs users in, in Fastify. It alone knows the client's secret, and it alone holds refresh tokens: in
// the cache, encrypted, under the access token that the browser has. The browser gets the access token and nothing else.
import { authenticate } from '@gatewright/api-guard/fastify';
import { createSessionBroker, SessionError } from '@gatewright/api-guard/session-broker';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { createCompanyGuard } from './company-guard.ts';
import { servePage } from './page.ts';
import { readSettings } from './read-settings.ts';

interface LoginForm {
  readonly email: string;
  readonly password: string;
}

/** A rotation has to fit into the leeway of refresh tokens twice. */
const LONGEST_REQUEST_MS = 10_000;
const LONGEST_STOP_MS = 5_000;

const { HOST, PORT, ENVIRONMENT, VENUES_ORIGIN, CLIENT_ID, CLIENT_SECRET } = readSettings(
  'HOST',
  'PORT',
  'ENVIRONMENT',
  'VENUES_ORIGIN',
  'CLIENT_ID',
  'CLIENT_SECRET',
);
const { guard, cache, api } = createCompanyGuard();
const broker = createSessionBroker({
  ...api,
  deadlineMs: Math.min(api.deadlineMs, LONGEST_REQUEST_MS),
  cache,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  onEvent: ({ type, message }) => process.stderr.write(`${type}: ${message}\n`),
});
// Fastify waits for a slow body for ever unless told otherwise, and Node does not look before the time for headers is over.
const app = fastify({
  bodyLimit: 8_192,
  requestTimeout: 10_000,
  http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
});

const LOGIN_FORM = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string', maxLength: 320 }, password: { type: 'string', maxLength: 1_000 } },
};

app.addHook('onRequest', async (_request, reply) => {
  reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
});
app.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) => {
  if (error instanceof SessionError) return answerSessionError(error, reply);
  const status = error.statusCode ?? 500;
  if (status < 500)
    return reply.code(status).send({ error: 'invalid_request', error_description: 'Malformed request' });
  // Not its message: who knows what it repeats.
  process.stderr.write(`a request failed: ${error.name}\n`);
  return reply.code(500).send({ error: 'server_error', error_description: 'Something went wrong here' });
});

app.post<{ Body: LoginForm }>('/session/login', { schema: { body: LOGIN_FORM } }, async (request) => {
  const { email, password } = request.body;
  const { accessToken, expiresAt, user } = await broker.login(email, password, { forwardedFor: request.ip });
  return { access_token: accessToken, expires_at: expiresAt, user };
});
// Neither asks the guard: an access token that has expired still leads to its session.
app.post('/session/refresh', async (request) => {
  const { accessToken, expiresAt } = await broker.refresh(bearerOf(request));
  return { access_token: accessToken, expires_at: expiresAt };
});
app.post('/session/logout', async (request, reply) => {
  await broker.logout(bearerOf(request));
  return reply.code(204).send();
});

app.register(async (guarded) => {
  await guarded.register(authenticate(guard));
  guarded.get('/me', async ({ user, permissions }) => ({ user, permissions }));
});
app.get('/health/live', async () => ({ status: 'live' }));
servePage(app, { environment: ENVIRONMENT, venuesOrigin: VENUES_ORIGIN });

await app.listen({ host: HOST, port: Number(PORT) });
process.stdout.write(`listens at ${HOST}:${PORT}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, async () => {
    // Requests under way are answered first. Then what waits to be written or revoked is tried once more.
    setTimeout(() => app.server.closeAllConnections(), LONGEST_STOP_MS).unref();
    await app.close();
    guard.close();
    await broker.close();
    await cache.close();
    process.exit(0);
  });

function bearerOf(request: FastifyRequest): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function answerSessionError({ status, code, message, retryAfterSeconds }: SessionError, reply: FastifyReply) {
  if (status === 503) reply.header('retry-after', String(retryAfterSeconds ?? 5));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({ error: code, error_description: message });
}
