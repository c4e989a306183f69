// Loads of segment registers against a GDT of all kinds of descriptors.
import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { hex, machineWith } from '../support/booted-machine.js';

const GDT = 0x2_0000;
/** Selector to descriptor. */
const DESCRIPTORS: Readonly<Record<number, bigint>> = {
  8: 0x00af_9a00_0000_ffffn, // 64-bit code
  16: 0x00cf_9200_0000_ffffn, // data
  24: 0x00cf_9800_0000_ffffn, // code, execute-only
  32: 0x00cf_9a00_0000_ffffn, // code, readable
  40: 0x00cf_9000_0000_ffffn, // data, read-only
  48: 0x00cf_1200_0000_ffffn, // data, not present
  56: 0x00cf_f200_0000_ffffn, // data, DPL 3
  64: 0x00cf_9e00_0000_ffffn, // code, readable, conforming
  72: 0x1240_9234_5678_0fffn, // data at 12345678H, limit FFFH
  80: 0x0000_8900_0000_0067n, // TSS, available
  88: 0n, // its upper half
  96: 0x0000_8b00_0000_0067n, // TSS, busy
  104: 0n,
  112: 0x0000_0900_0000_0067n, // TSS, not present
  120: 0n,
  128: 0x0000_8200_0000_0fffn, // LDT
  136: 0xffff_8000n,
};
const LIMIT = 0x8f;

/** Exceptions are seen and not delivered. */
const seeExceptions = definePlugin({
  name: 'observer',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'observer/raised' }) },
});

function machineRunning(code: string): Machine {
  const machine = machineWith(hex(code), { plugins: [seeExceptions] });
  const bytes = new DataView(new ArrayBuffer(LIMIT + 1));
  for (const [selector, descriptor] of Object.entries(DESCRIPTORS))
    bytes.setBigUint64(Number(selector), descriptor, true);
  machine.writeMemory(GDT, new Uint8Array(bytes.buffer));
  machine.processor(0).set('GDTR.base', BigInt(GDT));
  machine.processor(0).set('GDTR.limit', BigInt(LIMIT));
  machine.processor(0).set('LDTR.attributes', 0x1_0000n);
  return machine;
}

const byteOf = (selector: number, byte: number, machine: Machine): number | undefined =>
  machine.readMemory(GDT + selector + byte, 1)[0];

function load(code: string, selector: number, cpl = 0): { outcome: unknown; machine: Machine } {
  const machine = machineRunning(code);
  machine.processor(0).set('RAX', BigInt(selector));
  if (cpl === 3) machine.processor(0).set('SS.attributes', 0xc0f3n);
  return { outcome: machine.processor(0).step(), machine };
}

const raised = (vector: '#GP' | '#NP' | '#SS' | '#UD', errorCode: number, rule: string) => ({
  ...fault(vector, { errorCode, rule: `core.${rule}` }),
  kind: 'observer/raised',
});
const DS = '8e d8';
const SS = '8e d0';

describe('MOV to DS', () => {
  it.each([
    ['a selector beyond the table', 0x90, 0, raised('#GP', 0x90, 'segment-load.limit')],
    ['execute-only code', 0x18, 0, raised('#GP', 0x18, 'segment-load.type')],
    ['a system segment', 0x50, 0, raised('#GP', 0x50, 'segment-load.type')],
    ['an RPL above DPL', 0x13, 0, raised('#GP', 0x10, 'segment-load.dpl')],
    ['a CPL above DPL', 0x10, 3, raised('#GP', 0x10, 'segment-load.dpl')],
    ['a segment that is not present', 0x30, 0, raised('#NP', 0x30, 'segment-load.present')],
    ['a selector of an LDT that is not there', 0x14, 0, raised('#GP', 0x14, 'segment-load.limit')],
  ])('refuses %s', (_what, selector, cpl, outcome) => {
    expect(load(DS, selector, cpl).outcome).toEqual(outcome);
  });

  it.each([
    ['data', 0x10, 0],
    ['read-only data', 0x28, 0],
    ['readable code', 0x20, 0],
    ['data of DPL 3 at CPL 3', 0x3b, 3],
    ['conforming code at any level', 0x43, 3],
  ])('takes %s', (_what, selector, cpl) => {
    expect(load(DS, selector, cpl).outcome).toEqual({ kind: 'completed' });
  });

  it('loads base, limit and access rights, and sets the accessed bit', () => {
    const { machine } = load(DS, 0x48);
    expect(machine.state.processors[0]?.segments.DS).toEqual({
      selector: 0x48n,
      base: 0x1234_5678n,
      limit: 0xfffn,
      attributes: 0x4093n,
    });
    expect(byteOf(0x48, 5, machine)).toBe(0x93);
  });

  it('makes the register unusable with a null selector', () => {
    const { machine } = load(DS, 3);
    expect(machine.state.processors[0]?.segments.DS).toEqual({
      selector: 3n,
      base: 0n,
      limit: 0n,
      attributes: 0x1_0000n,
    });
  });
});

