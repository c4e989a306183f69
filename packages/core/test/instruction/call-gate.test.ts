// Far CALL and JMP through call gates, and the RET that comes back.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import {
  doublewords,
  type GateFields,
  gateOf,
  HANDLER,
  KERNEL_STACK,
  protectedMachine,
  quad,
  SELECTOR,
  USER_STACK,
  words,
  writeDescriptor,
} from '../support/protected-machine.js';

const CALL = '9a 00 00 00 00 5b 00'; // call 58H|3:0
const JMP = 'ea 00 00 00 00 5b 00';

function machineWithGate(code: string, cpl: 0 | 3, fields: GateFields): Machine {
  const machine = protectedMachine(code, cpl);
  writeDescriptor(machine, SELECTOR.gate, gateOf({ type: 0xc, ...fields }));
  return machine;
}

const registers = (machine: Machine, ...names: readonly string[]): bigint[] =>
  names.map((name) => machine.processor(0).read(name));

describe('CALL through a 32-bit gate', () => {
  it('to an inner level copies parameters to the new stack, and RETF releases them on both', () => {
    const machine = machineWithGate(CALL, 3, { parameters: 2 });
    machine.writeMemory(HANDLER, Uint8Array.from(hex('ca 08 00'))); // retf 8
    machine.writeMemory(USER_STACK - 8, Uint8Array.from(quad(0x2222_2222_1111_1111n)));
    const cpu = machine.processor(0);
    cpu.set('RSP', BigInt(USER_STACK - 8));
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'RIP', 'CS.selector', 'SS.selector', 'RSP')).toEqual([
      BigInt(HANDLER),
      BigInt(SELECTOR.code0),
      BigInt(SELECTOR.data0),
      BigInt(KERNEL_STACK - 24),
    ]);
    expect(doublewords(machine, KERNEL_STACK - 24, 6)).toEqual([
      CODE + 7,
      SELECTOR.code3 | 3,
      0x1111_1111,
      0x2222_2222,
      USER_STACK - 8,
      SELECTOR.data3 | 3,
    ]);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'RIP', 'CS.selector', 'SS.selector', 'RSP')).toEqual([
      BigInt(CODE + 7),
      BigInt(SELECTOR.code3 | 3),
      BigInt(SELECTOR.data3 | 3),
      BigInt(USER_STACK),
    ]);
  });

  it('at the same level pushes CS and EIP alone', () => {
    const machine = machineWithGate(CALL, 0, { parameters: 2 });
    machine.processor(0).step();
    expect(registers(machine, 'RIP', 'RSP')).toEqual([BigInt(HANDLER), BigInt(KERNEL_STACK - 8)]);
    expect(doublewords(machine, KERNEL_STACK - 8, 2)).toEqual([CODE + 7, SELECTOR.code0]);
  });

  it('to conforming code keeps level and stack', () => {
    const machine = machineWithGate(CALL, 3, { selector: SELECTOR.conforming });
    machine.processor(0).step();
    expect(registers(machine, 'CS.selector', 'RSP')).toEqual([BigInt(SELECTOR.conforming | 3), BigInt(USER_STACK - 8)]);
  });
});

describe('CALL through a 16-bit gate', () => {
  it('pushes and copies words, and takes the low word of the offset', () => {
    const machine = machineWithGate(CALL, 3, { type: 4, parameters: 1, offset: 0x1234_5678 });
    machine.writeMemory(USER_STACK - 2, Uint8Array.of(0xaa, 0xbb));
    machine.processor(0).set('RSP', BigInt(USER_STACK - 2));
    machine.processor(0).step();
    expect(registers(machine, 'RIP', 'RSP')).toEqual([0x5678n, BigInt(KERNEL_STACK - 10)]);
    expect(words(machine, KERNEL_STACK - 10, 5)).toEqual([
      (CODE + 7) & 0xffff,
      SELECTOR.code3 | 3,
      0xbbaa,
      USER_STACK - 2,
      SELECTOR.data3 | 3,
    ]);
  });
});

describe('JMP through a call gate', () => {
  it('goes to code of its own level and pushes nothing', () => {
    const machine = machineWithGate(JMP, 0, {});
    machine.processor(0).step();
    expect(registers(machine, 'RIP', 'RSP', 'CS.selector')).toEqual([
      BigInt(HANDLER),
      BigInt(KERNEL_STACK),
      BigInt(SELECTOR.code0),
    ]);
  });

  it('does not go to an inner level', () => {
    const { chain } = machineWithGate(JMP, 3, {}).processor(0).step() as { chain?: readonly unknown[] };
    expect(chain?.[0]).toEqual({
      kind: 'fault',
      vector: '#GP',
      errorCode: SELECTOR.code0,
      rule: 'core.call-gate.target-dpl',
    });
  });
});

