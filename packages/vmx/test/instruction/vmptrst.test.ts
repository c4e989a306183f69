import { describe, expect, it } from 'vitest';
import { NO_VMCS, vmSucceed } from '../../src/index.js';
import { bootedMachine, DATA, execute, readValue, rootMachine, VMCS, VMXON_REGION } from '../support/machine.js';
import { MODES } from '../support/modes.js';
import { MACHINE_CODE } from '../support/violations.js';

describe('VMPTRST', () => {
  it('stores the current-VMCS pointer', () => {
    expect(rootMachine().processor(0).vmptrst()).toEqual(vmSucceed({ value: VMCS }));
  });

  it('stores FFFFFFFF_FFFFFFFFH if no VMCS is current', () => {
    const cpu = bootedMachine().processor(0);
    cpu.vmxon(VMXON_REGION);
    expect(cpu.vmptrst()).toEqual(vmSucceed({ value: NO_VMCS }));
  });

  it.each(['64-bit mode', 'protected mode'] as const)('stores 64 bits to memory in %s', (mode) => {
    const machine = bootedMachine();
    machine.processor(0).vmxon(VMXON_REGION);
    MODES[mode](machine);
    machine.processor(0).set('RBX', DATA);
    execute(machine, MACHINE_CODE['VMPTRST']?.data ?? []);
    expect(readValue(machine, DATA, 8)).toBe(NO_VMCS);
  });
});
