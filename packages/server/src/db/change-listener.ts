import pg from 'pg';

export interface ChangeListener {
  /** False while the listening connection is down: what other processes change is then unknown. */
  isListening(): boolean;
  stop(): Promise<void>;
}

interface Parts {
  readonly poolOptions: pg.PoolConfig;
  /** Channels, each with what its messages do. */
  readonly channels: Readonly<Record<string, (payload: string) => void>>;
  /** After a (re)connection: anything may have changed in between. */
  readonly onReconnect: () => void;
  /** Once for each loss. */
  readonly onLost?: (() => void) | undefined;
}

const RETRY_MILLISECONDS = 500;
const PROBE_MILLISECONDS = 5_000;
const CONNECT_MILLISECONDS = 5_000;

/** Keeps one connection that hears NOTIFY, and says so when it does not. */
export async function listenForChanges({ poolOptions, channels, onReconnect, onLost }: Parts): Promise<ChangeListener> {
  let client: pg.Client | undefined;
  let listening = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...poolOptions,
      application_name: 'gatewright-listen',
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      keepAlive: true,
    });
    next.on('notification', ({ channel, payload = '' }) => channels[channel]?.(payload));
    next.on('error', () => lost(next));
    next.on('end', () => lost(next));
    try {
      await next.connect();
      for (const channel of Object.keys(channels)) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch {
      next.end().catch(() => {});
      again();
      return;
    }
    if (stopped) {
      next.end().catch(() => {});
      return;
    }
    client = next;
    onReconnect();
    listening = true;
  }

  function lost(which: pg.Client): void {
    if (which !== client) return;
    client = undefined;
    listening = false;
    which.end().catch(() => {});
    if (!stopped) onLost?.();
    again();
  }

  function again(): void {
    if (stopped) return;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), RETRY_MILLISECONDS);
  }

  // A connection that a firewall dropped without a word looks alive; a query finds out.
  const probe = setInterval(() => {
    const probed = client;
    if (!probed) return;
    const deadline = setTimeout(() => lost(probed), PROBE_MILLISECONDS);
    probed
      .query('select 1')
      .catch(() => lost(probed))
      .finally(() => clearTimeout(deadline));
  }, PROBE_MILLISECONDS);

  await connect();
  return {
    isListening: () => listening,
    async stop() {
      stopped = true;
      clearInterval(probe);
      clearTimeout(retry);
      listening = false;
      const last = client;
      client = undefined;
      await last?.end().catch(() => {});
    },
  };
}
