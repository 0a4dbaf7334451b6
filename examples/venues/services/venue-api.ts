// The resource server: one of the company's services, in Express. Whoever shows a good access token is answered; it never meets a
// password or a refresh token.
import type { AddressInfo } from 'node:net';
import { authenticate, requirePermissions } from '@gatewright/api-guard/express';
import express, { type ErrorRequestHandler } from 'express';
import { createCompanyGuard } from './company-guard.ts';
import { readSettings } from './read-settings.ts';
import { venues } from './venues.ts';

const LONGEST_STOP_MS = 5_000;

const { HOST, PORT, PAGE_ORIGIN } = readSettings('HOST', 'PORT', 'PAGE_ORIGIN');
const { guard, cache } = createCompanyGuard();
const app = express();
app.disable('x-powered-by');

// The page comes from another origin. A preflight request has no token, so this stands before the guard.
app.use((request, response, next) => {
  response.set({
    'access-control-allow-origin': PAGE_ORIGIN,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'origin',
  });
  if (request.method !== 'OPTIONS') return next();
  response.set({
    'access-control-allow-headers': 'authorization',
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-max-age': '600',
  });
  response.status(204).end();
});
app.get('/health/live', (_request, response) => {
  response.json({ status: 'live' });
});
// Hits, misses and questions; nothing about anybody. In production: your metrics.
app.get('/stats', (_request, response) => {
  response.json(guard.stats());
});

app.use(authenticate(guard));
app.get('/venues', requirePermissions('read:venues'), (_request, response) => {
  response.json({ venues });
});
app.post('/venues/:id/bookings', requirePermissions('book:venues'), (request, response) => {
  const venue = venues.find(({ id }) => id === request.params.id);
  if (venue) response.status(201).json({ venue: venue.name, booked_by: request.user?.sub });
  else response.status(404).json({ error: 'not_found', error_description: 'There is no such venue' });
});
app.delete('/venues/:id', requirePermissions('manage:venues'), (_request, response) => {
  response.status(501).json({ error: 'not_built', error_description: 'An example closes no venue' });
});
// Express would answer with the stack, unless NODE_ENV is production.
const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const status = error.status >= 400 && error.status < 500 ? 400 : 500;
  if (status === 500) process.stderr.write(`a request failed: ${error.name}\n`);
  response
    .status(status)
    .json(
      status === 400
        ? { error: 'invalid_request', error_description: 'Malformed request' }
        : { error: 'server_error', error_description: 'Something went wrong here' },
    );
};
app.use(answerError);

const server = app.listen(Number(PORT), HOST, (error?: Error) => {
  if (error) throw error;
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listens at ${HOST}:${port}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    // Requests under way are answered first.
    setTimeout(() => server.closeAllConnections(), LONGEST_STOP_MS).unref();
    server.close(async () => {
      guard.close();
      await cache.close();
      process.exit(0);
    });
  });
