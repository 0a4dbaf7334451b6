import { randomBytes } from 'node:crypto';
import type { NewTenant } from './gatewright.ts';
import { openManagementApi } from './management-api.ts';
import { findMemberRole } from './set-up-environment.ts';

export interface Member {
  readonly id: string;
  readonly email: string;
  readonly password: string;
}

/** Somebody to log in as, with a role that lets them see and book venues. For a demo: an environment's setup makes no user. */
export async function makeMember({ tenant, origin, management, connection }: NewTenant): Promise<Member> {
  const call = await openManagementApi(origin, management);
  const role = await findMemberRole(call);
  const email = `ada@${tenant}.example.com`;
  const password = `Venues-${randomBytes(9).toString('base64url')}-7a`;
  const user = await call('POST', '/users', { connection, email, password, email_verified: true, name: 'Ada Hall' });
  const id = String(user.user_id);
  await call('POST', `/users/${encodeURIComponent(id)}/roles`, { roles: [role?.id] });
  return { id, email, password };
}

/** Ends all that a user's logins opened, as an operator does whose user lost a laptop. */
export async function revokeAccess({ origin, management }: NewTenant, { id }: Member): Promise<void> {
  const call = await openManagementApi(origin, management);
  await call('POST', `/users/${encodeURIComponent(id)}/revoke-access`, {});
}
