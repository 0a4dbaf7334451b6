import { LRUCache } from 'lru-cache';
import { storableText } from '../masking/storable-text.ts';

export interface UserAgent {
  /** `Chrome 107.0.0 / Windows 10.0.0`, as Auth0's records show it. */
  readonly name: string;
  readonly isMobile: boolean;
}

/** Browsers that pretend to be another one stand before it. */
const PROGRAMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\/([\d.]+)/],
  ['Opera', /\b(?:OPR|Opera)\/([\d.]+)/],
  ['Samsung Internet', /\bSamsungBrowser\/([\d.]+)/],
  ['Firefox iOS', /\bFxiOS\/([\d.]+)/],
  ['Chrome Mobile iOS', /\bCriOS\/([\d.]+)/],
  ['HeadlessChrome', /\bHeadlessChrome\/([\d.]+)/],
  ['Chrome Mobile', /\bChrome\/([\d.]+) Mobile\b/],
  ['Chrome', /\bChrom(?:e|ium)\/([\d.]+)/],
  ['Firefox', /\bFirefox\/([\d.]+)/],
  ['Mobile Safari', /\bVersion\/([\d.]+) Mobile\//],
  ['Safari', /\bVersion\/([\d.]+) Safari\//],
  ['IE', /\b(?:MSIE |Trident\/[\d.]+; rv:)([\d.]+)/],
  ['Java', /\bJava\/([\d.]+)/],
  ['okhttp', /\bokhttp\/([\d.]+)/],
  ['Go-http-client', /\bGo-http-client\/([\d.]+)/],
  ['Python Requests', /\bpython-requests\/([\d.]+)/],
  ['curl', /\bcurl\/([\d.]+)/],
  ['PostmanRuntime', /\bPostmanRuntime\/([\d.]+)/],
  ['Node.js', /\bnode(?:\.js)?\/v?([\d.]+)/i],
];
const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['iOS', /\b(?:iPhone|iPad|iPod)[^)]{0,80}? OS ([\d_]+)/],
  ['Android', /\bAndroid ([\d.]+)/],
  ['Windows', /\bWindows NT ([\d.]+)/],
  ['Mac OS X', /\bMac OS X ([\d_.]+)/],
  ['Chrome OS', /\bCrOS \w+ ([\d.]+)/],
  ['Ubuntu', /\bUbuntu(?:\/([\d.]+))?/],
  ['Linux', /\bLinux\b()/],
];
const MOBILE = /\b(?:Mobile|iPhone|iPod|iPad|Android)\b/;
const MAX_LENGTH = 512;

const known = new LRUCache<string, UserAgent>({ max: 1_000 });

/** A server sees few agents many times, hence the cache; it is keyed by the bounded text. */
export function describeUserAgent(header: string): UserAgent {
  const agent = header.slice(0, MAX_LENGTH);
  const cached = known.get(agent);
  if (cached !== undefined) return cached;
  const described = describe(agent);
  known.set(agent, described);
  return described;
}

function describe(agent: string): UserAgent {
  if (agent.trim() === '') return { name: 'unknown', isMobile: false };
  const program = find(PROGRAMS, agent);
  const system = find(SYSTEMS, agent);
  // What we don't recognise is shown as it came: it tells an operator more than "Other 0.0.0".
  const name = program === undefined && system === undefined ? agent : `${program ?? OTHER} / ${system ?? OTHER}`;
  return { name: storableText(name, MAX_LENGTH), isMobile: MOBILE.test(agent) };
}

const OTHER = 'Other 0.0.0';

function find(table: typeof PROGRAMS, agent: string): string | undefined {
  for (const [name, pattern] of table) {
    const match = pattern.exec(agent);
    if (match !== null) return `${name} ${threeNumbers(match[1] ?? '')}`;
  }
  return undefined;
}

function threeNumbers(version: string): string {
  const numbers = version.split(/[._]/).filter((part) => part !== '');
  return [0, 1, 2].map((index) => numbers[index] ?? '0').join('.');
}
