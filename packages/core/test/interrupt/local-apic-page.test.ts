import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import type { MachineOptions } from '../../src/plugin/host.js';
import { load, store } from '../support/bare-access.js';
import { hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const BASE = 0xfee0_0000;
const [ID, TPR, PPR, LDR, DFR, SVR, ESR] = [0x20, 0x80, 0xa0, 0xd0, 0xe0, 0xf0, 0x280];
const [ICR, ICR_HIGH, TIMER, LINT0, LINT1, ERROR] = [0x300, 0x310, 0x320, 0x350, 0x360, 0x370];
const [INITIAL, CURRENT, DIVIDE] = [0x380, 0x390, 0x3e0];
const MASK = 0x1_0000;
const SELF = 0x4_0000;
const ILLEGAL = { send: 0x20, receive: 0x40, register: 0x80 };
const APIC_BASE = 0x1b;
const TSC_DEADLINE = 0x6e0;

function make(options: Partial<MachineOptions> = {}): Machine {
  const gates = [2, ...Array.from({ length: 224 }, (_, index) => index + 32)].map((vector) => ({ vector }));
  const machine = machineWithIdt(new Array<number>(4000).fill(0x90), gates, options);
  for (const { id } of machine.state.processors) machine.processor(id).set('APIC_SVR', 0x1ffn);
  return machine;
}
const get = (machine: Machine, offset: number) => load(machine, BASE + offset);
const set = (machine: Machine, offset: number, value: number) => store(machine, BASE + offset, value);
function x2Apic(options: Partial<MachineOptions> = {}): Machine {
  const machine = make(options);
  for (const { id } of machine.state.processors) machine.processor(id).wrmsr(APIC_BASE, 0xfee0_0c00n);
  return machine;
}
/** Vectors that wait in the IRR of a processor. */
const waiting = (machine: Machine, id = 0): readonly number[] =>
  Array.from({ length: 256 }, (_, vector) => vector).filter(
    (vector) => ((machine.processor(id).read(`APIC_IRR${vector >> 5}`) >> BigInt(vector & 31)) & 1n) === 1n,
  );
const accepted = (machine: Machine) => machine.state.processors.map(({ id }) => waiting(machine, id).length);
const value = (outcome: object) => ('value' in outcome ? outcome.value : outcome);

describe('the error status register', () => {
  it('shows the errors since its last write, once', () => {
    const machine = make();
    set(machine, ICR, SELF | 0x0f);
    get(machine, 0x40);
    expect(get(machine, ESR)).toBe(0);
    set(machine, ESR, 0);
    expect(get(machine, ESR)).toBe(ILLEGAL.send | ILLEGAL.register);
    set(machine, ESR, 0xff);
    expect(get(machine, ESR)).toBe(0);
  });

  it('has an error in a local entry when that is to be delivered, and interrupts for the first of each kind', () => {
    const machine = make();
    set(machine, ERROR, 0x60);
    set(machine, TIMER, 0x0f);
    set(machine, DIVIDE, 0xb);
    set(machine, INITIAL, 1);
    machine.processor(0).step(3);
    expect(waiting(machine)).toEqual([0x60]);
    set(machine, ESR, 0);
    expect(get(machine, ESR)).toBe(ILLEGAL.receive);
  });
});

describe('priorities', () => {
  it('of the processor are the higher class of task and service; equal classes give the task priority', () => {
    const machine = make();
    const cpu = machine.processor(0);
    for (const [task, inService, expected] of [
      [0x35, 0x00, 0x35],
      [0x35, 0x31, 0x35],
      [0x35, 0x52, 0x50],
      [0x52, 0x31, 0x52],
    ] as const) {
      for (let index = 0; index < 8; index++) cpu.set(`APIC_ISR${index}`, 0n);
      if (inService !== 0) cpu.set(`APIC_ISR${inService >> 5}`, 1n << BigInt(inService & 31));
      set(machine, TPR, task);
      expect(get(machine, PPR)).toBe(expected);
    }
  });

  it('let an interrupt through in the run in which MOV to CR8 lowers them', () => {
    const machine = make();
    const cpu = machine.processor(0);
    // sti; xor eax, eax; mov cr8, rax; then NOP
    machine.writeMemory(Number(cpu.read('RIP')), Uint8Array.from(hex('fb 90 31 c0 44 0f 22 c0')));
    set(machine, TPR, 0xf0);
    set(machine, ICR, SELF | 0x40);
    machine.run({ maxSteps: 5 });
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER));
  });
});

