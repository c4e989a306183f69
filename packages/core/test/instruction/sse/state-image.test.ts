// FXSAVE, FXRSTOR and the XSAVE instructions: where each register stands in memory, and that it comes back.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import { hex, machineWith } from '../../support/booted-machine.js';

const AREA = 0x20_0000;
const [OSFXSR, OSXSAVE] = [1n << 9n, 1n << 18n];
const CODE = {
  fxsave: '0f ae 00',
  fxsave64: '48 0f ae 00',
  fxrstor: '0f ae 08',
  xsave: '0f ae 20',
  xsaveopt: '0f ae 30',
  xsavec: '0f c7 20',
  xsaves: '0f c7 28',
  xrstor: '0f ae 28',
  xrstors: '0f c7 18',
} as const;

const STATE: Readonly<Record<string, bigint>> = {
  FCW: 0x27fn,
  FSW: 0x3800n | (6n << 11n), // TOP = 7 | 6 = 7
  FTW: 0x81n,
  FOP: 0x123n,
  FIP: 0x1122_3344_5566_7788n,
  FDP: 0x99aa_bbcc_ddee_ff00n,
  FCS: 0n,
  FDS: 0n,
  R7: 0x4000_c000_0000_0000_0000n,
  R0: 0xbfff_8000_0000_0000_0001n,
  XMM0: 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n,
  XMM15: 1n << 127n,
  MXCSR: 0x1fa0n,
};

function machineAt(code: string, { state = STATE, cr4 = OSFXSR | OSXSAVE, mask = 3n, xcr0 = 3n } = {}): Machine {
  const machine = machineWith(hex(code));
  const cpu = machine.processor(0);
  cpu.set('CR4', cpu.read('CR4') | cr4);
  for (const [register, value] of Object.entries(state)) cpu.set(register, value);
  cpu.set('XCR0', xcr0);
  cpu.set('RAX', BigInt(AREA));
  cpu.set('RDX', 0n);
  cpu.set('RBX', mask);
  return machine;
}

/** The area is at RAX, which also is the mask: code for a mask of its own moves it to RDI first. */
const withMask = (code: string): string => {
  const operand = code.split(' ');
  const modrm = Number.parseInt(operand.at(-1) ?? '', 16) | 7; // [rdi]
  return `48 89 c7 89 d8 ${operand.slice(0, -1).join(' ')} ${modrm.toString(16).padStart(2, '0')}`; // mov rdi, rax; mov eax, ebx
};

function run(machine: Machine, steps: number): unknown {
  const outcome = machine.processor(0).step(steps) as { chain?: readonly { vector: string; rule: string }[] };
  return outcome.chain?.[0] === undefined ? outcome : [outcome.chain[0].vector, outcome.chain[0].rule];
}

