// Repeated string instructions on a machine, against a model that is a plain loop over bytes: page faults in the middle,
// both directions, overlapping operands; and what follows from one iteration being one step.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { createMachine, type Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { formatDigest, stateDigest } from '../../src/trace/digest.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

/** Two MiB of data at 4 MiB; the directory entries before and after it are cleared. */
const [FIRST, END] = [0x40_0000n, 0x60_0000n];
const DIRECTORY = 0x3000;
const RCX_ALONE = 0x1234_5678_0000_0000n;

interface Case {
  readonly operation: 'MOVS' | 'CMPS' | 'SCAS' | 'LODS' | 'STOS';
  readonly bytes: 1 | 2 | 4 | 8;
  readonly prefix: 'rep' | 'repne';
  readonly narrow: boolean;
  readonly down: boolean;
  readonly rcx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rax: bigint;
}

const OPCODES = { MOVS: 0xa4, CMPS: 0xa6, STOS: 0xaa, LODS: 0xac, SCAS: 0xae } as const;

function codeOf({ operation, bytes, prefix, narrow }: Case): number[] {
  const size = { 1: [], 2: [0x66], 4: [], 8: [0x48] }[bytes];
  const opcode = OPCODES[operation] + (bytes === 1 ? 0 : 1);
  return [
    ...(narrow ? [0x67] : []),
    ...(bytes === 2 ? size : []),
    prefix === 'rep' ? 0xf3 : 0xf2,
    ...(bytes === 8 ? size : []),
    opcode,
  ];
}

/** Offsets near the start, the middle and the end of the data, so that operands overlap and run off it. */
const place = fc
  .tuple(fc.constantFrom(FIRST, FIRST + 0x1000n, END), fc.integer({ min: -48, max: 48 }))
  .map(([base, offset]) => base + BigInt(offset));

const cases: fc.Arbitrary<Case> = fc.record({
  operation: fc.constantFrom('MOVS', 'CMPS', 'SCAS', 'LODS', 'STOS'),
  bytes: fc.constantFrom(1, 2, 4, 8),
  prefix: fc.constantFrom('rep', 'repne'),
  narrow: fc.boolean(),
  down: fc.boolean(),
  rcx: fc.bigInt({ min: 0n, max: 40n }),
  rsi: place,
  rdi: place,
  rax: fc.constantFrom(0n, 0x0101_0101_0101_0101n, 0x55n),
});

const seeExceptions = definePlugin({
  name: 'exceptions',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'test/raised' }) },
});

/** Few values, so that elements are often equal. */
const initial = (address: bigint): number => (Number(address >> 3n) % 3 === 0 ? 1 : 0);
const AREAS = [FIRST, FIRST + 0x1000n - 0x200n, END - 0x200n] as const;

function machineFor(each: Case): Machine {
  const machine = machineWith(codeOf(each), { plugins: [seeExceptions] });
  for (const area of AREAS)
    machine.writeMemory(
      Number(area),
      Uint8Array.from({ length: 0x400 - (area === AREAS[1] ? 0 : 0x200) }, (_, index) => initial(area + BigInt(index))),
    );
  for (const entry of [1, 3]) machine.writeMemory(DIRECTORY + 8 * entry, new Uint8Array(8));
  const cpu = machine.processor(0);
  for (const register of ['rcx', 'rsi', 'rdi', 'rax'] as const)
    cpu.set(
      register.toUpperCase(),
      each[register] | (register === 'rcx' && each.narrow && each.rcx !== 0n ? RCX_ALONE : 0n),
    );
  cpu.set('RFLAGS', each.down ? 0x402n : 0x2n);
  return machine;
}

interface Left {
  rcx: bigint;
  rsi: bigint;
  rdi: bigint;
  rax: bigint;
  flags: bigint;
  fault: bigint | undefined;
  iterations: number;
  readonly writes: Map<bigint, { value: number; iteration: number }>;
}

