/** Where code of this container wanted to connect, as it named it: the runtime's refusals name an address, or no port. */
interface Asked {
  readonly host: string;
  readonly port: string;
}

const MOST = 50;
const asked: Asked[] = [];

export function noteAsked(host: string, port: number | string): void {
  asked.unshift({ host: host.toLowerCase(), port: String(port) });
  asked.splice(MOST);
}

/** The target that was meant by `10.0.0.5:5432`, or by a host alone; what opens it has to be spelt as the code spells it. */
export function askedTarget(refused: string): string {
  const [, host = refused, port] = /^\[?(.+?)\]?:(\d+)$/.exec(refused) ?? [];
  const meant =
    asked.find((one) => one.host === host && (port === undefined || one.port === port)) ??
    asked.find((one) => one.port === port && !isAddress(one.host));
  if (meant) return targetName(meant.host, meant.port);
  return port === undefined ? `${host}:<port>` : refused;
}

/** As it is allowed: `db.example.com:5432`, `[fd12::5]:5432`. */
export function targetName(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host.toLowerCase()}]` : host.toLowerCase()}:${port}`;
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}
