import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import { digest } from '../../kit/digest.ts';
import { DeclaredError } from '../../kit/errors.ts';
import { randomSecret } from '../../kit/ids.ts';
import { networkOf } from '../../kit/network-of.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters, type Parameters } from '../parameters.ts';
import type { AttemptStore } from './attempt-store.ts';
import { DEVICE_CODE_SECONDS, DEVICE_GRANT, deviceErrors, POLL_SECONDS } from './device-code.ts';
import type { DeviceCodeStore, NewDeviceCode } from './device-code-store.ts';
import { makeUserCode, normalizeUserCode } from './user-code.ts';

interface Parts {
  readonly authenticateClient: AuthenticateClient;
  readonly access: Pick<AccessResolver, 'target'>;
  readonly deviceCodes: Pick<DeviceCodeStore, 'insert'>;
  readonly attempts: Pick<AttemptStore, 'count'>;
  readonly hashUserCode: HashUserCode;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** A short code's hash is keyed: its few possible values could be tried out on a stolen table. */
export type HashUserCode = (tenantId: string, normalizedCode: string) => Promise<string>;

const MAX_BODY_BYTES = 65_536;
/** Five a second from one network (limits of Auth0's paid plans): anybody may ask, and each answer is a row. */
const MOST_CODES = 300;
const WINDOW_SECONDS = 60;
const MOST_TRIES = 5;

/** POST /oauth/device/code (RFC 8628 section 3.1, authentication-api section 5). */
export function deviceCodeRoutes(app: FastifyInstance, parts: Parts): void {
  const { authenticateClient, access, deviceCodes, attempts, hashUserCode, recordAlone, now } = parts;

  app.post('/oauth/device/code', { config: { errors: 'oauth' }, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const parameters = bodyParameters(request);
    const response = await authorizeOrEvent(request, parameters);
    return reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' }).send(response);
  });

  async function authorizeOrEvent(request: FastifyRequest, parameters: Parameters) {
    const { tenant, requester } = request;
    let client: Client | undefined;
    try {
      parameters.require('client_id');
      client = await authenticateClient(clientRequest(request, parameters));
      return await begin(request, client, parameters);
    } catch (error) {
      if (error instanceof DeclaredError && error.status < 500 && error.status !== 429) {
        const clientId = client?.clientId ?? parameters.get('client_id')?.slice(0, 128);
        await recordAlone(tenant.tenantId, {
          ...requester,
          type: 'deviceAuthorizationFailed',
          description: error.message,
          ...(clientId && { clientId }),
          ...(client && { clientName: client.name }),
          details: { error: { message: error.message, oauthError: error.code } },
        });
      }
      throw error;
    }
  }

  async function begin({ tenant, origin, requester }: FastifyRequest, client: Client, parameters: Parameters) {
    if (!client.grantTypes.includes(DEVICE_GRANT)) throw oauthErrors.grantNotAllowed({ grantType: DEVICE_GRANT });
    if (client.appType !== 'native') throw deviceErrors.notNative();
    const { audience } = await access.target(tenant, parameters.get('audience'), (asked) =>
      oauthErrors.serviceNotFound({ audience: asked }),
    );
    const asked = await attempts.count(
      tenant.tenantId,
      `device-code ${networkOf(requester.ip)}`,
      WINDOW_SECONDS,
      now(),
    );
    if (asked > MOST_CODES) throw deviceErrors.tooManyCodes({}, { headers: { 'retry-after': String(WINDOW_SECONDS) } });
    const deviceCode = randomSecret();
    const userCode = await store(tenant, {
      deviceCodeHash: digest(deviceCode),
      clientId: client.clientId,
      audience,
      scope: parameters.get('scope') ?? '',
      interval: POLL_SECONDS,
      expiresAt: new Date(now().getTime() + DEVICE_CODE_SECONDS * 1000),
    });
    const verificationUri = `${origin}/activate`;
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: verificationUri,
      expires_in: DEVICE_CODE_SECONDS,
      interval: POLL_SECONDS,
      verification_uri_complete: `${verificationUri}?user_code=${encodeURIComponent(userCode)}`,
    };
  }

  async function store(tenant: Tenant, code: Omit<NewDeviceCode, 'userCodeHash'>): Promise<string> {
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const userCode = makeUserCode(tenant);
      const userCodeHash = await hashUserCode(tenant.tenantId, normalizeUserCode(userCode) ?? '');
      if (await deviceCodes.insert(tenant.tenantId, { ...code, userCodeHash })) return userCode;
    }
    throw new Error('No user code is free.');
  }
}
