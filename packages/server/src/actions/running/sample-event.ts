import type { Json } from '../../kit/json-values.ts';

/** What an action sees of an ordinary login, for trying one. */
export const SAMPLE_EVENT: Json = {
  user: {
    user_id: 'auth0|5f7c8ec7c33c6c004bbafe82',
    email: 'ada@example.com',
    email_verified: true,
    name: 'ada@example.com',
    nickname: 'ada',
    picture: 'https://example.com/ada.png',
    created_at: '2026-01-05T09:00:00.000Z',
    updated_at: '2026-01-06T09:00:00.000Z',
    last_password_reset: '',
    identities: [
      {
        connection: 'Username-Password-Authentication',
        provider: 'auth0',
        user_id: '5f7c8ec7c33c6c004bbafe82',
        isSocial: false,
      },
    ],
    multifactor: [],
    user_metadata: {},
    app_metadata: {},
  },
  client: { client_id: 'AaiyAPdpYdesoKnqjj8HJqRn4T5titww', name: 'My App', metadata: {} },
  connection: {
    id: 'con_fpe5kj482KO1eOzQ',
    name: 'Username-Password-Authentication',
    strategy: 'auth0',
    metadata: {},
  },
  authentication: { methods: [{ name: 'pwd', timestamp: '2026-01-06T09:00:00.000Z' }] },
  authorization: { roles: [] },
  request: {
    ip: '203.0.113.7',
    hostname: 'dev.example.com',
    method: 'GET',
    user_agent: 'Mozilla/5.0',
    language: 'en',
    query: {},
    body: {},
    geoip: {},
  },
  stats: { logins_count: 2 },
  tenant: { id: 'dev' },
  transaction: {
    acr_values: [],
    locale: 'en',
    protocol: 'oidc-basic-profile',
    requested_scopes: ['openid', 'profile', 'email'],
    ui_locales: [],
    metadata: {},
  },
};
