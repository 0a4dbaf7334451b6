import type { Transact } from '../../db/transact.ts';
import type { RecordEvent } from '../event.ts';
import type { LogType } from '../log-types.ts';

/** Tells of each event once it is committed: what is rolled back never happened. */
export function observeCommitted<Stores extends { readonly record: RecordEvent }>(
  transact: Transact<Stores>,
  onEvent: (type: LogType) => void,
): Transact<Stores> {
  return async (work) => {
    const types: LogType[] = [];
    const result = await transact((stores) =>
      work({
        ...stores,
        record: (tenantId: string, event) => {
          types.push(event.type);
          return stores.record(tenantId, event);
        },
      }),
    );
    for (const type of types) onEvent(type);
    return result;
  };
}

/** The same for events that are committed by themselves. */
export function observeAlone(recordAlone: RecordEvent, onEvent: (type: LogType) => void): RecordEvent {
  return async (tenantId, event) => {
    await recordAlone(tenantId, event);
    onEvent(event.type);
  };
}
