import { maskSecretText } from './mask-secret-text.ts';
import { isPrivateJwk, PRIVATE_JWK_MEMBERS, secretKindOf } from './secret-names.ts';
import { storableText } from './storable-text.ts';

export const MASK = '*****';

/** Bounds of one event's details, so that a request can't fill the log. */
const MAX_CHARACTERS = 12_000;
const MAX_DEPTH = 12;
const MAX_MEMBERS = 200;
const MAX_STRING = 2_000;
const LEFT_OUT = '[left out: too large]';

/** Copies details into what may be stored: secrets masked at every depth, bounded in size and depth, representable as jsonb. */
export function maskSecrets(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return new Masking().object(details, 0, false);
}

class Masking {
  private charactersLeft = MAX_CHARACTERS;

  /** `inError`: below an error `code` is a word such as `invalid_grant` and no authorization code. */
  object(source: Readonly<Record<string, unknown>>, depth: number, inError: boolean): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    const privateKey = isPrivateJwk(source);
    let members = 0;
    for (const key in source) {
      if (!Object.hasOwn(source, key)) continue;
      if (++members > MAX_MEMBERS || this.charactersLeft <= 0) {
        copy['…'] = LEFT_OUT;
        break;
      }
      const name = storableText(key, 200);
      this.charactersLeft -= name.length + 4;
      const value = source[key];
      const masked =
        privateKey && PRIVATE_JWK_MEMBERS.has(key)
          ? MASK
          : this.member(name, value, depth, inError || name === 'error');
      // A plain assignment to __proto__ would change the copy's prototype instead of adding a member.
      if (name === '__proto__') Object.defineProperty(copy, name, { value: masked, enumerable: true });
      else copy[name] = masked;
    }
    return copy;
  }

  private member(key: string, value: unknown, depth: number, inError: boolean): unknown {
    switch (secretKindOf(key)) {
      case 'secret':
        return this.hide(value, depth);
      // Settings of an application have the same name as the token that they are about: refresh_token: {rotation_type}.
      case 'token':
        return typeof value === 'object' ? this.value(value, depth + 1, inError) : this.hide(value, depth);
      case 'code':
        return inError || typeof value !== 'string' ? this.value(value, depth + 1, inError) : maskCode(value);
      case 'named-secrets':
        return this.namedSecrets(value, depth, inError);
      default:
        return this.value(value, depth + 1, inError);
    }
  }

  private value(value: unknown, depth: number, inError: boolean): unknown {
    switch (typeof value) {
      case 'string': {
        const text = storableText(maskSecretText(value.slice(0, MAX_STRING * 2)), MAX_STRING);
        this.charactersLeft -= text.length + 2;
        return text;
      }
      case 'number':
      case 'boolean':
        this.charactersLeft -= 6;
        return value;
      case 'bigint':
        return String(value);
      case 'object':
        return value === null ? null : this.compound(value, depth, inError);
      default:
        return undefined;
    }
  }

  private compound(value: object, depth: number, inError: boolean): unknown {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return MASK;
    if (depth > MAX_DEPTH || this.charactersLeft <= 0) return LEFT_OUT;
    if (value instanceof Error) return { message: this.value(value.message, depth + 1, true) };
    if (value instanceof Set) return this.list([...value], depth, inError);
    if (Array.isArray(value)) return this.list(value, depth, inError);
    return this.object(value as Readonly<Record<string, unknown>>, depth, inError);
  }

  private list(items: readonly unknown[], depth: number, inError: boolean): unknown[] {
    const copy: unknown[] = [];
    for (const item of items) {
      if (copy.length === MAX_MEMBERS || this.charactersLeft <= 0) {
        copy.push(LEFT_OUT);
        break;
      }
      copy.push(this.value(item, depth + 1, inError));
    }
    return copy;
  }

  /** Everything below a secret's name is secret; the shape stays, so that the log shows what was sent. */
  private hide(value: unknown, depth: number): unknown {
    this.charactersLeft -= MASK.length + 2;
    if (typeof value === 'boolean' || value === null || value === undefined) return value;
    if (typeof value !== 'object') return MASK;
    if (depth > MAX_DEPTH || this.charactersLeft <= 0) return LEFT_OUT;
    if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((item) => this.hide(item, depth + 1));
    const members = Object.entries(value).slice(0, MAX_MEMBERS);
    return Object.fromEntries(members.map(([key, part]) => [storableText(key, 200), this.hide(part, depth + 1)]));
  }

  /** `secrets: [{name, value}]` of actions: names are kept. */
  private namedSecrets(value: unknown, depth: number, inError: boolean): unknown {
    if (!Array.isArray(value)) return this.hide(value, depth);
    return value.slice(0, MAX_MEMBERS).map((item: unknown) => {
      const isNamed = typeof item === 'object' && item !== null && 'name' in item;
      return isNamed
        ? { ...this.object({ name: item.name }, depth + 1, inError), value: MASK }
        : this.hide(item, depth);
    });
  }
}

/** The last three characters stay, so that support can tell codes apart. */
function maskCode(code: string): string {
  return code.length < 12 ? MASK : `******…${storableText(code.slice(-3), 3)}`;
}
