// MOV to control registers: each rule from a state that violates it alone, and from the nearest state that does not.
import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { bootedMachine, hex, machineWith } from '../support/booted-machine.js';

const bit = (...numbers: readonly number[]): bigint =>
  numbers.reduce((mask, number) => mask | (1n << BigInt(number)), 0n);
const [PE, MP, ET, NE, WP, NW, CD, PG] = [0, 1, 4, 5, 16, 29, 30, 31] as const;
const [PAE, LA57, VMXE, PCIDE, OSXSAVE, CET] = [5, 12, 13, 17, 18, 23] as const;
const [LME, LMA] = [8, 10] as const;
const LONG_CR0 = bit(PE, ET, NE, WP, PG);

type Registers = Readonly<Record<string, bigint>>;

interface Scenario {
  readonly rule: string;
  readonly register: 'Cr0' | 'Cr3' | 'Cr4' | 'Cr8';
  readonly state?: Registers;
  readonly value: bigint;
  /** The nearest state and value that pass. */
  readonly passes: { readonly state?: Registers; readonly value?: bigint };
}

const PROTECTED = { CR0: bit(PE, ET), CR4: bit(PAE), IA32_EFER: bit(LME), 'CS.attributes': 0xc09bn };

const SCENARIOS: readonly Scenario[] = [
  { rule: 'cr0-high-bits', register: 'Cr0', value: LONG_CR0 | bit(32), passes: { value: LONG_CR0 } },
  { rule: 'cr0-pg-pe', register: 'Cr0', value: LONG_CR0 & ~bit(PE), passes: { value: LONG_CR0 } },
  { rule: 'cr0-nw-cd', register: 'Cr0', value: LONG_CR0 | bit(NW), passes: { value: LONG_CR0 | bit(NW, CD) } },
  {
    rule: 'cr0-lme-pae',
    register: 'Cr0',
    state: { ...PROTECTED, CR4: 0n },
    value: bit(PE, ET, PG),
    passes: { state: PROTECTED },
  },
  {
    rule: 'cr0-lme-cs-l',
    register: 'Cr0',
    state: { ...PROTECTED, 'CS.attributes': 0xa09bn },
    value: bit(PE, ET, PG),
    passes: { state: PROTECTED },
  },
  {
    rule: 'cr0-lme-tr',
    register: 'Cr0',
    state: { ...PROTECTED, 'TR.attributes': 0x83n },
    value: bit(PE, ET, PG),
    passes: { state: { ...PROTECTED, 'TR.attributes': 0x8bn } },
  },
  {
    rule: 'cr0-pg-64-bit',
    register: 'Cr0',
    value: LONG_CR0 & ~bit(PG),
    passes: { state: { 'CS.attributes': 0xc09bn } },
  },
  {
    rule: 'cr0-pg-pcide',
    register: 'Cr0',
    state: { 'CS.attributes': 0xc09bn, CR4: bit(PAE, PCIDE) },
    value: LONG_CR0 & ~bit(PG),
    passes: { state: { 'CS.attributes': 0xc09bn, CR4: bit(PAE) } },
  },
  { rule: 'cr3-reserved', register: 'Cr3', value: bit(46), passes: { value: bit(45) } },
  { rule: 'cr3-reserved', register: 'Cr3', value: bit(63), passes: { state: { CR4: bit(PAE, PCIDE) } } },
  { rule: 'cr4-reserved', register: 'Cr4', value: bit(PAE, VMXE), passes: { value: bit(PAE) } },
  { rule: 'cr4-reserved', register: 'Cr4', value: bit(PAE, CET), passes: { value: bit(PAE, OSXSAVE) } },
  {
    rule: 'cr4-pae-long-mode',
    register: 'Cr4',
    value: 0n,
    passes: { state: { CR0: bit(PE, ET), IA32_EFER: bit(LME), 'CS.attributes': 0xc09bn } },
  },
  {
    rule: 'cr4-la57-long-mode',
    register: 'Cr4',
    value: bit(PAE, LA57),
    passes: { state: { CR0: bit(PE, ET), IA32_EFER: bit(LME), 'CS.attributes': 0xc09bn } },
  },
  {
    rule: 'cr4-pcide-long-mode',
    register: 'Cr4',
    state: { CR0: bit(PE, ET), CR3: 0n, IA32_EFER: 0n, 'CS.attributes': 0xc09bn },
    value: bit(PAE, PCIDE),
    passes: { state: { CR3: 0n } },
  },
  {
    rule: 'cr4-pcide-cr3',
    register: 'Cr4',
    state: { CR3: 0x1018n },
    value: bit(PAE, PCIDE),
    passes: { state: { CR3: 0x1000n } },
  },
  { rule: 'cr8-reserved', register: 'Cr8', value: 0x10n, passes: { value: 0xfn } },
];

