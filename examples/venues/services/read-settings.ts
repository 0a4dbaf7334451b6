/** A service's settings from the environment. Where some are missing it says all of them, and ends. */
export function readSettings<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, string>> {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    process.stderr.write(`These settings are missing in the environment: ${missing.join(', ')}\n`);
    process.exit(1);
  }
  return Object.fromEntries(names.map((name) => [name, process.env[name]])) as Record<Name, string>;
}
