// What an AMD profile reports about SVM: APM, volume 2, "Secure Virtual Machine", and volume 3, "CPUID Fn8000_000A".
import { describe, expect, it } from 'vitest';
import { lookUpCpuid } from '../../src/profile/cpuid-lookup.js';
import { PROFILES } from '../../src/profile/profiles.js';

const EFER = 0xc000_0080;
const HWCR = 0xc001_0015;
const VM_CR = 0xc001_0114;

describe.each(PROFILES.filter((profile) => profile.vendor === 'AMD'))('$name', (profile) => {
  const revisionAndFeatures = lookUpCpuid(profile, 0x8000_000a, 0);

  it('has SVM, of revision 1, with ASIDs beside the one of the host', () => {
    expect((lookUpCpuid(profile, 0x8000_0001, 0).ecx >>> 2) & 1).toBe(1);
    expect(revisionAndFeatures.eax & 0xff).toBe(1);
    expect(revisionAndFeatures.ebx).toBeGreaterThan(1);
  });

  it('has nested paging, next-RIP saving, flush by ASID, decode assists, AVIC and virtual GIF', () => {
    expect([0, 3, 6, 7, 13, 16].map((feature) => (revisionAndFeatures.edx >>> feature) & 1)).toEqual([
      1, 1, 1, 1, 1, 1,
    ]);
  });

  it('starts with SVM off, but neither disabled nor locked', () => {
    expect(profile.msrs[EFER]).toBe(0n);
    expect(profile.msrs[VM_CR]).toBe(0n);
  });

  it('starts with SMM unlocked, so that SMI intercepts work', () => {
    expect((profile.msrs[HWCR] ?? 1n) & 1n).toBe(0n);
  });

  it('has no capability MSR of the other vendor', () => {
    expect(profile.msrs).not.toHaveProperty([0x480]);
  });
});
