import type { Example } from './examples.ts';

const LOGIN_TEXTS = { login: { title: 'Hello' } };
const PARTIALS = { login: { 'form-content-start': '<p>Hello</p>' } };
const RENDERING = { rendering_mode: 'standard', head_tags: [] };
const TEMPLATE = '<html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>';

/** What can be asked about the look and the words of a tenant's pages; in this order, each is a success. */
export function pageExamples(theme: string): Readonly<Record<string, Example>> {
  const body = exampleTheme();
  return {
    'GET /branding': { path: '/branding' },
    'GET /branding/themes/default': { path: '/branding/themes/default' },
    'GET /branding/themes/{theme_id}': { path: `/branding/themes/${theme}` },
    'PUT /branding/templates/universal-login': {
      path: '/branding/templates/universal-login',
      body: { template: TEMPLATE },
    },
    'GET /branding/templates/universal-login': { path: '/branding/templates/universal-login' },
    'GET /prompts': { path: '/prompts' },
    'GET /prompts/{prompt}/custom-text/{language}': { path: '/prompts/login/custom-text/en' },
    'GET /prompts/{prompt}/partials': { path: '/prompts/login/partials' },
    'GET /prompts/rendering': { path: '/prompts/rendering' },
    'GET /prompts/{prompt}/screen/{screen}/rendering': { path: '/prompts/login/screen/login/rendering' },

    'PATCH /branding': { path: '/branding', body: { colors: { primary: '#0b6b62' } } },
    'PATCH /branding/themes/{theme_id}': { path: `/branding/themes/${theme}`, body },
    'PATCH /prompts': { path: '/prompts', body: { identifier_first: false } },
    'PUT /prompts/{prompt}/custom-text/{language}': { path: '/prompts/login/custom-text/en', body: LOGIN_TEXTS },
    'PUT /prompts/{prompt}/partials': { path: '/prompts/login/partials', body: PARTIALS },
    'PATCH /prompts/rendering': {
      path: '/prompts/rendering',
      body: { configs: [{ prompt: 'login', screen: 'login', ...RENDERING }] },
    },
    'PATCH /prompts/{prompt}/screen/{screen}/rendering': {
      path: '/prompts/login/screen/login/rendering',
      body: RENDERING,
    },

    // A tenant has one theme: the next one can be made when it has gone.
    'DELETE /branding/themes/{theme_id}': { path: `/branding/themes/${theme}` },
    'POST /branding/themes': { path: '/branding/themes', body },
    'DELETE /branding/templates/universal-login': { path: '/branding/templates/universal-login' },
  };
}

/** A whole theme; members of its parts can be replaced. */
export function exampleTheme(changes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}) {
  const text = { bold: false, size: 100 };
  const theme = {
    borders: {
      button_border_radius: 3,
      button_border_weight: 1,
      buttons_style: 'rounded',
      input_border_radius: 3,
      input_border_weight: 1,
      inputs_style: 'rounded',
      show_widget_shadow: true,
      widget_border_weight: 0,
      widget_corner_radius: 5,
    },
    colors: {
      body_text: '#1e212a',
      error: '#d03c38',
      header: '#1e212a',
      icons: '#65676e',
      input_background: '#ffffff',
      input_border: '#c9cace',
      input_filled_text: '#000000',
      input_labels_placeholders: '#65676e',
      links_focused_components: '#635dff',
      primary_button: '#635dff',
      primary_button_label: '#ffffff',
      secondary_button_border: '#c9cace',
      secondary_button_label: '#1e212a',
      success: '#13a688',
      widget_background: '#ffffff',
      widget_border: '#c9cace',
    },
    fonts: {
      body_text: text,
      buttons_text: text,
      font_url: '',
      input_labels: text,
      links: text,
      links_style: 'normal',
      reference_text_size: 16,
      subtitle: text,
      title: { bold: true, size: 150 },
    },
    page_background: { background_color: '#000000', background_image_url: '', page_layout: 'center' },
    widget: {
      header_text_alignment: 'center',
      logo_height: 52,
      logo_position: 'center',
      logo_url: '',
      social_buttons_layout: 'bottom',
    },
  };
  return Object.fromEntries(Object.entries(theme).map(([part, members]) => [part, { ...members, ...changes[part] }]));
}
