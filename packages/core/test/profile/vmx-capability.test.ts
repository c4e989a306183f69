// The VMX capability MSRs of an Intel profile, checked against the SDM's appendix "VMX Capability Reporting Facility":
// what it says must hold between them. They are a dump, so what fails here was copied wrongly or derived wrongly.
import { describe, expect, it } from 'vitest';
import { lookUpCpuid } from '../../src/profile/cpuid-lookup.js';
import type { ProcessorProfile } from '../../src/profile/profile.js';
import { PROFILES } from '../../src/profile/profiles.js';

function msr(profile: ProcessorProfile, address: number): bigint {
  const value = profile.msrs[address];
  if (value === undefined) throw new Error(`${profile.name} has no MSR ${address.toString(16)}H`);
  return value;
}

function bit(value: bigint, number: number): number {
  return Number((value >> BigInt(number)) & 1n);
}

function bits(value: bigint, high: number, low: number): number {
  return Number(BigInt.asUintN(high - low + 1, value >> BigInt(low)));
}

/** Bits that must be 1 (31:0), and bits that may be 1 (63:32). */
function settings(value: bigint): { allowed0: bigint; allowed1: bigint } {
  return { allowed0: BigInt.asUintN(32, value), allowed1: value >> 32n };
}

/** [the MSR, its TRUE twin, the default1 class: the controls that the first always reports as required] */
const CONTROLS = [
  ['pin-based VM-execution controls', 0x481, 0x48d, 0x0000_0016n],
  ['primary processor-based VM-execution controls', 0x482, 0x48e, 0x0401_e172n],
  ['primary VM-exit controls', 0x483, 0x48f, 0x0003_6dffn],
  ['VM-entry controls', 0x484, 0x490, 0x0000_11ffn],
] as const;

/** Which profiles are of servers of today: the others are older parts. */
const CURRENT = ['intel-emerald-rapids', 'intel-sapphire-rapids'];
const INTEL = PROFILES.filter((profile) => profile.vendor === 'Intel');

describe.each(INTEL)('$name', (profile) => {
  const basic = msr(profile, 0x480);
  const hasTrue = bit(basic, 55) === 1;
  const allowed = (address: number) => settings(profile.msrs[address] ?? 0n).allowed1;
  const secondary = bit(allowed(0x482), 31) === 1 ? allowed(0x48b) : 0n;

  it('has VMX and exactly the capability MSRs that exist', () => {
    expect((lookUpCpuid(profile, 1, 0).ecx >>> 5) & 1).toBe(1);
    const exists = (address: number): boolean => {
      if (address === 0x48b) return bit(allowed(0x482), 31) === 1;
      if (address === 0x48c) return (bit(secondary, 1) | bit(secondary, 5)) === 1;
      if (address >= 0x48d && address <= 0x490) return hasTrue;
      if (address === 0x491) return bit(secondary, 13) === 1;
      if (address === 0x492) return bit(allowed(0x482), 17) === 1;
      return address !== 0x493 || bit(allowed(0x483), 31) === 1;
    };
    for (let address = 0x480; address <= 0x493; address++) {
      expect([address, address in profile.msrs]).toEqual([address, exists(address)]);
    }
  });

  it('reports IA32_VMX_BASIC within its limits', () => {
    expect(bit(basic, 31)).toBe(0);
    expect(bits(basic, 44, 32)).toBeGreaterThan(0);
    expect(bits(basic, 44, 32)).toBeLessThanOrEqual(4096);
    expect(bit(basic, 48)).toBe(0); // always 0 on processors that support Intel 64 architecture
    expect(bits(basic, 53, 50)).toBe(6); // write back
  });

  it.each(CONTROLS)('allows at least what it requires: %s', (_, address, trueAddress) => {
    for (const each of hasTrue ? [address, trueAddress] : [address]) {
      const { allowed0, allowed1 } = settings(msr(profile, each));
      expect(allowed0 & ~allowed1).toBe(0n);
    }
  });

  it.each(CONTROLS)('differs from its TRUE twin only in default1 controls: %s', (_, address, trueAddress, default1) => {
    const old = settings(msr(profile, address));
    expect(old.allowed0).toBe(default1);
    if (!hasTrue) return;
    const exact = settings(msr(profile, trueAddress));
    expect(exact.allowed0 & ~default1).toBe(0n);
    expect(exact.allowed1).toBe(old.allowed1);
  });

  it('requires none of the secondary controls', () => {
    expect(settings(profile.msrs[0x48b] ?? 0n).allowed0).toBe(0n);
  });

  it('fixes to 1 in CR0 and CR4 only what may be 1', () => {
    expect(msr(profile, 0x486) & ~msr(profile, 0x487)).toBe(0n);
    expect(msr(profile, 0x488) & ~msr(profile, 0x489)).toBe(0n);
    expect(msr(profile, 0x486)).toBe(0x8000_0021n); // PG, NE, PE
    expect(msr(profile, 0x488)).toBe(0x2000n); // VMXE
  });

  it.each([
    ['UMIP', 11, 7, 'ecx', 2],
    ['LA57', 12, 7, 'ecx', 16],
    ['SMXE', 14, 1, 'ecx', 6],
    ['FSGSBASE', 16, 7, 'ebx', 0],
    ['PCIDE', 17, 1, 'ecx', 17],
    ['OSXSAVE', 18, 1, 'ecx', 26],
    ['KL', 19, 7, 'ecx', 23],
    ['SMEP', 20, 7, 'ebx', 7],
    ['SMAP', 21, 7, 'ebx', 20],
    ['PKE', 22, 7, 'ecx', 3],
    ['CET', 23, 7, 'ecx', 7],
    ['PKS', 24, 7, 'ecx', 31],
    ['UINTR', 25, 7, 'edx', 5],
  ] as const)('allows CR4.%s exactly if CPUID has the feature', (_, control, leaf, register, feature) => {
    const supported = (lookUpCpuid(profile, leaf, 0)[register] >>> feature) & 1;
    expect(bit(msr(profile, 0x489), control)).toBe(supported);
  });

  it('reports IA32_VMX_MISC within its limits', () => {
    const misc = msr(profile, 0x485);
    expect(bits(misc, 24, 16)).toBe(4); // CR3-target values
    expect(bits(misc, 8, 6)).toBe(7); // HLT, shutdown, wait-for-SIPI
    expect(bit(misc, 31)).toBe(0);
  });

  it('leaves VMX off until firmware has locked IA32_FEATURE_CONTROL', () => {
    expect(msr(profile, 0x3a)).toBe(0n);
  });
});

