import { PROFILES } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { basic, hasVmx } from '../src/capability-msrs.js';
import { supportedFields } from '../src/field-support.js';
import { fieldNamed, VMCS_FIELDS } from '../src/fields.js';
import { fieldOffset, REGION_HEADER } from '../src/vmcs-region.js';

const places = [
  ...Object.values(REGION_HEADER).map((offset) => ({ offset, bytes: 4 })),
  ...VMCS_FIELDS.map((field) => ({ offset: fieldOffset(field), bytes: field.bytes })),
].toSorted((one, other) => one.offset - other.offset);

describe('the layout of a VMCS region', () => {
  it('gives every field a place of its own', () => {
    for (const [index, { offset }] of places.entries()) {
      const before = places[index - 1];
      expect(offset).toBeGreaterThanOrEqual(before === undefined ? 0 : before.offset + before.bytes);
    }
  });

  it.each(PROFILES.filter(hasVmx))('fits in the region size that $name reports', (profile) => {
    const ends = [...supportedFields(profile)].map((field) => fieldOffset(field) + field.bytes);
    expect(Math.max(...ends)).toBeLessThanOrEqual(basic(profile, 'region size'));
  });

  it('fits in a page with every field there is', () => {
    expect(Math.max(...places.map(({ offset, bytes }) => offset + bytes))).toBeLessThanOrEqual(4096);
  });

  // Traces and dumps hold regions: a changed layout needs a changed format version.
  it('does not move', () => {
    expect(REGION_HEADER).toEqual({ 'VMCS revision identifier': 0, 'VMX-abort indicator': 4, 'launch state': 8 });
    expect(fieldOffset(fieldNamed('Address of I/O bitmap A'))).toBe(16);
    expect(fieldOffset(fieldNamed('Guest RIP'))).toMatchInlineSnapshot(`720`);
    expect(fieldOffset(fieldNamed('VM-instruction error'))).toMatchInlineSnapshot(`980`);
    expect(fieldOffset(fieldNamed('Host TR selector'))).toMatchInlineSnapshot(`1154`);
    expect(fieldOffset(fieldNamed('Host IA32_FRED_SSP3'))).toMatchInlineSnapshot(`1300`);
  });
});
