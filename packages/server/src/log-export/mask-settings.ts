import { maskSecretText } from '../logs/masking/mask-secret-text.ts';
import type { GivenSettings } from './export-settings.ts';

const MASK = '*****';
/** A shorter path says nothing: `/hook`. */
const SHORTEST_PATH = 8;

/** Hides what is secret of an export in what its runs print: an answer of the webhook may repeat it. */
export function createSettingsMask(settings: GivenSettings): (text: string) => string {
  const { AUTH0_CLIENT_SECRET, AUTH0_GLOBAL_CLIENT_SECRET, WEBHOOK_URL } = settings;
  const hidden = [AUTH0_CLIENT_SECRET, AUTH0_GLOBAL_CLIENT_SECRET, WEBHOOK_URL, pathOf(WEBHOOK_URL)].flatMap((value) =>
    value ? [value.trim()] : [],
  );
  return (text) => maskSecretText(hidden.reduce((masked, value) => masked.replaceAll(value, MASK), text));
}

/** What is secret about a webhook is in its path or query. */
function pathOf(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { pathname, search } = new URL(address);
  const path = `${pathname}${search}`;
  return path.length >= SHORTEST_PATH ? path : undefined;
}
