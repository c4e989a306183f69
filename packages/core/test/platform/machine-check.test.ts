import { describe, expect, it } from 'vitest';
import { machineCheckOccurred, machineChecks } from '../../src/platform/machine-check.js';
import { hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const [VAL, OVER, UC, EN, PCC] = [63n, 62n, 61n, 60n, 57n].map((bit) => 1n << bit) as [
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
];
const MCE = 1n << 6n;
const FATAL = UC | EN | 0x135n;

function machine(mce = true) {
  const made = machineWithIdt(hex('90 90 90 90'), [{ vector: 18 }], { plugins: [machineChecks] });
  const cpu = made.processor(0);
  if (mce) cpu.set('CR4', cpu.read('CR4') | MCE);
  const check = (status: bigint, bank = 1) =>
    made.apply(machineCheckOccurred.create({ processor: 0, bank, status, address: 0x1234n, miscellaneous: 0x86n }));
  return { made, cpu, check };
}

describe('a machine check', () => {
  it('is #MC at the next boundary, with the report in its bank', () => {
    const { cpu, check } = machine();
    check(FATAL);
    expect(cpu.step()).toMatchObject({ kind: 'fault', vector: '#MC' });
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER));
    expect(['STATUS', 'ADDR', 'MISC'].map((part) => cpu.read(`IA32_MC1_${part}`))).toEqual([
      VAL | FATAL,
      0x1234n,
      0x86n,
    ]);
    expect(cpu.read('IA32_MCG_STATUS')).toBe(5n); // RIPV, MCIP
  });

  it('says that the program cannot go on if its context is corrupt', () => {
    const { cpu, check } = machine();
    check(FATAL | PCC);
    cpu.step();
    expect(cpu.read('IA32_MCG_STATUS')).toBe(4n);
  });

  it('shuts the processor down while CR4.MCE is 0', () => {
    const { cpu, check } = machine(false);
    check(FATAL);
    expect(cpu.step()).toMatchObject({ kind: 'shutdown', rule: 'core.machine-check.enabled' });
    expect(cpu.read('activity')).toBe(2n);
  });

  it('shuts the processor down while another one is handled', () => {
    const { cpu, check } = machine();
    check(FATAL);
    cpu.step();
    check(FATAL);
    expect(cpu.step()).toMatchObject({ kind: 'shutdown' });
  });

  it('that was corrected only stays in its bank, until an uncorrected one takes its place', () => {
    const { cpu, check } = machine();
    check(EN | 1n);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.read('IA32_MC1_STATUS')).toBe(VAL | EN | 1n);
    check(EN | 2n);
    expect(cpu.read('IA32_MC1_STATUS')).toBe(VAL | OVER | EN | 1n);
    check(FATAL);
    expect(cpu.read('IA32_MC1_STATUS')).toBe(VAL | OVER | FATAL);
  });

  it('in a bank or on a processor that is not there changes nothing', () => {
    const { made, check } = machine();
    const before = made.state.processors[0];
    check(FATAL, 10);
    expect(made.state.processors[0]).toBe(before);
  });
});
