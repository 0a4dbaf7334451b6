import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface StaticAsset {
  /** The URL path; it names the content, so that the asset may be kept for ever. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

const FOLDER = new URL('./assets/', import.meta.url);
const PREFIX = '/u/static/';
const FILES = {
  styles: ['page.css', 'text/css; charset=utf-8'],
  script: ['forms.js', 'text/javascript; charset=utf-8'],
  icon: ['icon.svg', 'image/svg+xml'],
} as const;

type AssetName = keyof typeof FILES;
const loaded = Object.fromEntries(
  Object.entries(FILES).map(([name, [file, contentType]]) => [name, load(file, contentType)]),
) as Record<AssetName, StaticAsset>;

/** What is served under /u/static/, to anyone, for every tenant alike. */
export function staticAssets(): StaticAsset[] {
  return Object.values(loaded);
}

/** Where the templates find them. */
export const assetPaths: Readonly<Record<AssetName, string>> = {
  styles: loaded.styles.path,
  script: loaded.script.path,
  icon: loaded.icon.path,
};

function load(file: string, contentType: string): StaticAsset {
  const body = readFileSync(new URL(file, FOLDER));
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const etag = `"${hash}"`;
  return {
    path: PREFIX + file.replace('.', `.${hash}.`),
    contentType,
    body,
    etag,
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=31536000, immutable',
      etag,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      // An SVG that is opened by itself is a document.
      'content-security-policy': "default-src 'none'; sandbox",
    },
  };
}
