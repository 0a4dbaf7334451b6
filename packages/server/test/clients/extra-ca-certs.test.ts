import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server?.stop());

/** Programs of customers, whole: the library with its documented options and nothing about certificates. */
const programs = {
  auth0: `
    import { ManagementClient } from 'auth0';
    const { DOMAIN: domain, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
    const { friendly_name } = await new ManagementClient({ domain, clientId, clientSecret }).tenants.settings.get();
    console.log(friendly_name);`,
  'openid-client': `
    import { clientCredentialsGrant, discovery } from 'openid-client';
    const { DOMAIN: domain, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
    const configuration = await discovery(new URL('https://' + domain), clientId, clientSecret);
    const { token_type } = await clientCredentialsGrant(configuration, { audience: 'https://' + domain + '/api/v2/' });
    console.log(token_type);`,
  oauth4webapi: `
    import { discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
    const url = new URL('https://' + process.env.DOMAIN);
    const { issuer } = await processDiscoveryResponse(url, await discoveryRequest(url));
    console.log(new URL(issuer).pathname);`,
};

describe('a Node program of its own', () => {
  it.each([
    ['auth0', 'dev'],
    ['openid-client', 'bearer'],
    ['oauth4webapi', '/'],
  ] as const)('with %s trusts the authority by NODE_EXTRA_CA_CERTS alone', async (library, printed) => {
    const { stdout } = await start(programs[library], { NODE_EXTRA_CA_CERTS: server.caFile });
    expect(stdout.trim()).toBe(printed);
  });

  it('does not trust it by itself', async () => {
    await expect(start(programs.oauth4webapi, {})).rejects.toMatchObject({
      stderr: expect.stringContaining('SELF_SIGNED_CERT_IN_CHAIN'),
    });
  });
});

function start(program: string, trust: Readonly<Record<string, string>>) {
  const { client_id, client_secret } = server.firstRun.management;
  return run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: PACKAGE,
    timeout: 30_000,
    env: { DOMAIN: new URL(server.origin).host, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, ...trust },
  });
}
