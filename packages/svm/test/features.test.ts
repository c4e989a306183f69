import { findProfile } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { hasFeature, SHOWN_CPUID, SVM_CPUID } from '../src/features.js';
import { CPUID_ENTRIES } from './support/spec-entries.js';
import { svmMachine, withoutCpuid } from './support/svm-machine.js';

const key = (leaf: number, register: string, bits: string) => `${leaf.toString(16)}.${register.toLowerCase()}.${bits}`;

/** NP, SVML, NRIPS, TscRateMsr, VmcbClean, FlushByAsid, DecodeAssists, PauseFilter and its threshold, VGIF, VNMI. */
const MODELLED = 0x201_14fdn;

describe('CPUID', () => {
  it('has a row for every field of the inventory, and no other', () => {
    const inventory = CPUID_ENTRIES.map(({ leaf, register, bit }) =>
      key(Number.parseInt(leaf.replace('_', ''), 16), register, `${bit}`),
    );
    const rows = SVM_CPUID.map(({ leaf, register, bits: [high, low] }) =>
      key(leaf, register, high === low ? `${high}` : `${high}:${low}`),
    );
    expect(rows.toSorted()).toEqual(inventory.toSorted());
  });

  it('shows the revision, the number of ASIDs, and of the features those that are modelled', () => {
    const machine = svmMachine();
    machine.processor(0).cpuid(0x8000_000an, 0n);
    expect(registers(machine.processor(0))).toEqual([1n, 0x8000n, 0n, MODELLED]);
  });

  it('says that there is SVM, and not SKINIT before it is modelled', () => {
    const machine = svmMachine();
    machine.processor(0).cpuid(0x8000_0001n, 0n);
    expect(machine.processor(0).read('RCX') & 0b1_0000_0000_0100n).toBe(0b100n);
  });

  it('shows nothing that the processor does not have', () => {
    const machine = svmMachine(withoutCpuid(0x8000_000a, 'edx', 1 << 4));
    machine.processor(0).cpuid(0x8000_000an, 0n);
    expect(machine.processor(0).read('RDX')).toBe(MODELLED & ~0b1_0000n);
  });

  it('is asked of the profile for what a processor has', () => {
    expect(hasFeature(findProfile('amd-server'), 'NP')).toBe(true);
    expect(hasFeature(findProfile('intel-server'), 'SVM')).toBe(false);
    const features = SHOWN_CPUID.filter(({ register }) => register === 'edx').map(({ mask }) => BigInt(mask));
    expect(features.reduce((all, mask) => all | mask, 0n)).toBe(MODELLED);
  });
});

function registers(cpu: { read(register: string): bigint }): readonly bigint[] {
  return ['RAX', 'RBX', 'RCX', 'RDX'].map((name) => cpu.read(name));
}