function valueAt(machine: Machine, offset: number, bytes: number): bigint {
  return machine.readMemory(AREA + offset, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The registers of a machine after it restored the area of another one. */
function restored(from: Machine, code: string): Readonly<Record<string, bigint>> {
  const machine = machineAt(withMask(code), { state: {} });
  machine.writeMemory(AREA, from.readMemory(AREA, 576));
  expect(run(machine, 3)).toEqual({ kind: 'completed' });
  return Object.fromEntries(Object.keys(STATE).map((register) => [register, machine.processor(0).read(register)]));
}

describe('FXSAVE', () => {
  it('writes the image of the manual, the data registers from the top of the stack down', () => {
    const machine = machineAt(CODE.fxsave64);
    machine.writeMemory(AREA, new Uint8Array(512).fill(0xee));
    expect(run(machine, 1)).toEqual({ kind: 'completed' });
    expect(valueAt(machine, 0, 8)).toBe(0x0123_0081_3800_027fn);
    expect([valueAt(machine, 8, 8), valueAt(machine, 16, 8)]).toEqual([STATE['FIP'], STATE['FDP']]);
    expect([valueAt(machine, 24, 4), valueAt(machine, 28, 4)]).toEqual([0x1fa0n, 0xffffn]);
    expect([valueAt(machine, 32, 16), valueAt(machine, 48, 16)]).toEqual([STATE['R7'], STATE['R0']]);
    expect([valueAt(machine, 160, 16), valueAt(machine, 400, 16)]).toEqual([STATE['XMM0'], STATE['XMM15']]);
    expect(valueAt(machine, 416, 8)).toBe(0xeeee_eeee_eeee_eeeen);
  });

  it('leaves the XMM registers out without CR4.OSFXSR', () => {
    const machine = machineAt(CODE.fxsave, { cr4: 0n });
    run(machine, 1);
    expect([valueAt(machine, 160, 16), valueAt(machine, 24, 4), valueAt(machine, 0, 2)]).toEqual([0n, 0n, 0x27fn]);
  });

  it('is undone by FXRSTOR', () => {
    const machine = machineAt(CODE.fxsave);
    run(machine, 1);
    const { FIP = 0n, FDP = 0n, ...rest } = restored(machine, CODE.fxrstor);
    const { FIP: _, FDP: __, ...saved } = STATE;
    expect(rest).toEqual(saved);
    expect([FIP, FDP]).toEqual([0x5566_7788n, 0xddee_ff00n]); // 32 bits without REX.W
  });

  it('checks alignment and reserved bits of MXCSR', () => {
    const machine = machineAt(CODE.fxsave);
    machine.processor(0).set('RAX', BigInt(AREA) + 8n);
    expect(run(machine, 1)).toEqual(['#GP', 'core.fxsave.alignment']);
    const restoring = machineAt(CODE.fxrstor);
    restoring.writeMemory(AREA + 24, Uint8Array.of(0, 0, 1, 0));
    expect(run(restoring, 1)).toEqual(['#GP', 'core.fxrstor.mxcsr']);
  });
});

describe.each(['xsave', 'xsaveopt', 'xsavec', 'xsaves'] as const)('%s', (name) => {
  const isCompacted = name === 'xsavec' || name === 'xsaves';

  it('says what it wrote, and XRSTOR brings it back', () => {
    const machine = machineAt(withMask(CODE[name]));
    expect(run(machine, 3)).toEqual({ kind: 'completed' });
    expect(valueAt(machine, 512, 8)).toBe(3n);
    expect(valueAt(machine, 520, 8)).toBe(isCompacted ? (1n << 63n) | 3n : 0n);
    const restoring = name === 'xsaves' ? CODE.xrstors : CODE.xrstor;
    expect(restored(machine, restoring)).toEqual({ ...STATE, FIP: 0x5566_7788n, FDP: 0xddee_ff00n });
  });

  it('says that a component is initial, which is restored without being read', () => {
    const initial = { FCW: 0x37fn, FTW: 0n, MXCSR: 0x1f80n };
    const machine = machineAt(withMask(CODE[name]), { state: initial });
    run(machine, 3);
    expect(valueAt(machine, 512, 8)).toBe(0n);
    machine.writeMemory(AREA + 160, Uint8Array.of(1, 2, 3));
    expect(restored(machine, name === 'xsaves' ? CODE.xrstors : CODE.xrstor)).toMatchObject({
      FCW: 0x37fn,
      FTW: 0n,
      XMM0: 0n,
    });
  });

  it('keeps to the components that are asked for and enabled', () => {
    const machine = machineAt(withMask(CODE[name]), { mask: 2n });
    run(machine, 3);
    expect([valueAt(machine, 0, 2), valueAt(machine, 160, 16)]).toEqual([0n, STATE['XMM0']]);
    const disabled = machineAt(withMask(CODE[name]), { xcr0: 1n });
    run(disabled, 3);
    expect([valueAt(disabled, 0, 2), valueAt(disabled, 160, 16)]).toEqual([0x27fn, 0n]);
  });

  it('needs CR4.OSXSAVE, CR0.TS = 0 and 64-byte alignment', () => {
    expect(run(machineAt(CODE[name], { cr4: OSFXSR }), 1)).toEqual(['#UD', `core.${name}.osxsave`]);
    const switched = machineAt(CODE[name]);
    switched.processor(0).set('CR0', switched.processor(0).read('CR0') | 8n);
    expect(run(switched, 1)).toEqual(['#NM', `core.${name}.task-switched`]);
    const unaligned = machineAt(CODE[name]);
    unaligned.processor(0).set('RAX', BigInt(AREA) + 16n);
    expect(run(unaligned, 1)).toEqual(['#GP', `core.${name}.alignment`]);
  });
});

describe('XRSTOR', () => {
  it.each([
    ['a component that XCR0 lacks', 512, 4],
    ['the rest of the header', 528, 1],
    ['a format without its bit 63', 520, 1],
  ])('refuses %s', (_what, offset, byte) => {
    const machine = machineAt(withMask(CODE.xrstor));
    machine.writeMemory(AREA + offset, Uint8Array.of(byte));
    expect(run(machine, 3)).toEqual(['#GP', 'core.xrstor.header']);
  });

  it('leaves XRSTORS the compacted form alone', () => {
    expect(run(machineAt(withMask(CODE.xrstors)), 3)).toEqual(['#GP', 'core.xrstors.header']);
  });

  it('refuses reserved bits of MXCSR', () => {
    const machine = machineAt(withMask(CODE.xrstor));
    machine.writeMemory(AREA + 26, Uint8Array.of(1));
    expect(run(machine, 3)).toEqual(['#GP', 'core.xrstor.mxcsr']);
  });
});

describe('CPUID leaf 0DH', () => {
  it.each(['intel-server', 'amd-server'])('reports x87 and SSE state of 576 bytes: %s', (profile) => {
    const machine = machineWith([], { profile });
    expect(machine.processor(0).cpuid(0x0d, 0)).toMatchObject({ value: { eax: 3, ebx: 576, ecx: 576, edx: 0 } });
    expect(machine.processor(0).cpuid(0x0d, 1)).toMatchObject({ value: { eax: 0xf, ebx: 576, ecx: 0, edx: 0 } });
    expect(machine.processor(0).cpuid(0x0d, 2)).toMatchObject({ value: { eax: 0, ebx: 0, ecx: 0, edx: 0 } });
  });
});
