import type { StoredOperation } from './catalogue.ts';

const ID = { id: { type: 'string' } } as const;

/** Alerts of the log: Auth0's API has nothing of the kind. The scopes are those of the log and of the tenant's settings. */
export const ALERT_OPERATIONS: Readonly<Record<string, StoredOperation>> = {
  'GET /gatewright/alerts': {
    resource: 'alerts',
    action: 'list',
    scopes: ['read:logs'],
    status: 200,
    params: {},
    query: {
      status: { type: 'string', enum: ['open', 'resolved'] },
      page: { type: 'integer', minimum: 0, maximum: 1_000 },
      per_page: { type: 'integer', minimum: 1, maximum: 100 },
      include_totals: { type: 'boolean' },
    },
    items: 'alerts',
  },
  'GET /gatewright/alerts/{id}': {
    resource: 'alerts',
    action: 'get',
    scopes: ['read:logs'],
    status: 200,
    params: ID,
    query: {},
  },
  'PATCH /gatewright/alerts/{id}': {
    resource: 'alerts',
    action: 'update',
    scopes: ['update:tenant_settings'],
    status: 200,
    params: ID,
    query: {},
    body: {
      type: 'object',
      properties: { mute_hours: { type: 'number', minimum: 0, maximum: 8_760 } },
      required: ['mute_hours'],
      additionalProperties: false,
    },
  },
  'GET /gatewright/alert-settings': {
    resource: 'alerts.settings',
    action: 'get',
    scopes: ['read:tenant_settings'],
    status: 200,
    params: {},
    query: {},
  },
  'PUT /gatewright/alert-settings': {
    resource: 'alerts.settings',
    action: 'update',
    scopes: ['update:tenant_settings'],
    status: 200,
    params: {},
    query: {},
    body: {
      type: 'object',
      properties: {
        webhook: {
          oneOf: [
            { type: 'null' },
            {
              type: 'object',
              properties: {
                url: { type: 'string', minLength: 1, maxLength: 2_048 },
                format: { type: 'string', enum: ['json', 'slack'] },
              },
              required: ['url'],
              additionalProperties: false,
            },
          ],
        },
        mail_to: { type: 'array', maxItems: 10, items: { type: 'string', minLength: 3, maxLength: 254 } },
        rotate_secret: { type: 'boolean' },
      },
      additionalProperties: false,
    },
  },
};