describe('a local APIC that software disables', () => {
  it('masks every local entry, and lets nobody unmask one', () => {
    const machine = make();
    set(machine, LINT0, 0x700);
    set(machine, SVR, 0xff);
    expect([get(machine, LINT0), get(machine, LINT1)]).toEqual([0x700 | MASK, 0x400 | MASK]);
    set(machine, LINT0, 0x700);
    expect(get(machine, LINT0)).toBe(0x700 | MASK);
    set(machine, SVR, 0x1ff);
    expect(get(machine, LINT0)).toBe(0x700 | MASK);
    set(machine, LINT0, 0x700);
    expect(get(machine, LINT0)).toBe(0x700);
  });

  it('accepts no vector, and still gives those that it had accepted; NMI comes through', () => {
    const machine = make();
    const cpu = machine.processor(0);
    set(machine, ICR, SELF | 0x44);
    set(machine, SVR, 0xff);
    set(machine, ICR, SELF | 0x55);
    expect(waiting(machine)).toEqual([0x44]);
    cpu.set('RFLAGS', 0x202n);
    expect(cpu.step()).toMatchObject({ vector: 0x44 });
    set(machine, ICR_HIGH, 0);
    set(machine, ICR, 0x400);
    expect(cpu.step()).toMatchObject({ event: 'NMI' });
  });
});

describe('the registers in the page', () => {
  it('keep what software may write', () => {
    const machine = make();
    for (const [register, expected] of [
      [TPR, 0xff],
      [LDR, 0xff00_0000],
      [DFR, 0xffff_ffff],
      [SVR, 0x11ff],
      [ICR_HIGH, 0xff00_0000],
      [TIMER, 0x7_00ff],
      [LINT0, 0x1_a7ff],
      [ERROR, 0x1_00ff],
      [DIVIDE, 0xb],
      [ID, 0xff00_0000],
    ] as const) {
      set(machine, register, 0xffff_ffff);
      expect([register, get(machine, register)]).toEqual([register, expected]);
    }
    set(machine, DFR, 0);
    expect(get(machine, DFR)).toBe(0x0fff_ffff);
  });

  it('are as after reset when the local APIC was disabled, with the ID that CPUID reports', () => {
    const machine = make({ processors: 2 });
    const cpu = machine.processor(0);
    set(machine, ID, 0x0500_0000);
    for (const register of [TPR, LDR, LINT0]) set(machine, register, 0x0100_0020);
    cpu.wrmsr(APIC_BASE, 0xfee0_0000n);
    expect([get(machine, ID), cpu.read('CR8')]).toEqual([0xffff_ffff, 0n]);
    cpu.wrmsr(APIC_BASE, 0xfee0_0800n);
    expect([ID, TPR, LDR, SVR, LINT0].map((register) => get(machine, register))).toEqual([0, 0, 0, 0xff, MASK]);
  });

  it('move with their page, which hides what lies there', () => {
    const machine = make();
    machine.processor(0).wrmsr(APIC_BASE, 0x50_0800n);
    expect([load(machine, 0x50_0030) & 0xff, get(machine, 0x30)]).toEqual([0x14, 0xffff_ffff]);
  });
});