/** What the manual says, as a loop. */
function model({ operation, bytes, prefix, down, rcx, rsi, rdi, rax }: Case): Left {
  const left: Left = {
    rcx,
    rsi,
    rdi,
    rax,
    flags: down ? 0x402n : 0x2n,
    fault: undefined,
    iterations: 0,
    writes: new Map(),
  };
  const byte = (address: bigint): number => left.writes.get(address)?.value ?? initialAt(address);
  const absent = (address: bigint): bigint | undefined =>
    Array.from({ length: bytes }, (_, index) => address + BigInt(index)).find((each) => each < FIRST || each >= END);
  const load = (address: bigint): bigint =>
    Array.from({ length: bytes }, (_, index) => BigInt(byte(address + BigInt(index))) << BigInt(8 * index)).reduce(
      (all, part) => all | part,
    );
  const store = (address: bigint, value: bigint): void => {
    for (let index = 0; index < bytes; index++)
      left.writes.set(address + BigInt(index), {
        value: Number((value >> BigInt(8 * index)) & 0xffn),
        iteration: left.iterations,
      });
  };
  const width = 8 * bytes;
  const low = (value: bigint): bigint => BigInt.asUintN(width, value);
  const usesSource = operation === 'MOVS' || operation === 'CMPS' || operation === 'LODS';
  const usesDestination = operation !== 'LODS';
  const step = down ? -BigInt(bytes) : BigInt(bytes);
  while (left.rcx !== 0n) {
    left.fault = (usesSource ? absent(left.rsi) : undefined) ?? (usesDestination ? absent(left.rdi) : undefined);
    if (left.fault !== undefined) return left;
    let goesOn = true;
    if (operation === 'MOVS') store(left.rdi, load(left.rsi));
    else if (operation === 'STOS') store(left.rdi, low(left.rax));
    else if (operation === 'LODS')
      left.rax = bytes >= 4 ? load(left.rsi) : ((left.rax >> BigInt(width)) << BigInt(width)) | load(left.rsi);
    else {
      const [a, b] = [operation === 'CMPS' ? load(left.rsi) : low(left.rax), load(left.rdi)];
      left.flags = flagsOfSubtraction(a, b, width) | (down ? 0x402n : 0x2n);
      goesOn = (a === b) === (prefix === 'rep');
    }
    if (usesSource) left.rsi += step;
    if (usesDestination) left.rdi += step;
    left.rcx -= 1n;
    left.iterations++;
    if (!goesOn) break;
  }
  return left;
}

function initialAt(address: bigint): number {
  const isIn = AREAS.some((area) => address >= area && address < area + (area === AREAS[1] ? 0x400n : 0x200n));
  return isIn ? initial(address) : 0;
}

function flagsOfSubtraction(a: bigint, b: bigint, width: number): bigint {
  const result = BigInt.asUintN(width, a - b);
  const signed = BigInt.asIntN(width, a) - BigInt.asIntN(width, b);
  const ones = [...(result & 0xffn).toString(2)].filter((digit) => digit === '1').length;
  const bits: readonly (readonly [bit: bigint, set: boolean])[] = [
    [0n, a < b],
    [2n, ones % 2 === 0],
    [4n, (a & 15n) < (b & 15n)],
    [6n, result === 0n],
    [7n, result >> BigInt(width - 1) === 1n],
    [11n, signed !== BigInt.asIntN(width, signed)],
  ];
  return bits.reduce((all, [bit, set]) => all | (set ? 1n << bit : 0n), 0n);
}

const registersOf = (machine: Machine) =>
  ['RCX', 'RSI', 'RDI', 'RAX', 'RFLAGS', 'RIP'].map((name) => machine.readRegister(0, name));

