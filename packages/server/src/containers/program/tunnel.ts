import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConnectionMessage } from '../protocol.ts';
import { targetName } from './asked-targets.ts';
import { failRun } from './catch-uncaught.ts';
import { currentRun } from './current-run.ts';
import { send } from './wire.ts';

/** One end of a connection that goes through the server. */
export interface TunnelEnd {
  readonly onOpened: () => void;
  readonly onData: (bytes: Buffer) => void;
  readonly onEnd: () => void;
  /** Bytes that the other side has taken. */
  readonly onAck: (bytes: number) => void;
  readonly onClosed: (error: string | undefined) => void;
}

/** As the server's: more than this is never under way. */
export const WINDOW_BYTES = 256 * 1024;

interface Opened {
  readonly end: TunnelEnd;
  /** What comes in belongs to the job that opened it, as with sockets of Node. */
  readonly inRun: (tell: () => void) => void;
}

const ends = new Map<string, Opened>();
let targets: readonly string[] = [];
let count = 0;

/** What the operator opened on its own network, `host:port`. */
export function setTargets(opened: readonly string[]): void {
  targets = opened;
}

/** Whether a connection there goes through the server, and whether it is the tenant's own API that answers. */
export function routeOf(host: string, port: number | string): 'api' | 'intranet' | undefined {
  const target = targetName(host, port);
  if (currentRun()?.hosts.includes(target)) return 'api';
  return targets.includes(target) ? 'intranet' : undefined;
}

/** Opens a connection; the functions that write into it. */
export function openTunnel(host: string, port: number | string, end: TunnelEnd) {
  const id = `c${++count}`;
  const run = currentRun()?.id ?? '';
  ends.set(id, { end, inRun: AsyncLocalStorage.snapshot() });
  send({ type: 'open', id, run, target: targetName(host, port) });
  return {
    write: (bytes: Buffer) => send({ type: 'data', id, bytes: bytes.toString('base64') }),
    acknowledge: (bytes: number) => send({ type: 'ack', id, bytes }),
    end: () => send({ type: 'end', id }),
    close(): void {
      if (ends.delete(id)) send({ type: 'closed', id });
    },
  };
}

export function receive(message: ConnectionMessage): void {
  const opened = ends.get(message.id);
  opened?.inRun(() => {
    try {
      tell(opened.end, message);
    } catch (cause) {
      // A listener of tenant code; the loop that reads the server's lines must go on.
      failRun(cause);
    }
  });
}

function tell(end: TunnelEnd, message: ConnectionMessage): void {
  if (message.type === 'opened') end.onOpened();
  else if (message.type === 'data') end.onData(Buffer.from(message.bytes, 'base64'));
  else if (message.type === 'ack') end.onAck(message.bytes);
  else if (message.type === 'end') end.onEnd();
  else {
    ends.delete(message.id);
    end.onClosed(message.error);
  }
}
