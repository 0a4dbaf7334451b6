import type { RecordEvent } from '../event.ts';

type NameOf = (tenantId: string, clientId: string) => Promise<string | undefined>;

/**
 * Refusals often know an application by the id that was sent alone: its name is looked up, from memory. Not for events of a
 * transaction: it would hold its connection while it waits for another one.
 */
export function nameClient(recordAlone: RecordEvent, nameOf: NameOf): RecordEvent {
  return async (tenantId, event) => {
    const { clientId, clientName } = event;
    const name = clientId === undefined || clientName !== undefined ? undefined : await nameOf(tenantId, clientId);
    await recordAlone(tenantId, name === undefined ? event : { ...event, clientName: name });
  };
}
