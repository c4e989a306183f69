// What is true of every profile, whatever its model: the dump contradicts neither itself nor the profile's other fields.
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { lookUpCpuid } from '../../src/profile/cpuid-lookup.js';
import type { CpuidLeaf, ProcessorProfile } from '../../src/profile/profile.js';
import { findProfile, PROFILES } from '../../src/profile/profiles.js';

const CPUID_VENDOR = { Intel: 'GenuineIntel', AMD: 'AuthenticAMD' };

function text(registers: readonly number[]): string {
  const bytes = new Uint8Array(Uint32Array.from(registers).buffer);
  return new TextDecoder().decode(bytes).replaceAll('\0', '').trim();
}

function brandString(profile: ProcessorProfile): string {
  const leaves = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((leaf) => lookUpCpuid(profile, leaf, 0));
  return text(leaves.flatMap(({ eax, ebx, ecx, edx }) => [eax, ebx, ecx, edx]));
}

/** "Intel(R) Xeon(R) w9-3475X" and "Intel(R) Xeon(R) CPU  X5670 @ 2.93GHz" name what the title calls Intel Xeon. */
function withoutMarks(name: string): string {
  return name
    .replaceAll(/\((R|TM)\)| CPU\b| @ .*$/g, '')
    .replaceAll(/ +/g, ' ')
    .trim()
    .toUpperCase();
}

function position(row: CpuidLeaf): number {
  return row.leaf * 0x100 + (row.subleaf ?? 0); // no listed subleaf exceeds 0xff
}

describe('findProfile', () => {
  it.each([
    ['intel-server', 'intel-emerald-rapids'],
    ['intel-sapphire-rapids', 'intel-sapphire-rapids'],
    ['intel-conroe', 'intel-conroe'],
    ['amd-server', 'amd-turin'],
    ['amd-genoa', 'amd-genoa'],
  ])('finds %s', (name, model) => {
    expect(findProfile(name).name).toBe(model);
  });

  it('names the value and what it would accept', () => {
    const find = () => findProfile('pentium');
    expect(find).toThrow(UsageError);
    expect(find).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_PROFILE',
        details: { name: 'pentium', accepted: expect.arrayContaining(['intel-server', 'amd-genoa']) },
      }),
    );
    expect(find).toThrow(/"pentium".*intel-server.*amd-server/);
  });

  it('is not misled by a name of an object property', () => {
    expect(() => findProfile('constructor')).toThrow(UsageError);
  });

  it('has no name twice', () => {
    const names = PROFILES.flatMap((profile) => [profile.name, ...profile.aliases]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(PROFILES)('$name', (profile) => {
  it('says where its figures come from', () => {
    expect(profile.source).toMatch(/InstLatx64/);
  });

  it('lists its leaves in order, each once', () => {
    const positions = profile.cpuid.map(position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  });

  it('holds unsigned 32-bit registers and unsigned 64-bit MSRs', () => {
    const registers = profile.cpuid.flatMap(({ leaf, eax, ebx, ecx, edx }) => [leaf, eax, ebx, ecx, edx]);
    expect(registers.filter((value) => value !== value >>> 0)).toEqual([]);
    expect(Object.values(profile.msrs).filter((value) => value !== BigInt.asUintN(64, value))).toEqual([]);
  });

  it('either numbers all subleaves of a leaf or ignores ECX', () => {
    const ignoring = profile.cpuid.filter((row) => row.subleaf === undefined).map((row) => row.leaf);
    const rowsOf = (leaf: number) => profile.cpuid.filter((row) => row.leaf === leaf);
    expect(ignoring.filter((leaf) => rowsOf(leaf).length > 1)).toEqual([]);
  });

  it('ends its ranges where it says', () => {
    const inRange = (row: CpuidLeaf) =>
      row.leaf <= lookUpCpuid(profile, row.leaf & 0x8000_0000 ? 0x8000_0000 : 0, 0).eax;
    expect(profile.cpuid.filter((row) => !inRange(row))).toEqual([]);
  });

  it('is of the vendor and model that CPUID names', () => {
    const { ebx, edx, ecx } = lookUpCpuid(profile, 0, 0);
    expect(text([ebx, edx, ecx])).toBe(CPUID_VENDOR[profile.vendor]);
    expect(withoutMarks(brandString(profile))).toBe(profile.title.toUpperCase());
  });

  it('has the address widths that CPUID reports', () => {
    const { eax } = lookUpCpuid(profile, 0x8000_0008, 0);
    expect(eax & 0xff).toBe(profile.physicalAddressWidth);
    expect((eax >>> 8) & 0xff).toBe(profile.linearAddressWidth);
    const la57 = (lookUpCpuid(profile, 7, 0).ecx >>> 16) & 1;
    expect(profile.linearAddressWidth).toBe(la57 === 1 ? 57 : 48);
  });

  it('fits every XSAVE component that XCR0 may enable into the size it reports', () => {
    const { leaf, eax: enabled, ecx: size } = lookUpCpuid(profile, 0xd, 0);
    if (leaf !== 0xd) return; // an older processor has no XSAVE
    const components = Array.from({ length: 30 }, (_, index) => index + 2).filter((index) => (enabled >>> index) & 1);
    const ends = components.map((index) => lookUpCpuid(profile, 0xd, index)).map(({ eax, ebx }) => eax + ebx);
    expect(Math.max(...ends)).toBe(size);
  });

  it('reads IA32_PAT as the architecture has it at reset', () => {
    expect(profile.msrs[0x277]).toBe(0x0007_0406_0007_0406n); // WB, WT, UC-, UC, twice
  });
});