describe('x2APIC mode', () => {
  it('refuses reserved bits, read-only registers and those that it has not', () => {
    const cpu = x2Apic().processor(0);
    const write = (msr: number, what: bigint) => cpu.wrmsr(msr, what);
    for (const [msr, what] of [
      [0x808, 0x100n],
      [0x80b, 1n],
      [0x80f, 0x200n],
      [0x828, 1n],
      [0x830, 0x1_0000n],
      [0x832, 0x8_0000n],
      [0x83e, 4n],
      [0x83f, 0x100n],
      [0x808, 1n << 32n],
      [0x802, 0n],
      [0x80d, 0n],
      [0x80e, 0n],
      [0x831, 0n],
      [0x839, 0n],
    ] as const)
      expect([msr, write(msr, what)]).toMatchObject([msr, { kind: 'fault', vector: '#GP' }]);
    for (const msr of [0x80b, 0x80e, 0x831, 0x83f])
      expect([msr, cpu.rdmsr(msr)]).toMatchObject([msr, { kind: 'fault', vector: '#GP' }]);
    expect(write(0x835, 0x1_f7ffn)).toEqual({ kind: 'completed' }); // delivery status and remote IRR are read-only
    expect(value(cpu.rdmsr(0x835))).toBe(0x1_a7ffn);
  });

  it('has IDs of 32 bits, and logical ones that follow from them', () => {
    const machine = x2Apic({ processors: 18 });
    for (const [id, logical] of [
      [3, 0x0008n],
      [17, 0x1_0002n],
    ] as const) {
      const cpu = machine.processor(id);
      expect([value(cpu.rdmsr(0x802)), value(cpu.rdmsr(0x80d))]).toEqual([BigInt(id), logical]);
    }
  });

  it('sends to itself through its own register', () => {
    const machine = x2Apic();
    machine.processor(0).wrmsr(0x83f, 0x77n);
    expect(waiting(machine)).toEqual([0x77]);
  });

  it.each([
    { to: 'one', icr: 0x2_0000_0040n, expected: [0, 0, 1, 0] },
    { to: 'all', icr: 0xffff_ffff_0000_0040n, expected: [1, 1, 1, 1] },
    { to: 'a cluster', icr: 0x0000_000a_0000_0840n, expected: [0, 1, 0, 1] },
    { to: 'another cluster', icr: 0x0001_000f_0000_0840n, expected: [0, 0, 0, 0] },
    { to: 'all but itself', icr: 0xc_0040n, expected: [0, 1, 1, 1] },
    { to: 'nobody', icr: 0xff_0000_0040n, expected: [0, 0, 0, 0] },
  ])('sends to $to with one write of 64 bits', ({ icr, expected }) => {
    const machine = x2Apic({ processors: 4 });
    machine.processor(0).wrmsr(0x830, icr);
    expect([accepted(machine), value(machine.processor(0).rdmsr(0x830))]).toEqual([expected, icr]);
  });
});

describe('the destination of an interrupt', () => {
  const [PHYSICAL, LOGICAL, LOWEST] = [0, 0x800, 0x900];

  it.each([
    { title: 'an ID', command: PHYSICAL, destination: 2, expected: [0, 0, 1, 0] },
    { title: 'all by ID', command: PHYSICAL, destination: 0xff, expected: [1, 1, 1, 1] },
    { title: 'flat logical IDs', command: LOGICAL, destination: 0x0a, expected: [0, 1, 0, 1] },
    { title: 'all by logical ID', command: LOGICAL, destination: 0xff, expected: [1, 1, 1, 1] },
    { title: 'the idlest', command: LOWEST, destination: 0x07, expected: [0, 1, 0, 0] },
  ])('is $title', ({ command, destination, expected }) => {
    const machine = make({ processors: 4 });
    for (const id of [0, 1, 2, 3]) machine.processor(id).set('APIC_LDR', BigInt(1 << id) << 24n);
    machine.processor(0).set('APIC_TPR', 0x50n);
    machine.processor(2).set('APIC_TPR', 0x30n);
    set(machine, ICR_HIGH, destination << 24);
    set(machine, ICR, command | 0x40);
    expect(accepted(machine)).toEqual(expected);
  });

  it('is a cluster and members of it in the cluster model', () => {
    const machine = make({ processors: 4 });
    for (const [id, own] of [0x11, 0x12, 0x14, 0x22].entries()) {
      machine.processor(id).set('APIC_DFR', 0x0fff_ffffn);
      machine.processor(id).set('APIC_LDR', BigInt(own) << 24n);
    }
    set(machine, ICR_HIGH, 0x16 << 24);
    set(machine, ICR, LOGICAL | 0x40);
    expect(accepted(machine)).toEqual([0, 1, 1, 0]);
  });

  it('follows an ID that software writes', () => {
    const machine = make({ processors: 2 });
    machine.processor(1).set('APIC_ID', 0x0900_0000n);
    for (const id of [1, 9]) {
      set(machine, ICR_HIGH, id << 24);
      set(machine, ICR, 0x40 + id);
    }
    expect(waiting(machine, 1)).toEqual([0x49]);
  });

  it('passes over those that software disabled when the idlest is sought', () => {
    const machine = make({ processors: 2 });
    for (const id of [0, 1]) machine.processor(id).set('APIC_LDR', 0x0100_0000n);
    machine.processor(0).set('APIC_TPR', 0x50n);
    machine.processor(1).set('APIC_SVR', 0xffn);
    set(machine, ICR_HIGH, 1 << 24);
    set(machine, ICR, LOWEST | 0x60);
    expect(accepted(machine)).toEqual([1, 0]);
  });
});

