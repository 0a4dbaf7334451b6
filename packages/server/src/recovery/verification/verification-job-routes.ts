import type { ClientStore } from '../../clients/client-store.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { mailLanguage } from '../../email/mail-language.ts';
import { type Job, toWire } from '../../jobs/job.ts';
import type { JobStore } from '../../jobs/job-store.ts';
import { prefixedId } from '../../kit/ids.ts';
import type { Management } from '../../management/call.ts';
import { asIdentity } from '../../users/identity-profile.ts';
import { ordinaryUser, userErrors } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { tenantOfLinks } from '../tenant-of-links.ts';
import { ticketErrors } from '../ticket.ts';
import { clientOf, identityOf } from '../ticket-routes.ts';
import type { PrepareVerification, VerificationStores } from './send-verification.ts';

export interface VerificationJobStores extends VerificationStores {
  readonly users: Pick<UserStore, 'find'>;
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly clients: Pick<ClientStore, 'find'>;
  readonly jobs: Pick<JobStore, 'insert'>;
}

interface Needs {
  readonly prepareVerification: PrepareVerification;
  readonly now: () => Date;
}

/** POST /jobs/verification-email: the mail is written with the job, so that the job is done when it is answered. */
export function verificationJobRoutes<Stores extends VerificationJobStores>(
  management: Management<Stores>,
  { prepareVerification, now }: Needs,
): void {
  management.route('POST /jobs/verification-email', async (call) => {
    const { body, requester } = call;
    const tenant = tenantOfLinks(call);
    const { tenantId } = tenant;
    const user = ordinaryUser(await call.stores.users.find(tenantId, String(body.user_id)));
    const identity = identityOf(user, body, () => true);
    if ((identity ? asIdentity(user, identity) : user).email === undefined) throw ticketErrors.noEmail();
    const connection = identity && (await call.stores.connections.find(tenantId, identity.connectionId));
    if (!identity || !connection) throw userErrors.unknownConnection();
    const client = await clientOf(call);
    const job: Job = { jobId: prefixedId('job'), type: 'verification_email', status: 'completed', createdAt: now() };
    const sendVerification = await prepareVerification(tenant);
    return call.commit(async (stores) => {
      await stores.jobs.insert(tenantId, job);
      await sendVerification(stores, {
        tenant,
        user,
        identity,
        connection,
        client,
        language: mailLanguage(tenant),
        event: { ...requester, ...(client && { clientId: client.clientId, clientName: client.name }) },
        jobId: job.jobId,
      });
      // Auth0's answer: SDKs go on to ask for the job.
      return toWire({ ...job, status: 'pending' });
    });
  });
}
