import { describe, expect, it } from 'vitest';
import { describeUserAgent } from './user-agent.ts';

describe('describeUserAgent', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/107.0.0.0 Safari/537.36',
      'Chrome 107.0.0 / Windows 10.0.0',
      false,
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91',
      'Edge 120.0.2210 / Windows 10.0.0',
      false,
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15',
      'Safari 17.1.0 / Mac OS X 10.15.7',
      false,
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1',
      'Mobile Safari 17.1.0 / iOS 17.1.0',
      true,
    ],
    [
      'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.6045.66 Mobile Safari/537.36',
      'Chrome Mobile 119.0.6045 / Android 14.0.0',
      true,
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', 'Firefox 120.0.0 / Linux 0.0.0', false],
    ['Java/1.8.0_322', 'Java 1.8.0 / Other 0.0.0', false],
    ['curl/8.5.0', 'curl 8.5.0 / Other 0.0.0', false],
    ['my-script', 'my-script', false],
    ['', 'unknown', false],
  ])('shows %s', (header, name, isMobile) => {
    expect(describeUserAgent(header)).toEqual({ name, isMobile });
  });

  it('bounds what it keeps', () => {
    expect(describeUserAgent('x'.repeat(100_000)).name.length).toBeLessThan(600);
  });
});
