import type { FastifyInstance } from 'fastify';
import type { TenantSecrets } from '../keys/tenant-secrets.ts';
import { keyedDigest } from '../kit/digest.ts';
import { activateRoutes } from '../login/activate-routes.ts';
import { createFindDevice } from '../login/find-device.ts';
import { deviceCodeRoutes, type HashUserCode } from '../oauth/device/device-code-routes.ts';
import { createGuessLimit } from '../oauth/device/guess-limit.ts';
import type { Stores } from '../stores.ts';

type Shared = Omit<Parameters<typeof activateRoutes>[1], 'findDevice'> &
  Pick<Parameters<typeof deviceCodeRoutes>[1], 'authenticateClient' | 'access' | 'now'>;

interface Parts extends Shared {
  readonly stores: Stores;
  readonly secrets: TenantSecrets;
  readonly findClient: Parameters<typeof createFindDevice>[0]['findClient'];
}

/** The device flow: where devices ask, and where their users let them in. The grant is one of the token endpoint's. */
export function createDeviceFlow(http: FastifyInstance, parts: Parts): void {
  const { stores, secrets, findClient, now } = parts;
  const { deviceCodes, attempts } = stores;
  const hashUserCode: HashUserCode = async (tenantId, code) =>
    keyedDigest(await secrets.secretFor(tenantId, 'device-user-codes'), code);
  const guesses = createGuessLimit({ attempts, now });
  deviceCodeRoutes(http, { ...parts, deviceCodes, attempts, hashUserCode });
  activateRoutes(http, {
    ...parts,
    findDevice: createFindDevice({ deviceCodes, guesses, hashUserCode, findClient, now }),
  });
}