describe('MOV to SS', () => {
  it.each([
    ['an RPL other than CPL', 0x13, 0, raised('#GP', 0x10, 'segment-load.ss-rpl')],
    ['read-only data', 0x28, 0, raised('#GP', 0x28, 'segment-load.ss-type')],
    ['code', 0x20, 0, raised('#GP', 0x20, 'segment-load.ss-type')],
    ['a DPL other than CPL', 0x38, 0, raised('#GP', 0x38, 'segment-load.ss-dpl')],
    ['a segment that is not present', 0x30, 0, raised('#SS', 0x30, 'segment-load.ss-present')],
    ['a null selector at CPL 3', 3, 3, raised('#GP', 0, 'segment-load.ss-null')],
  ])('refuses %s', (_what, selector, cpl, outcome) => {
    expect(load(SS, selector, cpl).outcome).toEqual(outcome);
  });

  it('takes a null selector at CPL 0 in 64-bit mode', () => {
    expect(load(SS, 0).outcome).toEqual({ kind: 'completed' });
  });

  it('holds interrupts back for one instruction', () => {
    const machine = machineRunning(`${SS} 90 90`);
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x10n);
    cpu.step();
    expect(cpu.read('interruptShadow')).toBe(2n);
    cpu.step();
    expect(cpu.read('interruptShadow')).toBe(0n);
  });
});

describe('segment registers on the stack', () => {
  it('are pushed zero-extended and popped', () => {
    const machine = machineRunning('0f a0 0f a9 f4'); // push fs; pop gs; hlt
    const cpu = machine.processor(0);
    cpu.set('FS.selector', 0x48n);
    cpu.step();
    expect(machine.readMemory(0x7ff8, 8)).toEqual(Uint8Array.from([0x48, 0, 0, 0, 0, 0, 0, 0]));
    cpu.step();
    expect(cpu.read('GS.base')).toBe(0x1234_5678n);
    expect(cpu.read('RSP')).toBe(0x8000n);
  });
});

describe('the task register', () => {
  const LTR = '0f 00 d8';

  it.each([
    ['a null selector', 0, raised('#GP', 0, 'ltr.null')],
    ['a selector of the LDT', 0x54, raised('#GP', 0x54, 'ltr.table')],
    ['a descriptor beyond the GDT', 0x90, raised('#GP', 0x90, 'ltr.limit')],
    ['a busy TSS', 0x60, raised('#GP', 0x60, 'ltr.type')],
    ['a TSS that is not present', 0x70, raised('#NP', 0x70, 'ltr.present')],
  ])('refuses %s', (_what, selector, outcome) => {
    expect(load(LTR, selector).outcome).toEqual(outcome);
  });

  it('takes an available TSS and marks it busy', () => {
    const { machine } = load(LTR, 0x50);
    expect(machine.state.processors[0]?.segments.TR).toEqual({
      selector: 0x50n,
      base: 0n,
      limit: 0x67n,
      attributes: 0x8bn,
    });
    expect(byteOf(0x50, 5, machine)).toBe(0x8b);
  });

  it('is privileged', () => {
    expect(load(LTR, 0x50, 3).outcome).toEqual(raised('#GP', 0, 'ltr.cpl'));
  });
});

describe('the local descriptor table register', () => {
  it('takes an LDT with a base of 64 bits, and a null selector', () => {
    const machine = machineRunning('0f 00 d0 31 c0 0f 00 d0 f4'); // lldt ax; xor eax, eax; lldt ax; hlt
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x80n);
    cpu.step();
    expect(machine.state.processors[0]?.segments.LDTR).toEqual({
      selector: 0x80n,
      base: 0xffff_8000_0000_0000n,
      limit: 0xfffn,
      attributes: 0x82n,
    });
    cpu.step(2);
    expect(cpu.read('LDTR.attributes')).toBe(0x1_0000n);
  });
});
