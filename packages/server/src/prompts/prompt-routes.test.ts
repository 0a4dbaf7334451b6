import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answer } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';
import { definitionNamed } from '../management/catalogue.ts';

let world: World;
let api: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  api = world.api();
});

describe('/prompts', () => {
  it('has Auth0’s defaults; null restores them', async () => {
    const defaults = {
      universal_login_experience: 'new',
      identifier_first: false,
      webauthn_platform_first_factor: false,
    };
    expect((await answer(api.get('/prompts'))).body).toEqual(defaults);
    const changed = await answer(
      api.patch('/prompts', { universal_login_experience: 'classic', identifier_first: true }),
    );
    expect(changed.body).toEqual({ ...defaults, universal_login_experience: 'classic', identifier_first: true });
    await api.patch('/prompts', { universal_login_experience: 'new', identifier_first: null });
    expect((await answer(api.get('/prompts'))).body).toEqual(defaults);
  });
});

describe('/prompts/{prompt}/custom-text/{language}', () => {
  it('is {} for each of the 37 prompts until texts are there', async () => {
    const prompts = Object(definitionNamed('PromptGroupNameEnum')).enum;
    expect(prompts).toHaveLength(37);
    for (const prompt of prompts)
      expect(await answer(api.get(`/prompts/${prompt}/custom-text/fr-CA`))).toEqual({ status: 200, body: {} });
  });

  it('is replaced as a whole, one language and prompt at a time', async () => {
    const path = '/prompts/login/custom-text/en';
    const texts = { login: { title: 'Hello', 'no-email': 'Who are you?' } };
    expect(await answer(api.put(path, texts))).toEqual({ status: 200, body: texts });
    expect((await answer(api.get('/prompts/login/custom-text/de'))).body).toEqual({});
    expect((await answer(api.get('/prompts/signup/custom-text/en'))).body).toEqual({});
    await api.put(path, { login: { description: 'Again' } });
    expect((await answer(api.get(path))).body).toEqual({ login: { description: 'Again' } });
    await api.put(path, {});
    expect((await answer(api.get(path))).body).toEqual({});
  });

  it.each([
    ['/prompts/login/custom-text/xx', {}, 'invalid_uri'],
    ['/prompts/nothing/custom-text/en', {}, 'invalid_uri'],
    ['/prompts/login/custom-text/en', { login: 'text' }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: { title: 7 } }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: { title: { deep: 'x' } } }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: { 'a b': 'x' } }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: { title: 'x'.repeat(2_001) } }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: manyTexts(301, 1) }, 'invalid_body'],
    ['/prompts/login/custom-text/en', { login: manyTexts(60, 1_900) }, 'invalid_body'],
    ['/prompts/login/partials', { login: { 'form-content-start': 'x'.repeat(10_001) } }, 'invalid_body'],
    ['/prompts/login/partials', { login: { 'form-content-start': '{% if %}' } }, 'invalid_body'],
    ['/prompts/mfa/partials', {}, 'invalid_uri'],
  ])('refuses %s with a body that is none', async (path, body, errorCode) => {
    expect(await answer(api.put(path, body))).toMatchObject({ status: 400, body: { errorCode } });
  });
});

describe('/prompts/{prompt}/partials', () => {
  it('are {} or what was sent', async () => {
    expect(await answer(api.get('/prompts/signup/partials'))).toEqual({ status: 200, body: {} });
    const partials = { signup: { 'form-content-end': '<p>Welcome to {{ application.name }}</p>' } };
    expect(await answer(api.put('/prompts/signup/partials', partials))).toEqual({ status: 200, body: partials });
    expect((await answer(api.get('/prompts/signup/partials'))).body).toEqual(partials);
    expect((await answer(api.get('/prompts/login/partials'))).body).toEqual({});
  });
});

describe('/prompts/rendering', () => {
  const standard = {
    rendering_mode: 'standard',
    context_configuration: [],
    default_head_tags_disabled: false,
    head_tags: [],
    filters: null,
    use_page_template: false,
  };

  it('keeps how a screen is rendered: standard until said otherwise, changed member by member', async () => {
    const path = '/prompts/login/screen/login/rendering';
    expect((await answer(api.get(path))).body).toEqual({
      tenant: 'dev',
      prompt: 'login',
      screen: 'login',
      ...standard,
    });
    const change = {
      rendering_mode: 'advanced',
      head_tags: [{ tag: 'script', attributes: { src: 'https://a.example/x.js' } }],
    };
    expect((await answer(api.patch(path, change))).body).toEqual({ ...standard, ...change });
    await api.patch(path, { use_page_template: true });
    expect((await answer(api.get(path))).body).toMatchObject({ ...change, use_page_template: true });
  });

  it('changes many at once, or none, and lists them by page and filter', async () => {
    const configs = ['signup', 'consent', 'mfa'].map((prompt) => ({
      prompt,
      screen: prompt === 'mfa' ? 'mfa-login-options' : prompt,
      rendering_mode: 'advanced',
    }));
    expect((await answer(api.patch('/prompts/rendering', { configs }))).body).toEqual({ configs });
    const wrong = [
      { ...configs[0], rendering_mode: 'standard' },
      { prompt: 'no', screen: 'no' },
    ];
    expect((await answer(api.patch('/prompts/rendering', { configs: wrong }))).status).toBe(400);
    const listed = (await api.get('/prompts/rendering?include_totals=true&per_page=2&rendering_mode=advanced')).json();
    expect(listed).toMatchObject({
      start: 0,
      limit: 2,
      total: 4,
      configs: [{ prompt: 'consent' }, { prompt: 'login' }],
    });
    expect((await api.get('/prompts/rendering?prompt=mfa')).json()).toEqual([{ ...standard, ...configs[2] }]);
    expect((await api.get('/prompts/rendering?rendering_mode=standard')).json()).toEqual([]);
  });
});

function manyTexts(count: number, length: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'x'.repeat(length)]));
}