describe.each(INTEL.filter(({ name }) => CURRENT.includes(name)))('$name, of today,', (profile) => {
  const secondary = settings(msr(profile, 0x48b)).allowed1;
  const eptVpid = msr(profile, 0x48c);

  it('offers the secondary and tertiary controls whose MSRs it has', () => {
    const primary = settings(msr(profile, 0x48e)).allowed1;
    expect(bit(primary, 31)).toBe(1); // activate secondary controls: 48BH
    expect(bit(primary, 17)).toBe(1); // activate tertiary controls: 492H
    expect(bit(settings(msr(profile, 0x48f)).allowed1, 31)).toBe(1); // activate secondary controls: 493H
    expect(bit(secondary, 1) & bit(secondary, 5)).toBe(1); // enable EPT, enable VPID: 48CH
    expect(bit(secondary, 13)).toBe(1); // enable VM functions: 491H
  });

  it('reports EPT and VPID capabilities that belong together', () => {
    expect(bit(eptVpid, 6)).toBe(1); // page-walk length 4
    expect(bit(eptVpid, 7)).toBe(profile.linearAddressWidth === 57 ? 1 : 0); // page-walk length 5
    expect(bit(eptVpid, 14)).toBe(1); // write-back paging structures
    expect([20, 25, 26].map((number) => bit(eptVpid, number))).toEqual([1, 1, 1]); // INVEPT and both its types
    expect([32, 40, 41, 42, 43].map((number) => bit(eptVpid, number))).toEqual([1, 1, 1, 1, 1]); // INVVPID, its types
  });

  it('has an HLAT prefix exactly if it can enable HLAT', () => {
    expect(bits(eptVpid, 53, 48)).toBe(bit(msr(profile, 0x492), 1));
  });

  it('has LOADIWKEY exiting exactly if it has Key Locker', () => {
    expect(bit(msr(profile, 0x492), 0)).toBe((lookUpCpuid(profile, 7, 0).ecx >>> 23) & 1);
  });

  it('supports unrestricted guests, and so saves IA32_EFER.LMA on VM exits', () => {
    expect(bit(secondary, 7)).toBe(1);
    expect(bit(msr(profile, 0x485), 5)).toBe(1);
  });

  it('reports a highest VMCS index, reserved bits clear', () => {
    // The index is that of an older core (17H): real processors of this line under-report it, see the profile's source.
    expect(msr(profile, 0x48a)).toBe(0x17n << 1n);
  });
});

describe('an older part', () => {
  const named = (name: string) => INTEL.filter((profile) => profile.name === name);

  it('of the first generation has no secondary controls and no TRUE MSRs', () => {
    for (const profile of named('intel-conroe')) {
      expect(bit(settings(msr(profile, 0x482)).allowed1, 31)).toBe(0);
      expect(bit(msr(profile, 0x480), 55)).toBe(0);
    }
  });

  it('of the Westmere generation has EPT with four levels, VPID and unrestricted guests', () => {
    for (const profile of named('intel-gulftown')) {
      const secondary = settings(msr(profile, 0x48b)).allowed1;
      expect([1, 5, 7].map((number) => bit(secondary, number))).toEqual([1, 1, 1]);
      expect([6, 7, 21].map((number) => bit(msr(profile, 0x48c), number))).toEqual([1, 0, 0]);
    }
  });
});

describe('what distinguishes the server part', () => {
  it.each([
    ['intel-emerald-rapids', 1],
    ['intel-sapphire-rapids', 0],
  ])('%s: VMCS shadowing %i', (name, expected) => {
    const [profile] = PROFILES.filter((candidate) => candidate.name === name);
    if (profile === undefined) throw new Error(`no profile ${name}`);
    expect(bit(settings(msr(profile, 0x48b)).allowed1, 14)).toBe(expected);
  });
});
