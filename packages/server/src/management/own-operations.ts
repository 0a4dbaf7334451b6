import type { JsonSchema, StoredOperation } from './catalogue.ts';

// What the Management API has beyond Auth0's: operations of ours, and types that accept more than the catalogue's.
// Everything else about them (scopes, paging, validation, events) is as for the catalogue's own.

const ID = { id: { type: 'string' } } as const;
const INSTANT = { type: 'string', format: 'date-time' } as const;

export const OWN_OPERATIONS: Readonly<Record<string, StoredOperation>> = {
  'GET /gatewright/logs/stream': {
    resource: 'logs.stream',
    action: 'get',
    scopes: ['read:logs'],
    status: 200,
    params: {},
    query: { q: { type: 'string' }, from: { type: 'string' }, follow: { type: 'boolean' } },
  },
  'GET /log-streams/{id}/health': {
    resource: 'logStreams.health',
    action: 'get',
    scopes: ['read:log_streams'],
    status: 200,
    params: ID,
    query: {},
  },
  'GET /log-streams/{id}/dead-letters': {
    resource: 'logStreams.deadLetters',
    action: 'list',
    scopes: ['read:log_streams'],
    status: 200,
    params: ID,
    query: {
      page: { type: 'integer', minimum: 0 },
      per_page: { type: 'integer', minimum: 1, maximum: 100 },
      include_totals: { type: 'boolean' },
    },
    items: 'dead_letters',
  },
  'POST /log-streams/{id}/replay': {
    resource: 'logStreams',
    action: 'replay',
    scopes: ['update:log_streams'],
    status: 202,
    params: ID,
    query: {},
    body: {
      type: 'object',
      properties: { from: INSTANT, to: INSTANT, only_failed: { type: 'boolean' } },
      additionalProperties: false,
    },
  },
  'POST /log-streams/{id}/test': {
    resource: 'logStreams',
    action: 'test',
    scopes: ['update:log_streams'],
    status: 200,
    params: ID,
    query: {},
  },
  'POST /log-streams/{id}/rotate-secret': {
    resource: 'logStreams.signingSecrets',
    action: 'rotate',
    scopes: ['update:log_streams'],
    status: 200,
    params: ID,
    query: {},
    body: {
      type: 'object',
      properties: { overlap_hours: { type: 'integer', minimum: 0, maximum: 168 } },
      additionalProperties: false,
    },
  },
};

/** Take the place of the catalogue's types of the same name. */
export const OWN_DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
  // Development tenants send to http as well: their receivers run on the same machine (log-streams/log-stream-wire.ts).
  LogStreamHttpSink: {
    type: 'object',
    properties: {
      httpAuthorization: { type: 'string' },
      httpContentFormat: { enum: ['JSONARRAY', 'JSONLINES', 'JSONOBJECT'] },
      httpContentType: { type: 'string' },
      httpEndpoint: { type: 'string', pattern: '^https?://.*' },
      httpCustomHeaders: { type: 'array', items: { $ref: 'HttpCustomHeader' } },
    },
    required: ['httpEndpoint'],
    additionalProperties: false,
  },
  // What a sink has depends on the stream's type; the catalogue's definition of each is asked for there, in its own words.
  LogStreamSinkPatch: { type: 'object' },
  CreateLogStreamRequestContent: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      type: {
        enum: [
          ...['http', 'eventbridge', 'eventgrid', 'datadog', 'splunk', 'sumo', 'segment', 'mixpanel'],
          ...['file', 'syslog', 'otlp'],
        ],
      },
      isPriority: { type: 'boolean' },
      filters: { type: 'array', items: { $ref: 'LogStreamFilter' } },
      pii_config: { $ref: 'LogStreamPiiConfig' },
      sink: { type: 'object' },
      startFrom: { type: 'string' },
    },
    required: ['type', 'sink'],
    additionalProperties: false,
  },
};
