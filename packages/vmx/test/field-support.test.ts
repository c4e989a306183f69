import { findProfile } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { supportedAccess, supportedFields } from '../src/field-support.js';
import { type FieldName, fieldNamed } from '../src/fields.js';

const emeraldRapids = findProfile('intel-emerald-rapids');
const sapphireRapids = findProfile('intel-sapphire-rapids');
const supports = (profile: typeof emeraldRapids, name: FieldName) => supportedFields(profile).has(fieldNamed(name));

describe('a field that exists only with the 1-setting of a control', () => {
  it('is supported where the capability MSR allows the setting, whatever the control is now', () => {
    expect(supports(emeraldRapids, 'VMREAD-bitmap address')).toBe(true);
    expect(supports(emeraldRapids, 'ENCLS-exiting bitmap')).toBe(true);
  });

  it('is not supported where the capability MSR does not', () => {
    expect(supports(sapphireRapids, 'VMREAD-bitmap address')).toBe(false);
    expect(supports(sapphireRapids, 'ENCLS-exiting bitmap')).toBe(false);
    expect(supports(emeraldRapids, 'Guest IA32_BNDCFGS')).toBe(false);
    expect(supports(emeraldRapids, 'Guest IA32_FRED_CONFIG')).toBe(false);
    expect(supports(emeraldRapids, 'Shared EPT pointer')).toBe(false);
  });

  it('is not supported where the MSR that would allow it does not exist', () => {
    const allowed1Primary = 0x482;
    const withoutSecondary = (emeraldRapids.msrs[allowed1Primary] ?? 0n) & ~(1n << 63n);
    const profile = { ...emeraldRapids, msrs: { ...emeraldRapids.msrs, [allowed1Primary]: withoutSecondary } };
    expect(supports(profile, 'Virtual-processor identifier (VPID)')).toBe(false);
    expect(supports(profile, 'EPTP-list address')).toBe(false);
    expect(supports(profile, 'Guest RIP')).toBe(true);
  });

  it('is supported if one of several controls may be 1', () => {
    const allowed1Entry = 0x484;
    const withoutLoad = (emeraldRapids.msrs[allowed1Entry] ?? 0n) & ~(1n << 46n); // "load IA32_PAT"
    const profile = { ...emeraldRapids, msrs: { ...emeraldRapids.msrs, [allowed1Entry]: withoutLoad } };
    expect(supports(profile, 'Guest IA32_PAT')).toBe(true);
  });
});

it('has as many CR3-target values as IA32_VMX_MISC says', () => {
  const profile = { ...emeraldRapids, msrs: { ...emeraldRapids.msrs, [0x485]: 0x2_0000n } };
  expect(supports(profile, 'CR3-target value 1')).toBe(true);
  expect(supports(profile, 'CR3-target value 2')).toBe(false);
});

describe('an encoding', () => {
  it('with access type high names bits 63:32 of a 64-bit field', () => {
    const access = supportedAccess(emeraldRapids, 0x2801n);
    expect(access).toEqual({ field: fieldNamed('VMCS link pointer'), access: 'high' });
  });

  it.each([
    ['access type high of a 32-bit field', 0x4001n],
    ['access type high of a natural-width field', 0x681fn],
    ['access type high of a 16-bit field', 0x0801n],
    ['bit 12', 0x1802n],
    ['bit 15', 0x8000n],
    ['bit 31', 0x8000_681en],
    ['bit 32', 0x1_0000_681en],
    ['an index that no field has', 0x6ffen],
  ])('with %s is not supported', (_what, encoding) => {
    expect(supportedAccess(emeraldRapids, encoding)).toBeUndefined();
  });
});
