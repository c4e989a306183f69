// The observed variant of generated code: observers of data accesses hear the same sequence whichever path runs, in batches
// or one by one, and those that nobody observes get the code that they had.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMachine,
  definePlugin,
  defineSlice,
  formatDigest,
  type Intercepts,
  type Machine,
  type MachineOptions,
  PLUGIN_API_VERSION,
  type Plugin,
  rawImage,
  stateDigest,
} from '../../src/index.js';

const LOAD = 0x10_0000;
const DATA = 0x20_0000;
type Mode = 'long' | 'protected';
type Compile = MachineOptions['compile'];

const observer = (intercepts: Intercepts): Plugin =>
  definePlugin({ name: 'observer', version: '1.0.0', apiVersion: PLUGIN_API_VERSION, intercepts });

const inBatches = (seen: string[]): Intercepts => ({
  memoryAccesses: (cpu, accesses) => {
    for (let index = 0; index < accesses.length; index++) {
      const kind = accesses.isWrite(index) ? 'write' : 'read';
      seen.push(`${cpu.id}: ${kind} ${accesses.bytes(index)} at ${accesses.physical(index).toString(16)}`);
    }
  },
});
const oneByOne = (seen: string[]): Intercepts => ({
  memoryAccess: ({ id }, { physical, bytes, write }) =>
    void seen.push(`${id}: ${write ? 'write' : 'read'} ${bytes} at ${physical.toString(16)}`),
});

interface Observed {
  readonly machine: Machine;
  readonly seen: string[];
}

const REGISTERS = { RBX: DATA, RBP: DATA + 0x1000, RSI: DATA + 0x2000, RDI: DATA + 0x3000, RSP: DATA + 0x5000, RCX: 3 };

function observed(
  code: readonly number[],
  mode: Mode,
  compile: Compile,
  how: (seen: string[]) => Intercepts,
): Observed {
  const seen: string[] = [];
  const boot = rawImage({ bytes: Uint8Array.from(code), mode, load: LOAD });
  const plugins = [observer(how(seen))];
  const options = compile === undefined ? {} : { compile };
  const machine = createMachine<readonly Plugin[]>({ profile: 'intel-server', boot, plugins, ...options }) as Machine;
  for (const [register, value] of Object.entries(REGISTERS)) machine.processor(0).set(register, BigInt(value));
  return { machine, seen };
}

const digestOf = ({ machine }: Observed): string => formatDigest(stateDigest(machine.state));

/** Instructions whose displacement of 32 bits follows, from RBX or RBP; then those that need none. */
const ACCESSES = [
  [0x8b, 0x83], // MOV EAX, [RBX+d]
  [0x89, 0x95], // MOV [RBP+d], EDX
  [0x88, 0xa3], // MOV [RBX+d], AH
  [0x66, 0x01, 0x93], // ADD [RBX+d], DX
  [0x39, 0x83], // CMP [RBX+d], EAX
  [0x85, 0x95], // TEST [RBP+d], EDX
  [0x87, 0x83], // XCHG [RBX+d], EAX
  [0xf0, 0x0f, 0xc1, 0x95], // LOCK XADD [RBP+d], EDX
  [0x0f, 0xb1, 0x93], // CMPXCHG [RBX+d], EDX
  [0x0f, 0xa3, 0x83], // BT [RBX+d], EAX: beyond the operand too
  [0x0f, 0xb6, 0x93], // MOVZX EDX, byte [RBX+d]
  [0xff, 0xb5], // PUSH [RBP+d]
  [0x8f, 0x83], // POP [RBX+d]
  [0xd1, 0xab], // SHR [RBX+d], 1
  [0x0f, 0x10, 0x83], // MOVUPS XMM0, [RBX+d]
  [0x0f, 0x11, 0x85], // MOVUPS [RBP+d], XMM0
  [0x0f, 0x57, 0x8d], // XORPS XMM1, [RBP+d]: aligned or #GP
  [0xf2, 0x0f, 0x58, 0x83], // ADDSD XMM0, [RBX+d]
  [0xf3, 0x0f, 0x7e, 0x83], // MOVQ XMM0, [RBX+d]
  [0x0f, 0x94, 0x83], // SETZ [RBX+d]
  [0x0f, 0x44, 0x83], // CMOVZ EAX, [RBX+d]
  [0xdd, 0x83], // FLD [RBX+d]
] as const;
const OTHERS = [
  [0x50], // PUSH EAX
  [0x5a], // POP EDX
  [0x9c], // PUSHF
  [0xe8, 0, 0, 0, 0], // CALL the next instruction
  [0xa4], // MOVSB
  [0xa5], // MOVSD
  [0xa7], // CMPSD
  [0xab], // STOSD
  [0xad], // LODSD
  [0xb1, 3, 0xf3, 0xa4], // MOV CL, 3; REP MOVSB
  [0xb1, 2, 0xf3, 0xa7], // MOV CL, 2; REPE CMPSD
  [0xc8, 8, 0, 1, 0xc9], // ENTER 8, 1; LEAVE
  [0x01, 0xd0], // ADD EAX, EDX
  [0xd7], // XLAT: anywhere within 256 bytes of EBX
  [0x0f, 0xa2, 0xbb, 0, 0, 0x20, 0, 0xb9, 3, 0, 0, 0], // CPUID; EBX and ECX as before
] as const;

