import type { Json } from '../../kit/json-values.ts';

/** A login as rules see one, for trying a rule on: somebody of a database logs in at a page, for the second time. */
export const SAMPLE_USER: Json = {
  user_id: 'auth0|5f7c8ec7c33c6c004bbafe82',
  email: 'ada@example.com',
  email_verified: true,
  name: 'ada@example.com',
  nickname: 'ada',
  picture: 'https://example.com/ada.png',
  created_at: '2026-01-05T09:00:00.000Z',
  updated_at: '2026-01-06T09:00:00.000Z',
  identities: [
    {
      connection: 'Username-Password-Authentication',
      provider: 'auth0',
      user_id: '5f7c8ec7c33c6c004bbafe82',
      isSocial: false,
    },
  ],
  user_metadata: {},
  app_metadata: {},
  last_ip: '203.0.113.7',
  last_login: '2026-01-06T09:00:00.000Z',
  logins_count: 2,
  blocked: false,
};

export const SAMPLE_CONTEXT: Json = {
  tenant: 'dev',
  clientID: 'AaiyAPdpYdesoKnqjj8HJqRn4T5titww',
  clientName: 'My App',
  clientMetadata: {},
  connectionID: 'con_fpe5kj482KO1eOzQ',
  connection: 'Username-Password-Authentication',
  connectionStrategy: 'auth0',
  connectionOptions: {},
  connectionMetadata: {},
  protocol: 'oidc-basic-profile',
  request: {
    userAgent: 'Mozilla/5.0',
    ip: '203.0.113.7',
    hostname: 'dev.example.com',
    method: 'GET',
    query: {
      client_id: 'AaiyAPdpYdesoKnqjj8HJqRn4T5titww',
      response_type: 'code',
      redirect_uri: 'https://app.example.com/callback',
      scope: 'openid profile email',
    },
    body: {},
  },
  stats: { loginsCount: 2 },
  sso: { with_auth0: false, with_dbconn: false, current_clients: [] },
  sessionID: 'jYA5wG32xLyE0NVCKn_ZiKi0yDJz2HTy',
  authentication: { methods: [{ name: 'pwd', timestamp: 1_767_690_000_000 }] },
  authorization: { roles: [] },
  primaryUser: 'auth0|5f7c8ec7c33c6c004bbafe82',
  idToken: {},
  accessToken: {},
  samlConfiguration: {},
  jwtConfiguration: {},
};
