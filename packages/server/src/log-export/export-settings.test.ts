import { describe, expect, it } from 'vitest';
import { type GivenSettings, readExportSettings } from './export-settings.ts';

const enough: GivenSettings = {
  AUTH0_DOMAIN: 'example.auth0.com',
  AUTH0_CLIENT_ID: 'id',
  AUTH0_CLIENT_SECRET: 'secret',
  WEBHOOK_URL: 'https://hooks.example.com/events',
};

const faultsOf = (change: GivenSettings): string => {
  try {
    readExportSettings({ ...enough, ...change });
    return '';
  } catch (cause) {
    return cause instanceof Error ? cause.message : '';
  }
};

describe('the settings of an export', () => {
  it('need four, and have defaults for the others', () => {
    expect(readExportSettings(enough)).toEqual({
      origin: 'https://example.auth0.com',
      audience: 'https://example.auth0.com/api/v2/',
      clientId: 'id',
      clientSecret: 'secret',
      webhookUrl: 'https://hooks.example.com/events',
      level: 0,
      types: [],
      concurrentCalls: 5,
      success: '200',
      batchSize: 100,
      allowed: [],
      notes: [],
    });
  });

  it('are taken under the names that Auth0 once had for the credentials', () => {
    const { AUTH0_DOMAIN, WEBHOOK_URL } = enough;
    const old = { AUTH0_GLOBAL_CLIENT_ID: 'old id', AUTH0_GLOBAL_CLIENT_SECRET: 'old secret' };
    expect(readExportSettings({ AUTH0_DOMAIN, WEBHOOK_URL, ...old } as GivenSettings)).toMatchObject({
      clientId: 'old id',
      clientSecret: 'old secret',
    });
  });

  it.each([
    ['example.auth0.com', 'https://example.auth0.com'],
    ['localhost:3443', 'https://localhost:3443'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://login.example.com/', 'https://login.example.com'],
  ])('take %s as a tenant', (given, origin) => {
    expect(readExportSettings({ ...enough, AUTH0_DOMAIN: given })).toMatchObject({
      origin,
      audience: `${origin}/api/v2/`,
    });
  });

  it('take types with spaces around them, once each', () => {
    expect(readExportSettings({ ...enough, LOG_TYPES: ' s, f ,s,, sepft' }).types).toEqual(['s', 'f', 'sepft']);
  });

  it.each([
    ['seacf', 'seacft'],
    ['limit_wx', 'limit_wc'],
    ['FP', 'fp'],
    ['api_limits', 'api_limit'],
  ])('refuse the unknown type %s, and name the nearest', (type, nearest) => {
    expect(faultsOf({ LOG_TYPES: `s,${type}` })).toContain(
      `LOG_TYPES: '${type}' is no type of events; the nearest is '${nearest}'.`,
    );
  });

  it.each([
    [{ AUTH0_DOMAIN: 'https://example.com/path' }, 'AUTH0_DOMAIN must be a domain'],
    [{ AUTH0_DOMAIN: 'ftp://example.com' }, 'AUTH0_DOMAIN must be a domain'],
    [{ AUTH0_DOMAIN: 'https://user:pass@example.com' }, 'AUTH0_DOMAIN must be a domain'],
    [{ WEBHOOK_URL: 'ftp://example.com' }, 'WEBHOOK_URL must be an http or https URL'],
    [{ WEBHOOK_URL: 'https://user:pass@example.com' }, 'WEBHOOK_URL must be an http or https URL'],
    [{ LOG_LEVEL: '5' }, 'LOG_LEVEL must be a whole number from 0 to 4'],
    [{ LOG_LEVEL: 'error' }, 'LOG_LEVEL must be a whole number from 0 to 4'],
    [{ WEBHOOK_CONCURRENT_CALLS: '0' }, 'WEBHOOK_CONCURRENT_CALLS must be a whole number from 1 to 100'],
    [{ WEBHOOK_CONCURRENT_CALLS: '1e1' }, 'WEBHOOK_CONCURRENT_CALLS must be a whole number from 1 to 100'],
    [{ WEBHOOK_SUCCESS: '204' }, 'WEBHOOK_SUCCESS must be 200 or 2xx'],
    [{ WEBHOOK_ALLOW: 'localhost' }, 'WEBHOOK_ALLOW must be addresses or networks'],
    [{ BATCH_SIZE: '101' }, 'BATCH_SIZE must be a whole number from 1 to 100'],
    [{ AUTH0_CLIENT_ID: ' ' }, 'AUTH0_CLIENT_ID or AUTH0_GLOBAL_CLIENT_ID is missing'],
  ])('refuse %j', (change, words) => expect(faultsOf(change)).toContain(words));

  it('are refused with all their faults at once, and without the secret of an address', () => {
    const faults = faultsOf({ AUTH0_DOMAIN: '', LOG_LEVEL: '9', WEBHOOK_URL: 'https://user:hunter2@example.com' });
    expect(faults).toContain('3 faults');
    expect(faults).not.toContain('hunter2');
  });

  it.each([
    [{ LOG_TYPES: 's,sapi' }, 'sapi: what the Management API did is never sent.'],
    [{ LOG_TYPES: 's', LOG_LEVEL: '3' }, 'Nothing will be sent'],
    [{ AUTH0_DOMAIN: 'http://gatewright.internal:3000' }, 'travel in the clear'],
  ])('say what may surprise about %j', (change, words) => {
    expect(readExportSettings({ ...enough, ...change }).notes.join(' ')).toContain(words);
  });
});
