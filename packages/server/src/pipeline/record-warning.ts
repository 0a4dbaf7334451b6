import type { RecordEvent } from '../logs/event.ts';
import type { Explanation } from '../logs/explain-error.ts';
import type { LoginFacts } from './login-facts.ts';

/** The login went on, and somebody should look at its code. */
export function recordWarning(
  recordAlone: RecordEvent,
  { tenant, client, connection, user, request }: LoginFacts,
  description: string,
  details: Explanation = {},
): Promise<void> {
  return recordAlone(tenant.tenantId, {
    type: 'loginWarned',
    ip: request.ip,
    userAgent: request.userAgent,
    hostname: request.hostname,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
    description,
    details,
  });
}
