// Programs of SSE instructions are at the same state at each position, whichever path runs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine, formatDigest, type Machine, rawImage, stateDigest } from '../../src/index.js';
import { CR0, CR4 } from '../../src/register/control-registers.js';

const LOAD = 0x10_0000;
const DATA = 0x20_0000;
const NAMES = Array.from({ length: 8 }, (_, index) => `XMM${index}`);

type Mode = 'long' | 'protected';

function machineWith(code: readonly number[], compile: false | 0, mode: Mode): Machine {
  const bytes = Uint8Array.from(code);
  const boot = rawImage({ bytes, mode, load: LOAD });
  const machine = createMachine({ profile: 'intel-server', boot, compile }) as Machine;
  const cpu = machine.processor(0);
  cpu.set('CR4', cpu.read('CR4') | (1n << BigInt(CR4.bits.OSFXSR)));
  cpu.set('RBX', BigInt(DATA));
  for (const [index, name] of NAMES.entries())
    cpu.set(name, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210n >> BigInt(index));
  return machine;
}

const digestOf = (machine: Machine): string => formatDigest(stateDigest(machine.state));

/** Runs a program in pieces on both paths and compares the states between them; tells the steps in generated code. */
function compare(code: readonly number[], mode: Mode, pieces: readonly number[]): number {
  const [reference, compiled] = [machineWith(code, false, mode), machineWith(code, 0, mode)];
  for (const maxSteps of pieces) {
    for (const machine of [reference, compiled]) machine.run({ maxSteps });
    expect(digestOf(compiled), `position ${reference.position}`).toBe(digestOf(reference));
  }
  const { compiledSteps } = compiled;
  for (const machine of [reference, compiled]) machine.close();
  return compiledSteps;
}

/** Opcodes whose register operand is XMM1 and whose memory operand is at EBX and a displacement. */
const WITH_MEMORY = [
  [0x66, 0x0f, 0x6f, 0x8b], // MOVDQA XMM1, [RBX+disp32]
  [0x66, 0x0f, 0x7f, 0x8b], // MOVDQA [RBX+disp32], XMM1
  [0xf3, 0x0f, 0x6f, 0x8b], // MOVDQU XMM1, [RBX+disp32]
  [0xf3, 0x0f, 0x7f, 0x8b], // MOVDQU [RBX+disp32], XMM1
  [0x66, 0x0f, 0xfe, 0x8b], // PADDD XMM1, [RBX+disp32]
  [0x66, 0x0f, 0xd6, 0x8b], // MOVQ [RBX+disp32], XMM1
  [0xf3, 0x0f, 0x7e, 0x8b], // MOVQ XMM1, [RBX+disp32]
  [0x0f, 0x16, 0x8b], // MOVHPS XMM1, [RBX+disp32]
  [0xf3, 0x0f, 0x11, 0x8b], // MOVSS [RBX+disp32], XMM1
  [0xf3, 0x0f, 0x10, 0x8b], // MOVSS XMM1, [RBX+disp32]
  [0xf3, 0x0f, 0x58, 0x8b], // ADDSS XMM1, [RBX+disp32]
  [0x01, 0x83], // ADD [RBX+disp32], EAX
] as const;
const OTHERS = [
  [0x66, 0x0f, 0x6f, 0xd1], // MOVDQA XMM2, XMM1
  [0x66, 0x0f, 0xef, 0xca], // PXOR XMM1, XMM2
  [0x66, 0x0f, 0x38, 0x00, 0xd9], // PSHUFB XMM3, XMM1
  [0x66, 0x0f, 0x70, 0xd9, 0x1b], // PSHUFD XMM3, XMM1, 1BH
  [0x66, 0x0f, 0x3a, 0x0f, 0xcb, 0x05], // PALIGNR XMM1, XMM3, 5
  [0x66, 0x0f, 0xd7, 0xc1], // PMOVMSKB EAX, XMM1
  [0x66, 0x0f, 0x6e, 0xe0], // MOVD XMM4, EAX
  [0x66, 0x0f, 0x38, 0x17, 0xca], // PTEST XMM1, XMM2
  [0x66, 0x0f, 0xd3, 0xcc], // PSRLQ XMM1, XMM4
  [0x66, 0x0f, 0x38, 0xdc, 0xd1], // AESENC XMM2, XMM1: by call
  [0xf2, 0x0f, 0x58, 0xd9], // ADDSD XMM3, XMM1
  [0x66, 0x0f, 0x2e, 0xcb], // UCOMISD XMM1, XMM3
  [0xf2, 0x0f, 0x2a, 0xc8], // CVTSI2SD XMM1, EAX
  [0xf2, 0x0f, 0x5e, 0xcb], // DIVSD XMM1, XMM3
  [0x0f, 0x59, 0xcb], // MULPS XMM1, XMM3
  [0xf2, 0x0f, 0x2c, 0xc1], // CVTTSD2SI EAX, XMM1
  [0x66, 0x0f, 0x7c, 0xd9], // HADDPD XMM3, XMM1
  [0x0f, 0xc2, 0xd1, 0x01], // CMPLTPS XMM2, XMM1
  [0x11, 0xd0], // ADC EAX, EDX
] as const;

