import { Timeline } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import {
  bootedMachine,
  DATA,
  execute,
  rootMachine,
  VMXON_REGION,
  type VmxMachineUnderTest,
  writeValue,
} from './support/machine.js';
import { MACHINE_CODE } from './support/violations.js';

const why = (machine: VmxMachineUnderTest) => new Timeline(machine.definition, machine.log).why();
const VMXE = 1n << 13n;

describe('why', () => {
  it('names the rule, its section, the value and the event that wrote it', () => {
    const machine = bootedMachine();
    const cpu = machine.processor(0);
    cpu.movToCr4(cpu.read('CR4') & ~VMXE);
    const blamed = machine.position - 1;
    cpu.vmxon(VMXON_REGION);
    const [decided, implied] = why(machine)?.violations ?? [];
    expect(decided).toMatchObject({
      rule: 'vmx.vmxon.cr4-vmxe',
      manual: { manual: 'SDM', title: 'VMXON—Enter VMX Operation' },
      decided: true,
      fields: [{ location: 'processor/0/CR4.VMXE', value: 0n, writer: { position: blamed } }],
    });
    expect(implied).toMatchObject({ rule: 'vmx.vmxon.cr4-fixed', decided: false });
  });

  it('blames the VMXON for a second one', () => {
    const machine = bootedMachine();
    machine.processor(0).vmxon(VMXON_REGION);
    const blamed = machine.position - 1;
    machine.processor(0).vmxon(VMXON_REGION);
    expect(why(machine)?.violations[0]?.fields[0]).toMatchObject({ value: true, writer: { position: blamed } });
  });

  it('blames the store of a pointer that is not aligned', () => {
    const machine = bootedMachine();
    writeValue(machine, DATA, 8, VMXON_REGION + 1n);
    const blamed = machine.position - 1;
    machine.processor(0).set('RBX', DATA);
    execute(machine, MACHINE_CODE['VMXON']?.data ?? []);
    expect(why(machine)?.violations).toMatchObject([
      {
        rule: 'vmx.vmxon.align',
        fields: [{ location: `[0x${DATA.toString(16)}+8]`, value: VMXON_REGION + 1n, writer: { position: blamed } }],
      },
    ]);
  });

  it('blames the store of a wrong revision identifier', () => {
    const machine = bootedMachine();
    writeValue(machine, VMXON_REGION, 4, 0x99n);
    const blamed = machine.position - 1;
    machine.processor(0).vmxon(VMXON_REGION);
    const [violation] = why(machine)?.violations ?? [];
    expect(violation?.fields[0]).toMatchObject({ value: 0x99n, writer: { position: blamed } });
  });

  it('explains a fixed bit that MOV to CR4 would clear', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.movToCr4(cpu.read('CR4') & ~VMXE);
    expect(why(machine)?.violations).toMatchObject([
      { rule: 'vmx.operation.cr4-fixed', manual: { title: 'Restrictions on VMX Operation' }, decided: true },
    ]);
  });

  it('reads the fields of the current VMCS as locations', () => {
    const machine = rootMachine();
    machine.processor(0).vmwrite(0x681en, 0x4242n);
    const timeline = new Timeline(machine.definition, machine.log);
    expect(timeline.read('vmcs:Guest RIP')).toBe(0x4242n);
    expect(timeline.lastWrite('vmcs:Guest RIP')).toMatchObject({ position: machine.position - 1 });
  });
});
