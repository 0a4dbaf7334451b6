import type { Exchange } from './recorder.ts';

/** Something that must not be there, and a name for it that may be printed. */
export interface Secret {
  readonly name: string;
  readonly value: string;
}

export interface Finding {
  readonly secret: string;
  readonly where: string;
}

export interface SecretSearch {
  /** Names of the secrets that a text has in it, in the clear or in one of the ways that they travel. */
  inText(text: string): readonly string[];
  /** The same for requests and answers, with the place. */
  inRecording(exchanges: readonly Exchange[]): readonly Finding[];
}

export function createSecretSearch(secrets: readonly Secret[]): SecretSearch {
  const searched = secrets.map(({ name, value }) => ({ name, spellings: spellingsOf(value) }));

  function inText(text: string): readonly string[] {
    return searched
      .filter(({ spellings }) => spellings.some((spelling) => text.includes(spelling)))
      .map(({ name }) => name);
  }

  return {
    inText,
    inRecording(exchanges) {
      return exchanges.flatMap((exchange) =>
        partsOf(exchange).flatMap(([part, text]) =>
          inText(text).map((secret) => ({ secret, where: `${exchange.method} ${exchange.to}: ${part}` })),
        ),
      );
    },
  };
}

/** Each token of a kind that somebody was given. */
export function tokensIn(exchanges: readonly Exchange[], kind: 'access_token' | 'refresh_token'): readonly string[] {
  const member = new RegExp(`"${kind}"\\s*:\\s*"([^"]+)"`, 'g');
  const given = exchanges.flatMap(({ responseBody }) =>
    [...responseBody.matchAll(member)].map(([, token = '']) => token),
  );
  return [...new Set(given)];
}

function partsOf(exchange: Exchange): readonly (readonly [string, string])[] {
  return [
    ['address', exchange.url],
    ['headers of the request', exchange.requestHeaders],
    ['body of the request', exchange.requestBody],
    ['headers of the answer', exchange.responseHeaders],
    ['body of the answer', exchange.responseBody],
  ];
}

function spellingsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const spellings = [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
  return [...new Set(spellings)];
}