function machineIn(state: Registers = {}): Machine {
  const machine = bootedMachine();
  for (const [register, value] of Object.entries(state)) machine.processor(0).set(register, value);
  return machine;
}

const move = (machine: Machine, register: Scenario['register'], value: bigint) =>
  machine.processor(0)[`movTo${register}`](value);

describe('MOV to a control register', () => {
  it.each(SCENARIOS)('$register: $rule', ({ rule, register, state, value, passes }) => {
    const machine = machineIn(state);
    const before = machine.processor(0).read(register.toUpperCase());
    expect(move(machine, register, value)).toEqual(fault('#GP', { errorCode: 0, rule: `core.mov-cr.${rule}` }));
    expect(machine.processor(0).read(register.toUpperCase())).toBe(before);
    expect(move(machineIn(passes.state ?? state), register, passes.value ?? value)).toEqual({ kind: 'completed' });
  });

  it('is #GP(0) above CPL 0', () => {
    const machine = machineIn({ 'SS.attributes': 0xc0f3n, 'CS.attributes': 0xa0fbn });
    const rule = 'core.mov-cr.cpl';
    expect(machine.processor(0).movToCr3(0n)).toEqual(fault('#GP', { errorCode: 0, rule }));
    expect(machine.processor(0).movFromCr0()).toEqual(fault('#GP', { errorCode: 0, rule }));
  });

  it('is #UD for CR1', () => {
    const outcome = machineWith(hex('0f 20 c8')).processor(0).step();
    expect(outcome).toMatchObject({ kind: 'shutdown', rule: 'core.decode.undefined-opcode' });
  });

  it('reads back what was written: ET is 1, reserved bits of CR0 are 0, bit 63 of CR3 is not stored', () => {
    const cpu = machineIn({ CR4: bit(PAE, PCIDE) }).processor(0);
    cpu.movToCr0((LONG_CR0 & ~bit(ET)) | bit(MP, 6));
    expect(cpu.movFromCr0()).toMatchObject({ value: LONG_CR0 | bit(MP) });
    cpu.movToCr3(bit(63) | 0x1005n);
    expect(cpu.movFromCr3()).toMatchObject({ value: 0x1005n });
    cpu.movToCr2(0x1234_5678_9abc_def0n);
    expect(cpu.movFromCr2()).toMatchObject({ value: 0x1234_5678_9abc_def0n });
  });

  it('activates IA-32e mode with paging, and leaves it with paging', () => {
    const machine = machineIn(PROTECTED);
    const cpu = machine.processor(0);
    cpu.movToCr0(bit(PE, ET, PG));
    expect(cpu.read('IA32_EFER')).toBe(bit(LME, LMA));
    cpu.movToCr0(bit(PE, ET));
    expect(cpu.read('IA32_EFER')).toBe(bit(LME));
  });

  it('takes a bit of CR4 that a plugin brings, and asks the plugin before it changes', () => {
    const asked: boolean[] = [];
    const plugin = definePlugin({
      name: 'extension',
      version: '1.0.0',
      apiVersion: 1,
      registerBits: [{ register: 'CR4', name: 'VMXE', bit: VMXE, beforeChange: (_cpu, set) => void asked.push(set) }],
    });
    const cpu = bootedMachine({ plugins: [plugin] }).processor(0);
    expect(cpu.movToCr4(bit(PAE, VMXE))).toEqual({ kind: 'completed' });
    cpu.movToCr4(bit(PAE, VMXE));
    cpu.movToCr4(bit(PAE));
    expect(asked).toEqual([true, false]);
  });

  it('tells plugins of each access', () => {
    const accesses: unknown[] = [];
    const plugin = definePlugin({
      name: 'observer',
      version: '1.0.0',
      apiVersion: 1,
      intercepts: { controlRegister: (_cpu, access) => void accesses.push(access) },
    });
    const cpu = bootedMachine({ plugins: [plugin] }).processor(0);
    cpu.movToCr8(3);
    cpu.movFromCr8();
    expect(accesses).toEqual([
      { register: 'CR8', write: true, value: 3n },
      { register: 'CR8', write: false, value: 3n },
    ]);
  });
});

describe('the machine status word', () => {
  it('is stored by SMSW and loaded by LMSW, which sets PE and cannot clear it', () => {
    // smsw eax; xor eax, eax; lmsw ax; mov eax, 0fh; lmsw ax; clts; hlt
    const machine = machineWith(hex('0f 01 e0 31 c0 0f 01 f0 b8 0f 00 00 00 0f 01 f0 0f 06 f4'));
    const cpu = machine.processor(0);
    cpu.step();
    expect(cpu.read('RAX')).toBe(LONG_CR0);
    cpu.step(2);
    expect(cpu.read('CR0')).toBe(LONG_CR0);
    cpu.step(2);
    expect(cpu.read('CR0') & 0xfn).toBe(0xfn);
    cpu.step();
    expect(cpu.read('CR0') & 0xfn).toBe(0x7n);
  });
});
