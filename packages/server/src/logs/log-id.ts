/** Where an event stands in the order of delivery. xid and seq are decimal: a double can't hold them. */
export interface LogPosition {
  readonly epoch: number;
  readonly xid: string;
  readonly seq: string;
  /** UTC day of the partition, YYYYMMDD. No part of the order. */
  readonly day: string;
}

const FORM = /^900(\d{3})(\d{20})(\d{19})(\d{8})000$/;
const MAX_XID = 2n ** 64n - 1n;
const MAX_SEQ = 2n ** 63n - 1n;

/** `900`, epoch (3), xid (20), seq (19), day (8), `000`: 56 digits whose order as text is the order of delivery. */
export function encodeLogId({ epoch, xid, seq, day }: LogPosition): string {
  return `900${String(epoch).padStart(3, '0')}${xid.padStart(20, '0')}${seq.padStart(19, '0')}${day}000`;
}

/** Undefined for everything that encodeLogId can't have made. */
export function decodeLogId(id: string): LogPosition | undefined {
  const parts = FORM.exec(id);
  if (parts === null) return undefined;
  const [, epoch = '', xid = '', seq = '', day = ''] = parts;
  if (BigInt(xid) > MAX_XID || BigInt(seq) > MAX_SEQ || !isDay(day)) return undefined;
  return { epoch: Number(epoch), xid: BigInt(xid).toString(), seq: BigInt(seq).toString(), day };
}

function isDay(day: string): boolean {
  const iso = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const date = new Date(iso);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
}

/** Below zero where `one` stands before `other`. Numbers without leading zeros: the longer is the greater. */
export function comparePositions(one: LogPosition, other: LogPosition): number {
  return one.epoch - other.epoch || compareNumbers(one.xid, other.xid) || compareNumbers(one.seq, other.seq);
}

function compareNumbers(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}
