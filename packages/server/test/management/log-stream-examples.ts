import type { ManagementClient } from '../world.ts';
import type { Example } from './examples.ts';

/** Nobody listens there. */
const SINK = { httpEndpoint: 'http://127.0.0.1:9/events', httpAuthorization: 'x' };
const FILTERS = [{ type: 'category', name: 'auth.login.fail' }];

/** A stream that sends nothing: it is paused. */
export async function logStreamOf(manage: ManagementClient, name: string): Promise<string> {
  const created = await manage.post('/log-streams', {
    name: `Stream of ${name}`,
    type: 'http',
    sink: SINK,
    filters: FILTERS,
    pii_config: { log_fields: ['email'], method: 'mask' },
  });
  const { id } = created.json();
  await manage.patch(`/log-streams/${id}`, { status: 'paused' });
  return id;
}

/** What can be asked about it; in this order, each is a success. */
export function logStreamExamples(id: string, another: string): Readonly<Record<string, Example>> {
  const path = `/log-streams/${id}`;
  return {
    'GET /log-streams': { path: '/log-streams' },
    'GET /log-streams/{id}': { path },
    'GET /log-streams/{id}/health': { path: `${path}/health` },
    'GET /log-streams/{id}/dead-letters': { path: `${path}/dead-letters` },
    'POST /log-streams': {
      path: '/log-streams',
      body: {
        name: another,
        type: 'eventbridge',
        sink: { awsAccountId: '123456789012', awsRegion: 'eu-central-1' },
        filters: FILTERS,
      },
    },
    'PATCH /log-streams/{id}': { path, body: { name: another } },
    'POST /log-streams/{id}/replay': { path: `${path}/replay`, body: { from: '2026-01-01T00:00:00Z' } },
    'POST /log-streams/{id}/test': { path: `${path}/test` },
    'POST /log-streams/{id}/rotate-secret': { path: `${path}/rotate-secret`, body: {} },
    'DELETE /log-streams/{id}': { path },
  };
}
