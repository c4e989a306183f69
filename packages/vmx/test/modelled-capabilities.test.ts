import { describe, expect, it } from 'vitest';
import { PinBased, Secondary } from '../src/controls.js';
import { NOT_MODELLED_CONTROLS, shownCapability, shownProfile } from '../src/modelled-capabilities.js';
import { PROCESSORS } from './support/entry-processors.js';
import { guestMachine } from './support/guest.js';

const PROFILE = PROCESSORS.complete;

describe('controls that are not modelled', () => {
  it('are not among those that a machine allows to be 1', () => {
    for (const { bit, group } of NOT_MODELLED_CONTROLS) {
      const shown = shownCapability(PROFILE, group.capability as never);
      const shift = group.format === 'allowed 1-settings' ? bit : bit + 32;
      expect((shown >> BigInt(shift)) & 1n).toBe(0n);
    }
  });

  it('leave the others as the processor has them', () => {
    const { bit } = Secondary['enable EPT'];
    expect((shownCapability(PROFILE, 'IA32_VMX_PROCBASED_CTLS2') >> BigInt(bit + 32)) & 1n).toBe(1n);
    expect(shownProfile(PROFILE).cpuid).toBe(PROFILE.cpuid);
  });

  it('are refused by VM entry', () => {
    const bit = 1n << BigInt(PinBased['process posted interrupts'].bit);
    const machine = guestMachine([0x90], { 'Pin-based VM-execution controls': 0x16n | bit });
    expect(machine.processor(0).vmlaunch()).toMatchObject({ kind: 'vmx/VMfailValid', number: 7 });
  });
});
