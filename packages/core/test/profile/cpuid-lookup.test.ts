// The expectations are lines of the dumps; where there is no line, the vendors' words on CPUID.
import { describe, expect, it } from 'vitest';
import { AMD_GENOA } from '../../src/profile/amd-genoa.js';
import { AMD_TURIN } from '../../src/profile/amd-turin.js';
import { lookUpCpuid } from '../../src/profile/cpuid-lookup.js';
import { INTEL_EMERALD_RAPIDS } from '../../src/profile/intel-emerald-rapids.js';
import type { ProcessorProfile } from '../../src/profile/profile.js';

/** Registers as a dump prints them: EAX-EBX-ECX-EDX. */
function line(profile: ProcessorProfile, leaf: number, subleaf = 0): string {
  const { eax, ebx, ecx, edx } = lookUpCpuid(profile, leaf, subleaf);
  return [eax, ebx, ecx, edx].map((value) => value.toString(16).padStart(8, '0').toUpperCase()).join('-');
}

const ZEROS = '00000000-00000000-00000000-00000000';

describe('a listed leaf', () => {
  it.each([
    [0x0, 0, '00000020-756E6547-6C65746E-49656E69'],
    [0x1, 0, '000C06F2-00800800-7FFEFBFF-BFEBFBFF'],
    [0x4, 3, 'FC1FC163-0380003F-0000DFFF-00000004'],
    [0x7, 1, '00001C30-00000000-00000000-00040000'],
    [0xd, 0x12, '00002000-00000B00-00000006-00000000'],
    [0x8000_0008, 0, '0000392E-00000200-00000000-00000000'],
  ])('reads as in the dump of an Intel processor: %#x, %#x', (leaf, subleaf, expected) => {
    expect(line(INTEL_EMERALD_RAPIDS, leaf, subleaf)).toBe(expected);
  });

  it.each([
    [0x1, 0, '00B10F10-00C00800-7EFA320B-178BFBFF'],
    [0x8000_000a, 0, '00000001-00008000-00000040-FFBFBDFF'],
    [0x8000_001d, 2, '00000143-03C0003F-000003FF-00000002'],
    [0x8000_001f, 0, 'CFFFFFFB-000041B3-000003EE-00000001'],
    [0x8000_0026, 3, '00000008-000000C0-00000403-00000000'],
  ])('reads as in the dump of an AMD processor: %#x, %#x', (leaf, subleaf, expected) => {
    expect(line(AMD_TURIN, leaf, subleaf)).toBe(expected);
  });

  it('ignores ECX when it has no subleaves', () => {
    expect(line(AMD_GENOA, 0x8000_000a, 0xffff_ffff)).toBe('00000001-00008000-00000000-1FBFBCFF');
  });
});

describe('a leaf above the highest', () => {
  it.each([0x21, 0x4000_0000, 0x7fff_ffff, 0x8000_0009, 0xffff_ffff])(
    'is the highest basic one: Intel, %#x',
    (leaf) => {
      expect(lookUpCpuid(INTEL_EMERALD_RAPIDS, leaf, 0)).toEqual(lookUpCpuid(INTEL_EMERALD_RAPIDS, 0x20, 0));
    },
  );

  it('is the highest basic one with the subleaf that was asked for', () => {
    const processor: ProcessorProfile = {
      ...INTEL_EMERALD_RAPIDS,
      cpuid: INTEL_EMERALD_RAPIDS.cpuid.map((row) => (row.leaf === 0 ? { ...row, eax: 0x1f } : row)),
    };
    expect(lookUpCpuid(processor, 0x4000_0000, 1)).toEqual(lookUpCpuid(processor, 0x1f, 1));
    expect(lookUpCpuid(processor, 0x4000_0000, 1).leaf).toBe(0x1f);
  });

  it.each([0x11, 0x4000_0000, 0x8000_0029, 0xffff_ffff])('is all zeros: AMD, %#x', (leaf) => {
    expect(lookUpCpuid(AMD_TURIN, leaf, 3)).toEqual({ leaf, subleaf: 3, eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
});

describe('a leaf or subleaf that does not exist', () => {
  it.each([
    ['the cache after the last', INTEL_EMERALD_RAPIDS, 0x4, 4],
    ['a feature subleaf after the last', INTEL_EMERALD_RAPIDS, 0x7, 3],
    ['an XSAVE component between two others', INTEL_EMERALD_RAPIDS, 0xd, 3],
    ['a leaf of the other vendor', AMD_TURIN, 0x4, 0],
  ])('is all zeros: %s', (_, profile, leaf, subleaf) => {
    expect(line(profile, leaf, subleaf)).toBe(ZEROS);
  });

  it.each([
    [INTEL_EMERALD_RAPIDS, 0xb],
    [INTEL_EMERALD_RAPIDS, 0x1f],
    [AMD_TURIN, 0xb],
    [AMD_TURIN, 0x8000_0026],
  ])('repeats ECX[7:0] when the leaf enumerates levels', (profile, leaf) => {
    expect(line(profile, leaf, 0x1234)).toBe('00000000-00000000-00000034-00000000');
  });

  it('has the x2APIC ID when the leaf enumerates levels', () => {
    const processor: ProcessorProfile = {
      ...AMD_TURIN,
      cpuid: AMD_TURIN.cpuid.map((row) => (row.leaf === 0xb ? { ...row, edx: 42 } : row)),
    };
    expect(lookUpCpuid(processor, 0xb, 9)).toMatchObject({ ecx: 9, edx: 42 });
  });
});