describe('a call gate is refused', () => {
  it.each([
    ['with a DPL below CPL', { dpl: 0 }, '#GP', SELECTOR.gate, 'core.call-gate.dpl'],
    ['that is not present', { present: false }, '#NP', SELECTOR.gate, 'core.call-gate.present'],
    ['that is an interrupt gate', { type: 0xe }, '#GP', SELECTOR.gate, 'core.far-transfer.type'],
    ['with a null selector', { selector: 0 }, '#GP', 0, 'core.call-gate.target-null'],
    ['with a selector beyond the GDT', { selector: SELECTOR.beyond }, '#GP', 0x100, 'core.call-gate.target-limit'],
    ['that leads to data', { selector: SELECTOR.data0 }, '#GP', SELECTOR.data0, 'core.call-gate.target-type'],
    ['to code not present', { selector: SELECTOR.absentCode }, '#NP', 0x30, 'core.call-gate.target-present'],
    ['with an offset beyond the limit', { selector: SELECTOR.shortCode }, '#GP', 0, 'core.far-transfer.offset'],
  ])('%s', (_what, fields, vector, errorCode, rule) => {
    const machine = machineWithGate(CALL, 3, fields);
    const { chain } = machine.processor(0).step() as { chain?: readonly unknown[] };
    expect(chain?.[0]).toEqual({ kind: 'fault', vector, errorCode, rule });
    expect(registers(machine, 'RIP', 'RSP')).toEqual([BigInt(CODE), BigInt(USER_STACK)]);
  });
});

describe('CALL through a 64-bit gate', () => {
  const GDT = 0x2_0000;
  const LONG_CODE = 0x00af_9b00_0000_ffffn;
  const LONG_USER_CODE = 0x00af_fb00_0000_ffffn;

  /** At CPL 3, with a gate to 64-bit code of level 0; CALL m16:64 with the far pointer behind the code. */
  function longMachine(upper: bigint, code = LONG_CODE): Machine {
    const machine = machineWith(hex('48 ff 1d 01 00 00 00 90 00 00 00 00 00 00 00 00 23 00'));
    const descriptors = [code, 0x00cf_f300_0000_ffffn, LONG_USER_CODE, gateOf({ type: 0xc, selector: 8 }), upper];
    machine.writeMemory(GDT + 8, Uint8Array.from(descriptors.flatMap(quad)));
    machine.writeMemory(0x2_2000 + 4, Uint8Array.from(quad(0x6001n)));
    const cpu = machine.processor(0);
    cpu.set('GDTR.base', BigInt(GDT));
    cpu.set('GDTR.limit', 0x2fn);
    cpu.set('TR.base', 0x2_2000n);
    cpu.set('TR.limit', 0x67n);
    cpu.set('CS.selector', 0x1bn);
    cpu.set('CS.attributes', 0xa0fbn);
    cpu.set('SS.selector', 0x13n);
    cpu.set('SS.attributes', 0xc0f3n);
    cpu.set('RSP', BigInt(USER_STACK));
    return machine;
  }

  it('loads RSP0 as it is and a null SS, and pushes quadwords', () => {
    const machine = longMachine(0n);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'RIP', 'CS.selector', 'SS.selector', 'RSP')).toEqual([
      BigInt(HANDLER),
      8n,
      0n,
      0x6001n - 32n,
    ]);
    expect(doublewords(machine, 0x6001 - 32, 8)).toEqual([CODE + 7, 0, 0x1b, 0, USER_STACK, 0, 0x13, 0]);
  });

  it.each([
    ['whose second half has a type', 0x0100_0000_0000n, LONG_CODE, 0x20, 'core.call-gate.upper-type'],
    ['that leads to 32-bit code', 0n, 0x00cf_9b00_0000_ffffn, 8, 'core.call-gate.target-64-bit'],
  ])('refuses a gate %s', (_what, upper, code, errorCode, rule) => {
    const { chain } = longMachine(upper, code).processor(0).step() as { chain?: readonly unknown[] };
    expect(chain?.[0]).toEqual({ kind: 'fault', vector: '#GP', errorCode, rule });
  });
});
