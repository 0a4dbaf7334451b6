import type { ConnectionStore } from '../../connections/connection-store.ts';
import { mailLanguage } from '../../email/mail-language.ts';
import type { ManagementCall } from '../../management/call.ts';
import { asIdentity } from '../../users/identity-profile.ts';
import type { User } from '../../users/user.ts';
import { tenantOfLinks } from '../tenant-of-links.ts';
import { isUnproved, type PrepareVerification, type VerificationStores } from './send-verification.ts';

interface Stores extends VerificationStores {
  readonly connections: Pick<ConnectionStore, 'find'>;
}

/** For users whom operators make or change: mails the link, unless the address is proved or there is none. */
export function createUserVerification(prepareVerification: PrepareVerification) {
  return async (call: Pick<ManagementCall<Stores>, 'tenant' | 'customDomain' | 'requester' | 'actor'>) => {
    const { requester, actor } = call;
    const tenant = tenantOfLinks(call);
    const sendVerification = await prepareVerification(tenant);
    return async (stores: Stores, user: User, connectionName?: string): Promise<void> => {
      const identity = user.identities.find((one) => connectionName === undefined || one.connection === connectionName);
      if (!identity || !isUnproved(asIdentity(user, identity))) return;
      const connection = await stores.connections.find(tenant.tenantId, identity.connectionId);
      if (!connection) return;
      const event = { ...requester, clientId: actor.clientId };
      const language = mailLanguage(tenant);
      await sendVerification(stores, { tenant, user, identity, connection, client: undefined, language, event });
    };
  };
}
