import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../src/containers/job.ts';

/** What a rule of this folder gets besides the user and the context of every one. */
export interface Given {
  readonly user?: object;
  readonly context?: object;
  readonly configuration?: Readonly<Record<string, string>>;
  readonly auth0?: { readonly domain: string; readonly accessToken: string };
}

const ADA = {
  user_id: 'auth0|ada',
  email: 'ada@example.com',
  email_verified: false,
  identities: [
    { provider: 'auth0', user_id: 'ada', connection: 'Users', isSocial: false },
    { provider: 'auth0', user_id: 'ada2', connection: 'More', isSocial: false },
  ],
};

const LOGIN = {
  clientID: 'client',
  protocol: 'oidc-basic-profile',
  request: { ip: '10.1.2.3', hostname: 'login.example.com', query: {}, body: {} },
  idToken: {},
  accessToken: {},
};

/** The pipeline of one rule of this folder. */
export function corpusJob(name: string, { user, context, configuration = {}, auth0 }: Given = {}): Job {
  const code = readFileSync(join(import.meta.dirname, `${name}.rule.js`), 'utf8');
  return {
    tenantId: 'dev',
    pool: 'scripts',
    kind: 'rules',
    program: { hash: createHash('sha256').update(code).digest('hex'), parts: [{ id: `rul_${name}`, name, code }] },
    input: {
      user: { ...ADA, ...user },
      context: { ...LOGIN, ...context },
      configuration,
      ...(auth0 && { auth0 }),
    },
  };
}