const displacement = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 0xff }).map((index) => index * 16), weight: 12 },
  { arbitrary: fc.integer({ min: 0xff0, max: 0x1010 }), weight: 1 },
  { arbitrary: fc.constant(LOAD + 0x800 - DATA), weight: 1 }, // on the page of the code
);
const bytesOf = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
const instruction = fc.oneof(
  fc.tuple(fc.constantFrom(...WITH_MEMORY), displacement).map(([opcode, by]) => [...opcode, ...bytesOf(by)]),
  fc.constantFrom(...OTHERS).map((bytes) => [...bytes]),
);
const program = fc.array(instruction, { minLength: 1, maxLength: 12 }).map((body) => {
  const bytes = body.flat();
  return [...bytes, 0xe9, ...bytesOf(-(bytes.length + 5))];
});

describe('programs of SSE instructions', () => {
  it.each(['long', 'protected'] as const)('leave the same state on both paths, in %s mode', (mode) => {
    let compiledSteps = 0;
    const pieces = fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 6 });
    const property = fc.property(program, pieces, (code, sizes) => {
      compiledSteps += compare(code, mode, [...sizes, 200]);
    });
    fc.assert(property, { numRuns: 25 });
    expect(compiledSteps).toBeGreaterThan(1500);
  });

  it('are inline but for what the slow path is for', () => {
    // MOVDQU XMM1, [RBX]; PADDD XMM0, XMM1; PXOR XMM2, XMM0; AESENC XMM3, XMM2; DEC ECX; JNZ back
    const code = [0xf3, 0x0f, 0x6f, 0x0b, 0x66, 0x0f, 0xfe, 0xc1, 0x66, 0x0f, 0xef, 0xd0];
    const machine = machineWith([...code, 0x66, 0x0f, 0x38, 0xdc, 0xda, 0xff, 0xc9, 0x75, 0xeb], 0, 'long');
    machine.step(0, 60);
    const paths = machine.listCompiled(BigInt(LOAD)).instructions.map(({ path }) => path);
    // The first one checks for the others that SSE is available.
    expect(paths).toEqual(['inline or reference', 'inline', 'inline', 'reference', 'inline', 'inline']);
  });

  it.each(['EM', 'TS'] as const)('fault from CR0.%s on', (bit) => {
    // PADDD XMM0, XMM1; INC EAX; JMP back
    const code = [0x66, 0x0f, 0xfe, 0xc1, 0xff, 0xc0, 0xeb, 0xf8];
    const [reference, compiled] = ([false, 0] as const).map((compile) => {
      const machine = machineWith(code, compile, 'long');
      machine.step(0, 100);
      const cpu = machine.processor(0);
      cpu.set('CR0', cpu.read('CR0') | (1n << BigInt(CR0.bits[bit])));
      machine.run({ maxSteps: 100 });
      return machine;
    }) as [Machine, Machine];
    expect(compiled.compiledSteps).toBeGreaterThan(50);
    expect(compiled.position).toBe(reference.position);
    expect(digestOf(compiled)).toBe(digestOf(reference));
    expect(compiled.processor(0).read('RAX')).toBe(34n);
  });

  it('fault at an aligned place that is not aligned', () => {
    // MOVDQA [RBX], XMM0; ADD RBX, 8; JMP back
    const code = [0x66, 0x0f, 0x7f, 0x03, 0x48, 0x83, 0xc3, 0x08, 0xeb, 0xf6];
    expect(compare(code, 'long', [2, 1, 5])).toBeGreaterThan(0);
    expect(compare(code, 'long', [1, 1, 1, 1, 1, 1])).toBeGreaterThan(0);
  });
});
