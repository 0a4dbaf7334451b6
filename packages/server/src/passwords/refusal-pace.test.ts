import { describe, expect, it } from 'vitest';
import { createRefusalPace } from './refusal-pace.ts';

const no = { valid: false, outdated: false, milliseconds: 20 };
const slowNo = { valid: false, outdated: true, milliseconds: 60 };

describe('the pace of refusals', () => {
  it('holds nothing back where every hash is of the current kind', () => {
    expect(createRefusalPace()('acme', no)).toBe(0);
  });

  it('lets an unknown account answer as late as a wrong password for an imported one', () => {
    const restOf = createRefusalPace();
    expect(slowNo.milliseconds + restOf('acme', slowNo)).toBe(75);
    expect(no.milliseconds + restOf('acme', no)).toBe(75);
  });

  it('never delays a right password, nor another tenant', () => {
    const restOf = createRefusalPace();
    restOf('acme', slowNo);
    expect(restOf('acme', { ...no, valid: true })).toBe(0);
    expect(restOf('globex', no)).toBe(0);
  });

  it('is bounded, however long one hash took on a busy machine', () => {
    const restOf = createRefusalPace();
    restOf('acme', { ...slowNo, milliseconds: 60_000 });
    expect(restOf('acme', no)).toBe(1_980);
  });
});
