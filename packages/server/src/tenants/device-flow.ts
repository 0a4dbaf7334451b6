/** How the codes look that users type for a device (tenant setting `device_flow`). */
export interface DeviceFlow {
  readonly charset: 'base20' | 'digits';
  /** A `*` is a character of the code. */
  readonly mask: string;
}

const DEFAULTS = { base20: '****-****', digits: '***-***-***' } as const;
/** Shorter codes could be guessed while they live (RFC 8628 section 5.1). */
const FEWEST = { base20: 8, digits: 9 } as const;

export function deviceFlowOf(value: unknown): DeviceFlow {
  const { charset, mask } = Object(value);
  const known = charset === 'digits' ? 'digits' : 'base20';
  return { charset: known, mask: isMask(mask, known) ? mask : DEFAULTS[known] };
}

/** Undefined where the setting is one that codes can be made by. */
export function deviceFlowFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('mask' in value)) return undefined;
  const charset = 'charset' in value && value.charset === 'digits' ? 'digits' : 'base20';
  if (isMask(value.mask, charset)) return undefined;
  return `A mask has at least ${FEWEST[charset]} *, and between them dashes and blanks only`;
}

function isMask(mask: unknown, charset: DeviceFlow['charset']): mask is string {
  return typeof mask === 'string' && /^\*[* -]{0,18}\*$/.test(mask) && mask.split('*').length > FEWEST[charset];
}
