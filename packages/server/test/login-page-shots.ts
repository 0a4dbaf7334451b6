import type { Branding } from '../src/login/pages/branding.ts';
import type { PageModelByName, PageName, Presentation } from '../src/login/pages/page-renderer.ts';
import { fullModels, pageNames } from './login-page-samples.ts';
import { exampleTheme } from './management/page-examples.ts';

type ShotOf<Name extends PageName> = readonly [Name, PageModelByName[Name], Branding, Presentation?];
export type Shot = { [Name in PageName]: ShotOf<Name> }[PageName];

export const northwind: Branding = { tenantName: 'Northwind' };
const LOGO = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 172 40"><circle cx="20" cy="20" r="16" fill="#f2b705"/><text x="46" y="28" font-family="sans-serif" font-weight="700" font-size="23" fill="#2b2410">Brightside</text></svg>')}`;
const brightside: Branding = {
  tenantName: 'Brightside Books',
  logoUrl: LOGO,
  primaryColor: '#f2b705',
  pageBackground: '#faf6ea',
};
const themed: Branding = {
  tenantName: 'Meridian',
  theme: exampleTheme({
    colors: {
      primary_button: '#5b3df5',
      links_focused_components: '#5b3df5',
      widget_background: '#ffffff',
      input_labels_placeholders: '#b9bcc6',
    },
    borders: { buttons_style: 'pill', widget_corner_radius: 28, button_border_weight: 0 },
    fonts: { title: { bold: true, size: 120 } },
    page_background: { background_color: '#e9e4ff', page_layout: 'right' },
  }),
};
const midnight: Branding = {
  tenantName: 'Midnight',
  theme: exampleTheme({
    colors: {
      primary_button: '#7cf0c2',
      links_focused_components: '#7cf0c2',
      widget_background: '#12161f',
      widget_border: '#273043',
      header: '#ffffff',
      body_text: '#8a93a6',
      input_background: '#0b0e15',
      input_filled_text: '#333333',
      input_labels_placeholders: '#c2c9d6',
      input_border: '#3a445a',
      error: '#7a1f1f',
    },
    borders: { buttons_style: 'sharp', inputs_style: 'sharp', widget_corner_radius: 0, widget_border_weight: 1 },
    page_background: { background_color: '#070a10' },
  }),
};

const form = {
  state: 's',
  csrfToken: 'c',
  connection: 'Username-Password-Authentication',
  clientName: 'Meridian Travel',
};
export const login: PageModelByName['login'] = {
  ...form,
  action: '/u/login',
  signUpUrl: '/u/signup?state=s',
  resetPasswordUrl: '/u/reset-password/request?state=s',
};
const wrong = { ...login, username: 'ada@example.com', errors: { form: ['wrong-email-credentials'] as const } };
const wayBack = { clientName: 'Meridian Travel', clientUrl: 'https://app.example/' };
const signUp: PageModelByName['sign-up'] = {
  ...form,
  action: '/u/signup',
  requiresUsername: true,
  email: 'ada@example',
  passwordRules: { minLength: 8, groups: ['lowerCase', 'upperCase', 'numbers', 'special'], groupsNeeded: 3 },
  errors: { fields: { email: 'invalid-email-format' } },
  loginUrl: '/u/login?state=s',
};

const chosen: Readonly<Record<string, Shot>> = {
  login: ['login', login, northwind],
  'login-error': ['login', wrong, brightside],
  'login-theme': ['login', wrong, themed],
  'login-dark-theme': ['login', wrong, midnight],
  'sign-up': ['sign-up', signUp, northwind],
  'sign-up-german': ['sign-up', signUp, northwind, { language: 'de' }],
  consent: [
    'consent',
    {
      ...form,
      action: '/u/consent',
      userName: 'ada@example.com',
      apiName: 'Bookings',
      scopes: [
        { value: 'openid' },
        { value: 'email' },
        { value: 'read:bookings', description: 'Read your bookings' },
        { value: 'change:bookings', description: 'Change and cancel your bookings' },
      ],
    },
    northwind,
  ],
  error: [
    'error',
    {
      reason: 'callback-mismatch',
      reference: '5f2c9b7e41d0a6e3',
      details: {
        error: 'unauthorized_client',
        description: 'Callback URL mismatch. https://app.example/cb is not in the list of allowed callback URLs',
      },
      clientName: 'Meridian Travel',
      clientUrl: 'https://app.example/',
    },
    { ...northwind, supportUrl: 'https://support.example/' },
  ],
  'error-access-denied': [
    'error',
    {
      reason: 'access-denied',
      reference: '5f2c9b7e41d0a6e3',
      details: { error: 'access_denied', description: 'User did not authorize the request' },
      clientName: 'Meridian Travel',
      clientUrl: 'https://app.example/',
    },
    northwind,
  ],
  'error-generic': ['error', { reason: 'server-error', reference: '5f2c9b7e41d0a6e3' }, northwind],
  'verification-done': ['recovery-result', { result: 'email-verified', ...wayBack }, northwind],
  'verification-already-done': ['recovery-result', { result: 'email-already-verified', ...wayBack }, brightside],
  'verification-expired': ['recovery-result', { result: 'verification-link-expired' }, northwind],
  'verification-failed': ['recovery-result', { result: 'verification-link-invalid' }, themed],
  'reset-link-used': ['recovery-result', { result: 'reset-link-invalid' }, northwind],
  'reset-link-expired': ['recovery-result', { result: 'reset-link-expired' }, midnight],
  'device-denied': ['device-done', { isConnected: false }, northwind],
  'logged-out': [
    'logged-out',
    { clientName: 'Meridian Travel', clientUrl: 'https://app.example/', loginUrl: '/login' },
    northwind,
  ],
  'form-post': [
    'form-post',
    { redirectUri: 'https://app.example/callback', parameters: { code: 'x' }, clientName: 'Meridian Travel' },
    northwind,
  ],
};

/** A picture for each page; those without one of their own show their sample. */
export const shots: Readonly<Record<string, Shot>> = {
  ...Object.fromEntries(pageNames.map((name) => [name, sampleOf(name)])),
  ...chosen,
};

function sampleOf(name: PageName): Shot {
  // The sample's client logo lies at an address that does not answer.
  const model = Object.fromEntries(Object.entries(fullModels[name]).filter(([key]) => key !== 'clientLogoUrl'));
  return [name, model, northwind] as unknown as Shot;
}
