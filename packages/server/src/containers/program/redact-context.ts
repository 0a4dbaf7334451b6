/** Name of the value of `configuration` that asks for it. */
const SETTING = 'gatewright:redact-context';
/** What tells nothing about a person, nor opens anything. */
const TOLD = [
  'tenant',
  'clientID',
  'clientName',
  'connectionID',
  'connection',
  'connectionStrategy',
  'protocol',
  'original_protocol',
  'stats',
];

/**
 * Where the tenant wants it, `JSON.stringify(context)` and libraries that send `context` as JSON hand out what tells nothing
 * about a person. Members that a rule names are as they were, and so is what comes of it.
 */
export function redactContext(context: unknown, configuration: unknown): void {
  if (typeof context !== 'object' || context === null || Object(configuration)[SETTING] !== 'on') return;
  Object.defineProperty(context, 'toJSON', {
    configurable: true,
    enumerable: false,
    value(this: object) {
      return { ...Object.fromEntries(TOLD.map((name) => [name, Reflect.get(this, name)])), redacted: true };
    },
  });
}
