import { describe, expect, it } from 'vitest';
import {
  type Control,
  Entry,
  Exit,
  PinBased,
  Primary,
  Secondary,
  SecondaryExit,
  Tertiary,
  VmFunction,
} from '../src/controls.js';
import { fieldNamed } from '../src/fields.js';
import { CONTROL_ENTRIES, MSR_ENTRIES } from './support/inventory.js';

const GROUPS: Readonly<Record<string, Readonly<Record<string, Control>>>> = {
  pin: PinBased,
  proc1: Primary,
  proc2: Secondary,
  proc3: Tertiary,
  exit1: Exit,
  exit2: SecondaryExit,
  entry: Entry,
  vmfunc: VmFunction,
};

const addressOf = (msr: string | undefined) => MSR_ENTRIES.find(({ name }) => name === msr)?.address;

describe.each(Object.entries(GROUPS))('the controls of group %s', (group, controls) => {
  const entries = CONTROL_ENTRIES.filter((entry) => entry.group === group);
  const named = entries.filter(({ name }) => !name.startsWith('reserved'));
  const word = Object.values(controls)[0]?.group;

  it('have the names and bits of the inventory', () => {
    const bits = Object.values(controls).map(({ name, bit }) => ({ name, bit }));
    expect(bits).toEqual(named.map(({ name, bit }) => ({ name, bit })).toSorted((one, other) => one.bit - other.bit));
  });

  it('have its default1 class', () => {
    const bits = entries.filter(({ default1 }) => default1).map(({ bit }) => bit);
    expect(word?.default1).toEqual(bits.toSorted((one, other) => one - other));
  });

  it('name a field of the VMCS and the capability MSRs that report them', () => {
    expect(fieldNamed(word?.field ?? '')).toBeDefined();
    for (const entry of entries) {
      expect(addressOf(word?.capability)).toBe(entry.capabilityMsr);
      if (entry.trueCapabilityMsr) expect(addressOf(word?.trueCapability)).toBe(entry.trueCapabilityMsr);
    }
  });
});
