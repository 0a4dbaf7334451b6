import type { Branding } from '../src/login/pages/branding.ts';
import type { PageModelByName, PageName } from '../src/login/pages/page-renderer.ts';
import { exampleTheme } from './management/page-examples.ts';

/** A model with every optional member present: a member added to a page does not compile until it is here. */
export type Full<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Full<Item>[]
    : { readonly [Key in keyof T]-?: Full<NonNullable<T[Key]>> };

export const fullBranding: Full<Branding> = {
  tenantName: 'Northwind',
  logoUrl: 'https://images.example/logo.png',
  faviconUrl: 'https://images.example/icon.png',
  primaryColor: '#0b6b62',
  pageBackground: { start: '#f0f4ff', end: '#fff4f0', angleDegrees: 45 },
  fontUrl: 'https://fonts.example/brand.woff2',
  supportUrl: 'https://support.example/',
  supportEmail: 'help@example.com',
  theme: {},
};

/** What a hostile branding replaces one by one; the other form of pageBackground included. */
export const brandings: readonly Branding[] = [
  fullBranding,
  {
    tenantName: 'Northwind',
    primaryColor: '#0b6b62',
    pageBackground: { start: '#fff', end: '#eee', angleDegrees: 45 },
  },
  { ...fullBranding, pageBackground: '#fafafa' },
  {
    ...fullBranding,
    theme: exampleTheme({
      page_background: { background_image_url: 'https://images.example/page.jpg' },
      widget: { logo_url: 'https://images.example/logo.png' },
    }),
  },
];

const form = {
  action: '/u/login?state=hKFo2SA',
  state: 'hKFo2SA',
  csrfToken: 'csrf-token',
  connection: 'Username-Password-Authentication',
  clientName: 'Meridian Travel',
  clientLogoUrl: 'https://images.example/client.png',
};

const resetForm = {
  action: '/u/reset-password/request?state=hKFo2SA',
  state: 'hKFo2SA',
  csrfToken: 'csrf-token',
  clientName: 'Meridian Travel',
  clientLogoUrl: 'https://images.example/client.png',
};

export const fullModels: { readonly [Name in PageName]: Full<PageModelByName[Name]> } = {
  login: {
    ...form,
    identifier: 'username-or-email',
    username: 'ada@example.com',
    errors: {
      form: ['wrong-email-credentials', { text: 'Your contract has ended.' }],
      fields: { username: { text: 'Use your work address.' }, password: 'no-password' },
    },
    signUpUrl: '/u/signup?state=hKFo2SA',
    resetPasswordUrl: '/u/reset-password/request?state=hKFo2SA',
  },
  'sign-up': {
    ...form,
    action: '/u/signup?state=hKFo2SA',
    requiresUsername: true,
    email: 'ada@example.com',
    username: 'ada',
    passwordRules: {
      minLength: 10,
      groups: ['lowerCase', 'upperCase', 'numbers', 'special'],
      groupsNeeded: 3,
      maxIdenticalInRow: 2,
    },
    errors: {
      form: [{ text: 'Sign-ups are closed today.' }],
      fields: { email: 'invalid-email-format', username: { text: 'Not this one.' }, password: 'password-too-weak' },
    },
    loginUrl: '/u/login?state=hKFo2SA',
  },
  'select-account': {
    action: '/u/login-select-account?state=hKFo2SA',
    state: 'hKFo2SA',
    csrfToken: 'csrf-token',
    sessionId: 'Vb3kS1c0pYxJt7mQ',
    clientName: 'Meridian Travel',
    clientLogoUrl: 'https://images.example/client.png',
    accountName: 'ada@example.com',
    otherUrl: '/u/login?state=hKFo2SA',
  },
  consent: {
    action: '/u/consent?state=hKFo2SA',
    state: 'hKFo2SA',
    csrfToken: 'csrf-token',
    clientName: 'Meridian Travel',
    clientLogoUrl: 'https://images.example/client.png',
    userName: 'ada@example.com',
    apiName: 'Bookings',
    scopes: [
      { value: 'openid', description: 'Know who you are' },
      { value: 'read:bookings', description: 'Read your bookings' },
      { value: 'change:bookings', description: 'Change and cancel your bookings' },
    ],
  },
  'reset-request': {
    ...resetForm,
    identifier: 'username-or-email',
    username: 'ada@example.com',
    errors: { form: ['too-many-attempts'], fields: { username: 'no-username' } },
    loginUrl: '/u/login?state=hKFo2SA',
  },
  'reset-sent': { ...resetForm, username: 'ada@example.com', loginUrl: '/u/login?state=hKFo2SA' },
  'reset-password': {
    action: '/u/reset-password/change',
    csrfToken: 'csrf-token',
    clientName: 'Meridian Travel',
    clientLogoUrl: 'https://images.example/client.png',
    email: 'ada@example.com',
    passwordRules: {
      minLength: 8,
      groups: ['lowerCase', 'upperCase', 'numbers'],
      groupsNeeded: 3,
      maxIdenticalInRow: 2,
    },
    errors: {
      form: [{ text: 'Passwords are not changed on Sundays.' }],
      fields: { password: { text: 'Not this one.' }, password_again: 're-enter-password-mismatch' },
    },
  },
  'recovery-result': {
    result: 'password-changed',
    clientName: 'Meridian Travel',
    loginUrl: '/u/login?state=hKFo2SA',
    clientUrl: 'https://app.example/',
  },
  'device-code': { csrfToken: 'csrf-token', error: 'invalid-code' },
  'device-confirmation': {
    csrfToken: 'csrf-token',
    userCode: 'BCDF-GHJK',
    clientName: 'Meridian TV',
    clientLogoUrl: 'https://images.example/client.png',
    userName: 'ada@example.com',
  },
  'device-done': { isConnected: true },
  error: {
    reason: 'callback-mismatch',
    description: 'The application asked us to return you to an address that it has not registered.',
    reference: '5f2c9b7e41d0a6e3',
    details: {
      error: 'unauthorized_client',
      description:
        'Callback URL mismatch. https://app.example/cb is not in the list of allowed callback URLs of this application.',
    },
    clientName: 'Meridian Travel',
    clientUrl: 'https://app.example/',
  },
  'log-out': {
    action: '/u/logout',
    fields: { client_id: 'x', post_logout_redirect_uri: 'https://app.example/bye', state: 'xyz', _csrf: 'csrf-token' },
    clientLogoUrl: 'https://images.example/client.png',
    userName: 'ada@example.com',
  },
  'logout-aborted': { clientName: 'Meridian Travel', clientUrl: 'https://app.example/' },
  'logged-out': {
    clientName: 'Meridian Travel',
    clientUrl: 'https://app.example/',
    loginUrl: '/authorize?client_id=x',
  },
  'form-post': {
    redirectUri: 'https://app.example/callback',
    parameters: { code: 'SplxlOBeZQQYbYS6WxSbIA', state: 'xyz', submit: 'a field that hides the method' },
    clientName: 'Meridian Travel',
  },
};

export const pageNames = Object.keys(fullModels) as PageName[];
