import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationNamed, operationNames } from './catalogue.ts';
import { titleOf } from './operation-title.ts';
import { ALERT_OPERATIONS } from './own-alert-operations.ts';
import { OWN_OPERATIONS } from './own-operations.ts';
import { parseQuery } from './parse-query.ts';
import { validateBody, validatorOf } from './validate-body.ts';

const REQUIRED: Readonly<Record<string, number>> = {
  '/tenants/settings': 2,
  '/clients': 2,
  '/clients/{id}': 3,
  '/clients/{client_id}/credentials': 2,
  '/clients/{client_id}/credentials/{credential_id}': 3,
  '/clients/{id}/rotate-secret': 1,
  '/clients/{id}/connections': 1,
  '/resource-servers': 2,
  '/resource-servers/{id}': 3,
  '/client-grants': 2,
  '/client-grants/{id}': 3,
  '/connections': 2,
  '/connections/{id}': 3,
  '/connections/{id}/clients': 2,
  '/connections/{id}/users': 1,
  '/users': 2,
  '/users/{id}': 3,
  '/users/{id}/roles': 3,
  '/users/{id}/permissions': 3,
  '/users-by-email': 1,
  '/roles': 2,
  '/roles/{id}': 3,
  '/roles/{id}/permissions': 3,
  '/roles/{id}/users': 2,
  '/keys/signing': 1,
  '/keys/signing/{kid}': 1,
  '/keys/signing/rotate': 1,
  '/keys/signing/{kid}/revoke': 1,
  '/logs': 1,
  '/logs/{id}': 1,
};

describe('the generated catalogue', () => {
  it.each(Object.entries(REQUIRED))('has every method of %s', (path, methods) => {
    expect(operationNames.filter((name) => name.split(' ')[1] === path)).toHaveLength(methods);
  });

  it('says of every operation who may, and how it answers', () => {
    expect(operationNames.length).toBe(457 + Object.keys({ ...ALERT_OPERATIONS, ...OWN_OPERATIONS }).length);
    for (const name of operationNames) {
      const { status, path, params, scopes } = operationNamed(name);
      expect(scopes.length, name).toBeGreaterThan(0);
      expect(status, name).toBeGreaterThanOrEqual(200);
      expect(Object.keys(params).sort(), name).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id).sort());
      expect(titleOf(operationNamed(name)), name).toMatch(/^[A-Z][A-Za-z0-9' -]+$/);
    }
  });

  it('titles an operation as the documentation does', () => {
    expect(titleOf(operationNamed('PATCH /actions/triggers/{trigger_id}/bindings'))).toBe('Update trigger bindings');
  });

  it('has schemas that all compile', () => {
    for (const name of operationNames) {
      const { body } = operationNamed(name);
      if (body !== undefined) expect(() => validatorOf(name, body), name).not.toThrow();
    }
  });

  it('answers with the status that was observed where documents differ', () => {
    expect(operationNamed('POST /roles').status).toBe(200);
    expect(operationNamed('PATCH /resource-servers/{id}').status).toBe(200);
    expect(operationNamed('DELETE /roles/{id}/permissions').status).toBe(204);
    expect(operationNamed('DELETE /connections/{id}').status).toBe(202);
    expect(operationNamed('PATCH /connections/{id}/clients').status).toBe(204);
    expect(operationNamed('POST /users/{id}/identities').status).toBe(201);
  });

  it('refuses an operation that Auth0 does not have', () => {
    expect(() => operationNamed('GET /toString')).toThrow('no operation');
    expect(() => operationNamed('toString')).toThrow('no operation');
  });

  it.each([
    [
      'PATCH /clients/{id}',
      { oidc_backchannel_logout: null, client_aliases: [], token_endpoint_auth_method: null, addons: null },
    ],
    [
      'PATCH /tenants/settings',
      {
        universal_login: { colors: {} },
        flags: { enable_client_connections: false },
        session_cookie: { mode: 'persistent' },
      },
    ],
    [
      'PATCH /connections/{id}',
      { enabled_clients: ['a'], options: { password_history: null, anything: { new: true } } },
    ],
    [
      'POST /connections',
      { name: 'db-1', strategy: 'auth0', options: { disable_signup: true, mfa: { active: true } } },
    ],
    ['PATCH /clients/{id}', { custom_login_page: '<html></html>', custom_login_page_on: true }],
    ['POST /users', { connection: 'db', email: 'a@b.example', password: 'x', user_metadata: { a: [1, { b: null }] } }],
    ['PATCH /users/{id}', { given_name: null, user_metadata: {}, blocked: false }],
  ])('lets pass what real tools send to %s: %j', (name, body) => {
    expect(() => validateBody(operationNamed(name), body)).not.toThrow();
  });

  // The reads of auth0-deploy-cli and of Auth0's SDKs.
  it.each([
    ['GET /clients', 'page=0&per_page=100&include_totals=true&is_global=true'],
    [
      'GET /clients',
      'fields=client_id&include_fields=true&app_type=spa,native&is_first_party=true&q=client_grant.organization_id%3Aa',
    ],
    ['GET /connections', 'include_totals=true&take=50&strategy=auth0&strategy=samlp'],
    ['GET /connections/{id}/clients', 'take=100'],
    ['GET /client-grants', 'include_totals=true&take=50&audience=urn%3Aa'],
    ['GET /roles', 'per_page=100&page=0&include_totals=true&type=tenant'],
    ['GET /roles/{id}/permissions', 'per_page=100&page=0&include_totals=true'],
    ['GET /resource-servers', 'page=0&per_page=100&include_totals=true'],
    [
      'GET /users',
      'page=0&per_page=50&include_totals=true&q=email%3A%22a%40b.c%22&search_engine=v3&sort=created_at%3A1',
    ],
    ['GET /logs', 'page=0&per_page=50&include_totals=true&q=type%3As'],
    ['GET /logs', 'from=90020260301&take=100'],
    ['GET /emails/provider', 'fields=name,enabled,credentials,settings,default_from_address&include_fields=true'],
    ['GET /prompts/rendering', 'page=0&per_page=100&include_totals=true'],
    ['GET /actions/actions', 'page=0&per_page=100'],
    ['GET /rules-configs', 'include_totals=true'],
    ['DELETE /actions/actions/{id}', 'force=true'],
  ])('lets pass the query of %s?%s', (name, query) => {
    expect(() => parseQuery(`/api/v2/x?${query}`, operationNamed(name))).not.toThrow();
  });
});

