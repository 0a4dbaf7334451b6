import type { Client } from '../clients/client.ts';
import type { AccessResolver } from '../oauth/access/resolve-access.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { AnswerDevice } from '../oauth/device/answer-device.ts';
import { activationErrors } from '../oauth/device/device-code.ts';
import type { DeviceCodeStore } from '../oauth/device/device-code-store.ts';
import type { LoginPurpose } from './login-purposes.ts';

interface Parts {
  readonly deviceCodes: Pick<DeviceCodeStore, 'findPending' | 'deny'>;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly access: Pick<AccessResolver, 'grantedTarget'>;
  readonly answerDevice: AnswerDevice;
  readonly now: () => Date;
}

/** A device whose code the user confirmed: answered and refused at its next poll. */
export function devicePurpose({ deviceCodes, findClient, access, answerDevice, now }: Parts): LoginPurpose {
  return {
    async open({ tenant }, { device = '' }) {
      const waiting = await deviceCodes.findPending(tenant.tenantId, device, now());
      if (!waiting) throw activationErrors.over();
      const { clientId, audience, scope } = waiting;
      const client = await findClient(tenant.tenantId, clientId);
      if (!client) throw authorizePageErrors.unknownClient({ clientId });
      return {
        client,
        async check() {
          const target = await access.grantedTarget(tenant, audience, (asked) =>
            authorizeErrors.serviceNotFound({ audience: asked }),
          );
          const request = {
            client,
            scope,
            parameters: {},
            protocol: 'oauth2-device-code' as const,
            target,
            prompts: new Set<never>(),
            // There is no address that somebody else could receive the answer at: the user has compared the codes.
            isVerifiable: true,
            maxAge: undefined,
            subject: undefined,
            loginHint: undefined,
            connection: undefined,
            screenHint: undefined,
          };
          return { request, answer: answerDevice(waiting) };
        },
        async refuse(_http, reply, error) {
          await deviceCodes.deny(tenant.tenantId, device, error.message);
          return reply.header('cache-control', 'no-store').redirect('/activate/failure', 303);
        },
      };
    },
  };
}
