import { describe, expect, it } from 'vitest';
import { imageUrl, link, localPath, mailLink, webUrl } from './safe-url.ts';

describe('URLs on pages', () => {
  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'vbscript:x',
    'data:text/html,x',
    'blob:https://a.example/x',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'evil.example',
    `https://a.example/${'x'.repeat(3_000)}`,
  ])('are left out when they are like %j', (value) => expect(link(value)).toBeUndefined());

  it('may be http, https or a path of this origin', () => {
    expect(webUrl('http://localhost:3000/app?x=1')).toBe('http://localhost:3000/app?x=1');
    expect(webUrl('/u/login')).toBeUndefined();
    expect(localPath('/u/login?state=a"b')).toBe('/u/login?state=a%22b');
    expect(localPath('https://evil.example/')).toBeUndefined();
  });

  it('are images only over https or as image data', () => {
    expect(imageUrl('https://cdn.example/logo.svg')).toBe('https://cdn.example/logo.svg');
    expect(imageUrl('data:image/png;base64,iVBORw0=')).toBe('data:image/png;base64,iVBORw0=');
    expect(imageUrl('http://cdn.example/logo.png')).toBeUndefined();
    expect(imageUrl('data:text/html;base64,PHNjcmlwdD4=')).toBeUndefined();
  });

  it('write a mail to one address and nothing else', () => {
    expect(mailLink('help@example.com')).toBe('mailto:help@example.com');
    for (const bad of ['a@b.example?bcc=c@d.example', 'a@b.example,c@d.example', 'a%0a@b.example', 'x']) {
      expect(mailLink(bad)).toBeUndefined();
    }
  });
});