describe('the timer', () => {
  it('goes on from where it is when one-shot and periodic mode change, and stays stopped once it is', () => {
    const machine = make();
    const cpu = machine.processor(0);
    set(machine, DIVIDE, 0xb);
    set(machine, TIMER, MASK | 0x40);
    set(machine, INITIAL, 1000);
    cpu.step(600);
    set(machine, TIMER, MASK | 0x2_0040);
    expect(get(machine, CURRENT)).toBe(398);
    cpu.step(600);
    expect([get(machine, CURRENT), get(machine, INITIAL)]).toEqual([797, 1000]);
    set(machine, TIMER, MASK | 0x40);
    cpu.step(900);
    expect(get(machine, CURRENT)).toBe(0);
    set(machine, TIMER, MASK | 0x2_0040);
    expect(get(machine, CURRENT)).toBe(0);
  });

  it('is disarmed by the way to TSC-deadline mode and back, and ignores what is not of its mode', () => {
    const machine = make();
    const cpu = machine.processor(0);
    cpu.wrmsr(TSC_DEADLINE, 1n << 40n);
    expect(value(cpu.rdmsr(TSC_DEADLINE))).toBe(0n);
    set(machine, INITIAL, 1000);
    set(machine, TIMER, 0x4_0040);
    set(machine, INITIAL, 1000);
    expect(get(machine, CURRENT)).toBe(0);
    cpu.wrmsr(TSC_DEADLINE, 1n << 40n);
    expect(value(cpu.rdmsr(TSC_DEADLINE))).toBe(1n << 40n);
    set(machine, TIMER, 0x40);
    set(machine, TIMER, 0x4_0040);
    expect(value(cpu.rdmsr(TSC_DEADLINE))).toBe(0n);
  });

  it('fires at a deadline that is past, and reads as disarmed then', () => {
    const machine = make();
    const cpu = machine.processor(0);
    set(machine, TIMER, 0x4_0040);
    cpu.wrmsr(TSC_DEADLINE, 1n);
    cpu.step();
    expect([waiting(machine), value(cpu.rdmsr(TSC_DEADLINE))]).toEqual([[0x40], 0n]);
  });

  it('keeps a deadline in time stamps that no run reaches, and reads it back', () => {
    const machine = make();
    const cpu = machine.processor(0);
    set(machine, TIMER, 0x4_0040);
    cpu.wrmsr(TSC_DEADLINE, (1n << 64n) - 1n);
    expect(value(cpu.rdmsr(TSC_DEADLINE))).toBe((1n << 64n) - 1n);
    machine.run({ maxSteps: 10 });
    expect(waiting(machine)).toEqual([]);
  });

  it.each([
    ['IA32_TSC_ADJUST', 0x3b],
    ['IA32_TIME_STAMP_COUNTER', 0x10],
  ])('fires when a write to %s moves the time-stamp counter over the deadline', (_name, address) => {
    const machine = make();
    const cpu = machine.processor(0);
    set(machine, TIMER, 0x4_0040);
    cpu.wrmsr(TSC_DEADLINE, 1n << 40n);
    cpu.step();
    expect([waiting(machine), value(cpu.rdmsr(TSC_DEADLINE))]).toEqual([[], 1n << 40n]);
    cpu.wrmsr(address, 1n << 40n);
    cpu.step();
    expect([waiting(machine), value(cpu.rdmsr(TSC_DEADLINE))]).toEqual([[0x40], 0n]);
  });
});
