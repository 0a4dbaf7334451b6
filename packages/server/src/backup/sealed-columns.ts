/**
 * Every column that the installation's key seals, and what becomes of it where that key is lost (reset-keys.ts):
 * - replaced: a new value is made, and told where somebody outside has to know it;
 * - made again when needed: its rows go, since nobody outside knows them;
 * - emptied: only its owner can enter it again, and the report counts it;
 * - removed: the row is nothing without it; the report counts these too.
 * A test compares this list with the schema.
 */
export const SEALED_COLUMNS: Readonly<Record<string, 'replaced' | 'made again when needed' | 'emptied' | 'removed'>> = {
  'signing_keys.private_key': 'replaced',
  'clients.secret': 'replaced',
  'resource_servers.signing_secret': 'replaced',
  'tenant_secrets.sealed': 'made again when needed',
  'mails.content': 'removed',
  'log_alert_settings.signing_secret': 'emptied',
  'log_alert_settings.webhook_address': 'emptied',
  'rules_configs.value': 'removed',
  'hooks.secrets': 'emptied',
  'actions.secrets': 'emptied',
  'action_versions.secrets': 'emptied',
  'action_bindings.secrets': 'emptied',
  'action_modules.secrets': 'emptied',
  'action_module_versions.secrets': 'emptied',
  'connections.script_configuration': 'emptied',
  'user_identities.idp_tokens': 'emptied',
  'cron_jobs.settings': 'emptied',
  'log_streams.sink': 'emptied',
  'log_streams.signing_secrets': 'emptied',
};