/** Mostly within a page; some cross one, some go to the code, some to the local APIC. */
const displacement = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 0x3f }).map((index) => index * 16), weight: 6 },
  { arbitrary: fc.integer({ min: 0xff0, max: 0x1010 }), weight: 2 },
  { arbitrary: fc.constantFrom(LOAD + 0x800 - DATA, 0xfee0_0080 - DATA), weight: 1 },
);
const bytesOf = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
const instruction = fc.oneof(
  fc.tuple(fc.constantFrom(...ACCESSES), displacement).map(([opcode, by]) => [...opcode, ...bytesOf(by)]),
  fc.constantFrom(...OTHERS).map((bytes) => [...bytes]),
);
/** A loop; the stack pointer starts anew each time. */
const program = fc.array(instruction, { minLength: 1, maxLength: 12 }).map((body) => {
  const bytes = [0xbc, ...bytesOf(REGISTERS.RSP), ...body.flat()];
  return [...bytes, 0xe9, ...bytesOf(-(bytes.length + 5))];
});

describe('observers of data accesses', () => {
  it.each(['long', 'protected'] as const)('hear the same sequence on both paths, in %s mode', (mode) => {
    let compiledSteps = 0;
    const property = fc.property(
      program,
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 8 }),
      (code, pieces) => {
        const ways = [
          observed(code, mode, false, inBatches),
          observed(code, mode, 0, inBatches),
          observed(code, mode, 0, oneByOne),
        ] as const;
        const [reference] = ways;
        for (const steps of [...pieces, 200]) {
          for (const { machine } of ways) machine.run({ maxSteps: steps });
          for (const { seen } of ways) expect(seen).toEqual(reference.seen);
          for (const way of ways) expect(digestOf(way)).toBe(digestOf(reference));
        }
        compiledSteps += ways[1].machine.compiledSteps;
        expect(ways[2].machine.compiledSteps).toBe(0);
        for (const { machine } of ways) machine.close();
      },
    );
    fc.assert(property, { numRuns: 30 });
    expect(compiledSteps).toBeGreaterThan(2000);
  });

  it('hear of more than there is room for', () => {
    // ADD [RBX], EAX; PUSH RAX; POP RDX; JMP back
    const { machine, seen } = observed([0x01, 0x03, 0x50, 0x5a, 0xeb, 0xfa], 'long', 0, inBatches);
    machine.run({ maxSteps: 40_000 });
    expect(machine.compiledSteps).toBeGreaterThan(39_000);
    const once = ['read 4 at 200000', 'write 4 at 200000', 'write 8 at 204ff8', 'read 8 at 204ff8'];
    expect(seen).toEqual(Array.from({ length: 40_000 }, (_, index) => `0: ${once[index % 4]}`));
  });

  it('have heard of all that is past when a slice is read', () => {
    const counter = defineSlice('counter', { version: 1, initial: () => ({ accesses: 0 }) });
    const seen: number[] = [];
    const plugin = definePlugin({
      name: 'counter',
      version: '1.0.0',
      apiVersion: PLUGIN_API_VERSION,
      processorSlice: counter,
      intercepts: {
        memoryAccesses: (cpu, { length }) =>
          counter.change(cpu, (slice) => {
            slice.accesses += length;
          }),
        beforeInstruction: (cpu) => void seen.push(counter.of(cpu).accesses),
      },
      interceptedInstructions: ['CPUID'],
    });
    // ADD [RDI], EAX; CPUID; JMP back
    const boot = rawImage({ bytes: Uint8Array.of(0x01, 0x07, 0x0f, 0xa2, 0xeb, 0xfa), mode: 'long', load: LOAD });
    const machine = createMachine({ profile: 'intel-server', boot, plugins: [plugin], compile: 0 });
    machine.processor(0).set('RDI', BigInt(DATA));
    machine.run({ maxSteps: 3000 });
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => 2 * index + 2));
    expect(machine.compiledSteps).toBeGreaterThan(0);
  });

  it('leave generated code where a breakpoint waits for data', () => {
    const { machine, seen } = observed([0x01, 0x03, 0xeb, 0xfc], 'long', 0, inBatches);
    machine.processor(0).set('DR7', 0x10002n); // G0, writes
    machine.processor(0).set('DR0', BigInt(DATA + 8));
    machine.run({ maxSteps: 1000 });
    expect(machine.compiledSteps).toBe(0);
    expect(seen.length).toBe(1000);
  });

  it('are told of by records that only their variant of the code has', () => {
    // ADD [RBX], EAX; JMP back
    const code = [0x01, 0x03, 0xeb, 0xfc];
    const comments = [inBatches([]), {}].map((intercepts) => {
      const { machine } = observed(code, 'long', 0, () => intercepts);
      machine.run({ maxSteps: 100 });
      expect(machine.compiledSteps).toBeGreaterThan(90);
      const { lines, exits } = machine.listCompiled(BigInt(LOAD));
      expect(exits.some(({ why }) => why === 'room')).toBe('memoryAccesses' in intercepts);
      return lines.flatMap(({ comment }) => comment ?? []).filter((comment) => comment.includes('record'));
    });
    const next = 'where the next access is recorded';
    expect(comments).toEqual([[next, 'record of an access', 'record of an access', next, next], []]);
  });
});
