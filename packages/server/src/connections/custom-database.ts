import { type Connection, type ConnectionOptions, connectionErrors, member } from './connection.ts';

/** The scripts of a custom database, by their names in `options.customScripts`. */
export const SCRIPTS = [
  'login',
  'get_user',
  'create',
  'verify',
  'change_password',
  'delete',
  'change_email',
  'change_username',
] as const;
export type ScriptName = (typeof SCRIPTS)[number];

/**
 * Where a directory's users and passwords are: here; elsewhere until each one's first login (`import`); or elsewhere for
 * good (`remote`), where every operation is a script's and no password is stored.
 */
export type Keeping = 'here' | 'import' | 'remote';

const LONGEST_SCRIPT = 100 * 1024;

export function keepingOf({ options, isSystem }: Pick<Connection, 'options' | 'isSystem'>): Keeping {
  if (isSystem || options.enabledDatabaseCustomization !== true) return 'here';
  return options.import_mode === true ? 'import' : 'remote';
}

/** The code of a script; undefined where the tenant has written none. */
export function scriptOf({ options }: Pick<Connection, 'options'>, name: ScriptName): string | undefined {
  const code = member(options, 'customScripts')?.[name];
  return typeof code === 'string' && code.trim() !== '' ? code : undefined;
}

export function hasScriptContext({ options }: Pick<Connection, 'options'>): boolean {
  return options.enable_script_context === true;
}

/** What the catalogue's schema leaves open, which is any other name. */
export function checkScripts(options: ConnectionOptions): void {
  for (const [name, code] of Object.entries(member(options, 'customScripts') ?? {})) {
    if (typeof code !== 'string') throw invalid(`options.customScripts.${name.slice(0, 100)} must be a string`);
    if (Buffer.byteLength(code) > LONGEST_SCRIPT)
      throw invalid(`options.customScripts.${name.slice(0, 100)} must be no more than ${LONGEST_SCRIPT} bytes`);
  }
}

function invalid(reason: string) {
  return connectionErrors.invalid({ reason });
}
