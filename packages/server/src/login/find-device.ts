import type { Client } from '../clients/client.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { activationErrors, type DeviceCode } from '../oauth/device/device-code.ts';
import type { HashUserCode } from '../oauth/device/device-code-routes.ts';
import type { DeviceCodeStore } from '../oauth/device/device-code-store.ts';
import type { GuessLimit } from '../oauth/device/guess-limit.ts';
import { normalizeUserCode } from '../oauth/device/user-code.ts';

interface Parts {
  readonly deviceCodes: Pick<DeviceCodeStore, 'findWaiting'>;
  readonly guesses: GuessLimit;
  readonly hashUserCode: HashUserCode;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly now: () => Date;
}

const RETRY_AFTER = { headers: { 'retry-after': '300' } };

/** The devices that wait, by the codes that users type. */
export function createFindDevice({ deviceCodes, guesses, hashUserCode, findClient, now }: Parts) {
  async function waiting(tenantId: string, code: string): Promise<DeviceCode | undefined> {
    return deviceCodes.findWaiting(tenantId, await hashUserCode(tenantId, code), now());
  }

  async function client(tenantId: string, device: DeviceCode): Promise<Client> {
    const found = await findClient(tenantId, device.clientId);
    if (!found) throw authorizePageErrors.unknownClient({ clientId: device.clientId });
    return found;
  }

  /** By what somebody typed or confirms. What can't be a code is looked up as well: it takes as long and counts as much. */
  async function byUserCode(tenantId: string, ip: string, typed: string) {
    if (!(await guesses.begin(tenantId, ip))) throw activationErrors.tooManyGuesses({}, RETRY_AFTER);
    const code = normalizeUserCode(typed) ?? '';
    const device = await waiting(tenantId, code);
    if (!device) return undefined;
    await guesses.wasRight(tenantId, ip);
    return { code, device, client: await client(tenantId, device) };
  }

  return { byUserCode };
}

export type FindDevice = ReturnType<typeof createFindDevice>;