describe('a repeated string instruction', () => {
  it('does what the manual says, up to a page that is not there', () => {
    fc.assert(
      fc.property(cases, (each) => {
        const machine = machineFor(each);
        const wanted = model(each);
        const steps = wanted.iterations + (wanted.fault !== undefined || wanted.iterations === 0 ? 1 : 0);
        const outcome = machine.step(0, steps);
        const end = BigInt(CODE + (wanted.fault === undefined ? codeOf(each).length : 0));
        expect(outcome).toMatchObject(
          wanted.fault === undefined ? { kind: 'completed' } : { vector: '#PF', address: wanted.fault },
        );
        // With a 67H prefix a counter that an iteration wrote has lost its upper half; one that faulted at once keeps it.
        const upper = each.narrow && each.rcx !== 0n && wanted.iterations === 0 ? RCX_ALONE : 0n;
        expect(registersOf(machine)).toEqual([
          wanted.rcx | upper,
          wanted.rsi,
          wanted.rdi,
          wanted.rax,
          wanted.flags,
          end,
        ]);
        for (const area of AREAS) {
          const found = machine.readMemory(Number(area), 0x200);
          expect([...found]).toEqual(
            Array.from(
              found,
              (_, index) => wanted.writes.get(area + BigInt(index))?.value ?? initialAt(area + BigInt(index)),
            ),
          );
        }
      }),
      { numRuns: 250 },
    );
  });

  it('gives the same state in pieces of any size', () => {
    fc.assert(
      fc.property(cases, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }), (each, pieces) => {
        const wanted = model(each);
        const total = wanted.iterations + (wanted.fault !== undefined || wanted.iterations === 0 ? 1 : 0);
        const [atOnce, inPieces] = [machineFor(each), machineFor(each)];
        atOnce.step(0, total);
        for (let done = 0, index = 0; done < total; index++) {
          const piece = Math.min(pieces[index % pieces.length] ?? 1, total - done);
          inPieces.step(0, piece);
          expect(inPieces.state.position).toBe(inPieces.position); // a seal between two iterations
          done += piece;
        }
        expect(formatDigest(stateDigest(inPieces.state))).toBe(formatDigest(stateDigest(atOnce.state)));
      }),
      { numRuns: 60 },
    );
  });

  it('names the iteration that wrote a byte', () => {
    fc.assert(
      fc.property(
        cases.filter(({ operation }) => operation === 'MOVS' || operation === 'STOS'),
        (each) => {
          const machine = machineFor(each);
          const { iterations, writes } = model(each);
          const before = machine.position;
          machine.step(0, Math.max(iterations, 1));
          const timeline = machine.timeline();
          for (const [address, { iteration }] of [...writes].filter((_, index) => index % 7 === 0))
            expect(timeline.lastWrite(`[0x${address.toString(16)}]`)?.position).toBe(before + iteration);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('a repeated string instruction with a count of 0', () => {
  it('is not the one that last wrote its registers', () => {
    const machine = machineWith(hex('bf 00 00 40 00  31 c9  f3 aa')); // mov edi, 0x400000; xor ecx, ecx; rep stosb
    machine.step(0, 3);
    expect(machine.timeline().lastWrite('RDI')?.position).toBe(0);
    expect(machine.timeline().lastWrite('RCX')?.position).toBe(1);
  });

  it('leaves the upper halves under a 67H prefix', () => {
    const machine = machineWith(hex('67 f3 a4'));
    const cpu = machine.processor(0);
    for (const name of ['RCX', 'RSI', 'RDI']) cpu.set(name, 0x9_0000_0000n);
    expect(machine.step(0, 1)).toEqual({ kind: 'completed' });
    expect(['RCX', 'RSI', 'RDI'].map((name) => cpu.read(name))).toEqual([
      0x9_0000_0000n,
      0x9_0000_0000n,
      0x9_0000_0000n,
    ]);
  });
});

describe('a string instruction in real-address mode', () => {
  it('wraps its offsets at 64 KiB and takes a segment override for its source', () => {
    const boot = rawImage({ bytes: Uint8Array.from(hex('f3 26 a4')), mode: 'real', load: 0x1000 }); // rep movs byte es:
    const machine = createMachine({ profile: 'intel-server', memory: 2 ** 21, boot });
    const cpu = machine.processor(0);
    for (const [name, value] of [
      ['ES.base', 0x2_0000n],
      ['RCX', 3n],
      ['RSI', 0xffffn],
      ['RDI', 0xfffen],
    ] as const)
      cpu.set(name, value);
    machine.writeMemory(0x2_ffff, Uint8Array.of(7));
    machine.writeMemory(0x2_0000, Uint8Array.of(8, 9));
    machine.step(0, 3);
    expect([...machine.readMemory(0x2_fffe, 2)]).toEqual([7, 8]);
    expect(machine.readMemory(0x2_0000, 1)).toEqual(Uint8Array.of(9)); // DI wrapped, as SI did before it
    expect(['RCX', 'RSI', 'RDI'].map((name) => cpu.read(name))).toEqual([0n, 2n, 1n]);
  });
});

describe('code that a repeated instruction overwrites', () => {
  it('is decoded again before the next iteration', () => {
    // rep stosb over itself: F3 AA becomes 90 AA, and one more store is not repeated.
    const machine = machineWith(hex('f3 aa 90 90'));
    const cpu = machine.processor(0);
    for (const [name, value] of [
      ['RAX', 0x90n],
      ['RCX', 5n],
      ['RDI', BigInt(CODE)],
    ] as const)
      cpu.set(name, value);
    machine.step(0, 3); // one iteration, NOP, STOSB
    expect(machine.readMemory(CODE, 3)).toEqual(Uint8Array.of(0x90, 0x90, 0x90));
    expect([cpu.read('RCX'), cpu.read('RIP')]).toEqual([4n, BigInt(CODE + 2)]);
  });
});
