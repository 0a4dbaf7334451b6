import { ServiceAwayError } from './verify-token.ts';

export type Fetch = typeof fetch;

export interface ServiceAnswer {
  readonly status: number;
  /** Undefined where it is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

const LONGEST_ANSWER = 262_144;

/**
 * Sends one request. Whatever is no answer to the question is a ServiceAwayError: no connection, a redirect (which could carry
 * the secret elsewhere), 429, 5xx, but for statuses that the caller understands. Messages name the URL, and nothing that was sent.
 */
export async function callService(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  understood: readonly number[] = [],
): Promise<ServiceAnswer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, redirect: 'manual' });
    text = await readBounded(response);
  } catch (cause) {
    if (cause instanceof ServiceAwayError) throw cause;
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    throw new ServiceAwayError(`${url} ${isLate ? 'did not answer in time' : "can't be reached"}.`, { cause });
  }
  const { status } = response;
  const isNoAnswer = status === 429 || status >= 500 || (status >= 300 && status < 400);
  if (isNoAnswer && !understood.includes(status))
    throw new ServiceAwayError(`${url} answered ${status}.`, { retryAfterSeconds: retryAfterOf(response) });
  return { status, body: objectIn(text) };
}

export async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > LONGEST_ANSWER) throw new ServiceAwayError(`${response.url} answered with too much.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
