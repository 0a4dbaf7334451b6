import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { webUrl } from './safe-url.ts';

/** OAuth 2.0 Form Post Response Mode: the response's parameters, posted by the browser to the redirect URI. */
export interface FormPostModel {
  readonly redirectUri: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly clientName: string;
}

// A parameter named `submit` hides the form's own method, hence the prototype's. The text has no character that HTML
// escapes: the hash in the header is that of what the browser reads.
const SUBMIT = 'HTMLFormElement.prototype.submit.call(document.forms[0])';

export const formPostPage: Page<FormPostModel> = {
  template: 'form-post',
  policy: { scripts: { inline: SUBMIT }, hasForm: true, tellsOrigin: true },
  view(model, texts, brand) {
    const action = webUrl(model.redirectUri);
    if (action === undefined) throw new Error('A form_post response needs an http or https redirect URI.');
    const values = { clientName: clip(model.clientName), companyName: brand.tenantName };
    const screen = fillScreen(texts['form-post']['form-post'], values);
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: null,
      action,
      hidden: Object.entries(model.parameters).map(([name, value]) => ({ name, value })),
      script: SUBMIT,
    };
  },
};
