import type { RecordEvent } from '../logs/event.ts';
import type { About, Explanation } from '../logs/explain-error.ts';
import type { LoginFacts } from './login-facts.ts';

/** The login went on, and somebody should look at its code. */
export function recordWarning(
  recordAlone: RecordEvent,
  facts: LoginFacts,
  description: string,
  details: Explanation = {},
): Promise<void> {
  const { tenant, client, request } = facts;
  return recordAlone(tenant.tenantId, {
    ...request.requester,
    ...whoLogsIn(facts),
    type: 'loginWarned',
    clientId: client.clientId,
    clientName: client.name,
    description,
    details,
  });
}

export function whoLogsIn({ connection, user }: Pick<LoginFacts, 'connection' | 'user'>): About {
  return {
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
  };
}
