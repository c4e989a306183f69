import { describe, expect, it } from 'vitest';
import { CYCLES_PER_SECOND } from '../../src/interrupt/virtual-time.js';
import { definePlugin } from '../../src/plugin/define.js';
import { allowedBits } from '../../src/register/control-register-write.js';
import { CR4, EFER } from '../../src/register/control-registers.js';
import type { CpuidResult } from '../../src/register/cpuid.js';
import { hasFeature } from '../../src/register/cpuid.js';
import { bootedMachine } from '../support/booted-machine.js';

const PROFILES = ['intel-server', 'amd-server'] as const;

function cpuid(machine: ReturnType<typeof bootedMachine>, leaf: number, subleaf = 0, processor = 0): CpuidResult {
  const outcome = machine.processor(processor).cpuid(leaf, subleaf);
  return (outcome as { value: CpuidResult }).value;
}

const text = (...values: readonly number[]): string =>
  values.flatMap((value) => [0, 8, 16, 24].map((shift) => String.fromCharCode((value >>> shift) & 0xff))).join('');
const namesOf = (mask: bigint, bits: Readonly<Record<string, number>>): readonly string[] =>
  Object.keys(bits).filter((name) => ((mask >> BigInt(bits[name] ?? 0)) & 1n) === 1n);

describe('CPUID', () => {
  it('names the vendor and the model', () => {
    const intel = cpuid(bootedMachine(), 0);
    expect(text(intel.ebx, intel.edx, intel.ecx)).toBe('GenuineIntel');
    const brand = cpuid(bootedMachine({ profile: 'amd-server' }), 0x8000_0002);
    expect(text(brand.eax, brand.ebx, brand.ecx, brand.edx)).toBe('AMD EPYC 9965 19');
  });

  it('clears the high halves of all four registers', () => {
    const machine = bootedMachine();
    for (const register of ['RAX', 'RBX', 'RCX', 'RDX']) machine.processor(0).set(register, 2n ** 64n - 1n);
    machine.processor(0).cpuid(1, 0);
    for (const register of ['RAX', 'RBX', 'RCX', 'RDX']) expect(machine.processor(0).read(register) >> 32n).toBe(0n);
  });

  it.each(PROFILES)('shows %s only what is modelled: no AVX, VMX or SVM', (profile) => {
    const machine = bootedMachine({ profile });
    const { ecx, edx } = cpuid(machine, 1);
    expect(ecx & ((1 << 5) | (1 << 27) | (1 << 28))).toBe(0);
    expect(ecx & (1 << 13)).not.toBe(0);
    expect(edx & ((1 << 0) | (1 << 23))).toBe((1 << 0) | (1 << 23));
    expect(cpuid(machine, 0x8000_0001).ecx & (1 << 2)).toBe(0);
  });

  it.each(PROFILES)('shows %s long mode, NX, 1-GByte pages and SYSCALL', (profile) => {
    const machine = bootedMachine({ profile });
    expect(cpuid(machine, 0x8000_0001).edx & 0x2410_0800).toBe(0x2410_0800);
    expect(hasFeature(machine.definition, 'LA57')).toBe(true);
  });

  it('does not show SYSCALL outside 64-bit mode of an Intel processor', () => {
    const machine = bootedMachine();
    machine.processor(0).set('CS.attributes', 0xc09bn);
    expect(cpuid(machine, 0x8000_0001).edx & 0x800).toBe(0);
  });

  it('repeats bits of leaf 1 on an AMD processor', () => {
    const machine = bootedMachine({ profile: 'amd-server' });
    const repeated = 0x0183_f3ff;
    expect(cpuid(machine, 0x8000_0001).edx & repeated).toBe(cpuid(machine, 1).edx & repeated & ~(1 << 28));
  });

  it('shows a bit that a plugin models, and its place in CR4', () => {
    const plugin = definePlugin({
      name: 'extension',
      version: '1.0.0',
      apiVersion: 1,
      cpuid: [{ leaf: 1, register: 'ecx', mask: 1 << 5 }],
      registerBits: [{ register: 'CR4', name: 'VMXE', bit: CR4.bits.VMXE }],
    });
    const machine = bootedMachine({ plugins: [plugin] });
    expect(cpuid(machine as never, 1).ecx & 0x20).toBe(0x20);
    expect(namesOf(allowedBits(machine.definition, 'CR4'), CR4.bits)).toContain('VMXE');
  });

  it('numbers the processors of one package', () => {
    const machine = bootedMachine({ processors: 6 });
    expect(cpuid(machine, 1, 0, 5).ebx >>> 16).toBe(0x0506);
    expect(cpuid(machine, 0x0b, 0, 5)).toEqual({ eax: 0, ebx: 1, ecx: 0x100, edx: 5 });
    expect(cpuid(machine, 0x1f, 1, 5)).toEqual({ eax: 3, ebx: 6, ecx: 0x201, edx: 5 });
    expect(cpuid(machine, 0x0b, 2, 5)).toEqual({ eax: 0, ebx: 0, ecx: 2, edx: 5 });
    expect(cpuid(machine, 4, 3).eax >>> 14).toBe((5 << 12) | 5);
    expect(cpuid(machine, 4, 0).eax >>> 14).toBe(5 << 12);
    expect(cpuid(bootedMachine({ profile: 'amd-server', processors: 6 }), 0x8000_0008).ecx).toBe(0x3005);
    expect(cpuid(bootedMachine(), 1).edx & (1 << 28)).toBe(0);
  });
});

describe('the bits that registers take', () => {
  it.each(PROFILES)('of CR4 on %s are those of modelled features', (profile) => {
    const { definition } = bootedMachine({ profile });
    expect(namesOf(allowedBits(definition, 'CR4'), CR4.bits)).toEqual([
      'VME',
      'PVI',
      'TSD',
      'DE',
      'PSE',
      'PAE',
      'MCE',
      'PGE',
      'PCE',
      'OSFXSR',
      'OSXMMEXCPT',
      'UMIP',
      'LA57',
      'FSGSBASE',
      'PCIDE',
      'OSXSAVE',
      'SMEP',
      'SMAP',
      'PKE',
      ...(profile === 'intel-server' ? ['PKS'] : []),
    ]);
  });

  it('of IA32_EFER follow the vendor', () => {
    const names = (profile: string) =>
      namesOf(allowedBits(bootedMachine({ profile }).definition, 'IA32_EFER'), EFER.bits);
    expect(names('intel-server')).toEqual(['SCE', 'LME', 'LMA', 'NXE']);
    expect(names('amd-server')).toEqual(['SCE', 'LME', 'LMA', 'NXE', 'FFXSR', 'TCE']);
  });
});

describe('CPUID leaf 15H', () => {
  it('says the rates that the clocks of an Intel machine have', () => {
    expect(cpuid(bootedMachine(), 0x15)).toEqual({ eax: 1, ebx: 1, ecx: CYCLES_PER_SECOND, edx: 0 });
    expect(cpuid(bootedMachine({ profile: 'amd-server' }), 0x15)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
});
