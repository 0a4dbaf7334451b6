import { defineErrors } from '../kit/errors.ts';

/** Sentences for the operator at the terminal; nothing of it goes over the wire. */
export const backupErrors = defineErrors({
  unreadable: { status: 400, code: 'backup_unreadable', message: "The backup {path} can't be read ({code})." },
  noBackup: { status: 400, code: 'no_backup', message: '{path} is no backup of Gatewright, or one of a later format.' },
  cutOff: {
    status: 400,
    code: 'backup_cut_off',
    message: '{path} is cut off: its end is missing. Nothing was written.',
  },
  damaged: {
    status: 400,
    code: 'backup_damaged',
    message: '{path} is damaged: its content does not fit its checksum. Nothing was written.',
  },
  bomb: {
    status: 400,
    code: 'backup_bomb',
    message: '{path} would unpack to a thousand times its size and more: it is no honest backup. Nothing was written.',
  },
  altered: {
    status: 400,
    code: 'backup_altered',
    message:
      'This backup names your key ({keyId}) but was not sealed with it: somebody else made or changed it. Nothing was written.',
  },
  noKey: {
    status: 400,
    code: 'key_missing',
    message:
      "The keys and secrets in this backup are sealed, and the key that opens them ({keyId}) is not here. Set GATEWRIGHT_SECRET to that installation's, or put its secret.key into {dataDir}. If it is lost for good, `gatewright restore --without-key` makes new keys and secrets. Nothing was written.",
  },
  otherKey: {
    status: 400,
    code: 'key_differs',
    message:
      "The keys and secrets in this backup were sealed with another key ({keyId}) than the one in {source} ({present}). Set GATEWRIGHT_SECRET to that installation's, or put its secret.key into {dataDir}. If it is lost for good, `gatewright restore --without-key` makes new keys and secrets. Nothing was written.",
  },
  keyFits: {
    status: 400,
    code: 'key_fits',
    message: 'The key in {source} opens this backup: restore it without --without-key, and nothing is lost.',
  },
  keyPresent: {
    status: 400,
    code: 'key_present',
    message:
      'The key in {source} opens everything in this database: nothing is lost, and nothing was changed. Signing keys rotate, and client secrets are replaced, through the Management API.',
  },
  newer: {
    status: 400,
    code: 'backup_newer',
    message:
      'This backup was made by a newer Gatewright ({gatewright}): it has {names}, which this version does not know. Restore it with that version. Nothing was written.',
  },
  notEmpty: {
    status: 409,
    code: 'database_not_empty',
    message: 'The database {place} is not empty ({what}). A restore never overwrites: {remedy}. Nothing was written.',
  },
  inUse: {
    status: 409,
    code: 'database_in_use',
    message: 'A Gatewright server is connected to this database. Stop it first. Nothing was written.',
  },
  foreignTable: {
    status: 400,
    code: 'backup_foreign',
    message: 'The backup does not fit its own schema version ({what}). Nothing was written.',
  },
  refused: {
    status: 400,
    code: 'backup_refused',
    message: 'PostgreSQL refused the rows of {table}: {reason}. Nothing was written.',
  },
  epochTaken: {
    status: 400,
    code: 'epoch_too_low',
    message: 'The log epoch must be from {lowest} to 999: this backup has {lowest} epochs already.',
  },
});
