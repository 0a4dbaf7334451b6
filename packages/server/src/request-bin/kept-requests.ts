/** A request as the inspector shows it. */
export interface KeptRequest {
  /** 1 is the first since the start. */
  readonly number: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** In the order and spelling in which they came. */
  readonly headers: readonly (readonly [string, string])[];
  /** As text, up to a bound. */
  readonly body: string;
  readonly bytes: number;
  readonly isCut: boolean;
  /** What it was answered. */
  readonly status: number;
}

export type RequestSummary = Pick<KeptRequest, 'number' | 'at' | 'method' | 'path' | 'bytes' | 'status'> & {
  /** What an event of an export is about. */
  readonly type: string | undefined;
  readonly webhookId: string | undefined;
};

/** Together some 13 MB at most. */
export const MOST_KEPT = 200;
export const MOST_BODY_BYTES = 65_536;

/** The newest requests, in memory alone. */
export function createKeptRequests() {
  let kept: KeptRequest[] = [];
  return {
    add(request: KeptRequest): void {
      kept = [...kept, request].slice(-MOST_KEPT);
    },
    find: (number: number): KeptRequest | undefined => kept.find((request) => request.number === number),
    all: (): readonly KeptRequest[] => kept,
    clear(): void {
      kept = [];
    },
  };
}

export function summaryOf(request: KeptRequest): RequestSummary {
  const { number, at, method, path, bytes, status } = request;
  const webhookId = request.headers.find(([name]) => name.toLowerCase() === 'webhook-id')?.[1];
  return { number, at, method, path, bytes, status, type: eventTypeOf(request), webhookId };
}

/** Of a record of the log, plain or as a log stream sends it. */
function eventTypeOf({ body, isCut }: KeptRequest): string | undefined {
  if (isCut || !body.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(body);
    const type: unknown = parsed.data?.type ?? parsed.type;
    return typeof type === 'string' ? type.slice(0, 60) : undefined;
  } catch {
    return undefined;
  }
}