describe('any input', () => {
  const written = operationNames.map(operationNamed).filter((operation) => operation.body !== undefined);
  const names = ['name', 'options', 'email', 'user_metadata', 'callbacks', 'constructor', 'toString', 'x'];
  const bodies = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...names), fc.jsonValue()));

  it('is a body that passes, or a 400', () => {
    const some = written.filter((operation) =>
      /^\/(clients|users|roles|connections|tenants|resource-servers)/.test(operation.path),
    );
    fc.assert(
      fc.property(fc.constantFrom(...some), bodies, (operation, body) => {
        expect(statusOf(() => validateBody(operation, body))).toBeOneOf([200, 400]);
      }),
      { numRuns: 200 },
    );
  });

  it('is a query that passes, or a 400', () => {
    const operations = operationNames.map(operationNamed);
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('%', '%ff', '%00', '1e9', '-1', 'true', '9'.repeat(40)),
    );
    const key = fc.oneof(
      text,
      fc.constantFrom('page', 'per_page', 'take', 'from', 'fields', '__proto__', 'constructor'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...operations), fc.array(fc.tuple(key, text)), (operation, pairs) => {
        const url = `/x?${pairs.map((pair) => pair.join('=')).join('&')}`;
        expect(statusOf(() => parseQuery(url, operation))).toBeOneOf([200, 400]);
      }),
      { numRuns: 500 },
    );
  });
});

function statusOf(work: () => void): unknown {
  try {
    work();
    return 200;
  } catch (error) {
    return error instanceof Error && 'status' in error ? error.status : error;
  }
}
