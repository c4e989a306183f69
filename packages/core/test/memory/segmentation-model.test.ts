// Accesses by way of segments of every type, as an instruction makes them, against the manual's rules written a second
// time (SDM, "Limit Checking", "Type Checking").
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SegmentName } from '../../src/expression/nodes.js';
import { CODE, hex } from '../support/booted-machine.js';
import { protectedMachine } from '../support/protected-machine.js';

interface Segment {
  /** Bits 3:0 of the type field of a code-or-data descriptor. */
  readonly type: number;
  readonly base: number;
  readonly limit: number;
  readonly big: boolean;
  /** A null selector was loaded. */
  readonly unusable: boolean;
}

interface Access {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4;
  readonly write: boolean;
}

/** Whether the segment allows the access: every byte of it within the limit, and its kind by the type. */
function isAllowed({ type, limit, big, unusable }: Segment, { offset, bytes, write }: Access): boolean {
  if (unusable) return false;
  const [isCode, expandsDownOrConforms, readableOrWritable] = [type >= 8, type % 8 >= 4, type % 4 >= 2];
  if (isCode ? write || !readableOrWritable : write && !readableOrWritable) return false;
  const [least, most] = !isCode && expandsDownOrConforms ? [limit + 1, big ? 0xffff_ffff : 0xffff] : [0, limit];
  return Array.from({ length: bytes }, (_, index) => offset + index).every((byte) => least <= byte && byte <= most);
}

const RAM = 0x80_0000;
const edge = (...values: readonly number[]) => fc.constantFrom(...values);
const limits = fc.oneof(edge(0, 1, 2, 3, 0xfff, 0x1000, 0xffff, 0x1_0000, 0xf_ffff, 0xffff_ffff), fc.nat(0x2_0000));
const segments = fc.record<Segment>({
  type: fc.nat(15),
  base: fc.oneof(edge(0, RAM, 0xffff_f000), fc.nat(RAM)),
  limit: limits,
  big: fc.boolean(),
  unusable: fc.nat(9).map((number) => number === 0),
});
const sizes = fc.constantFrom<Access['bytes']>(1, 2, 4);
const around = ({ limit }: Segment) =>
  fc.oneof(
    fc.integer({ min: -5, max: 5 }).map((distance) => (limit + distance) >>> 0),
    fc.integer({ min: -5, max: 5 }).map((distance) => (0x1_0000 + distance) >>> 0),
    fc.nat(0x2_0000),
  );
const cases = segments.chain((segment) =>
  fc.record({
    segment: fc.constant(segment),
    access: fc.record<Access>({ offset: around(segment), bytes: sizes, write: fc.boolean() }),
  }),
);

const PREFIX: Readonly<Partial<Record<SegmentName, string>>> = { DS: '', ES: '26', SS: '36', FS: '64' };
const OPCODE: Readonly<Record<string, string>> = {
  '1 read': '8a 03', // mov al, [ebx]
  '2 read': '66 8b 03',
  '4 read': '8b 03',
  '1 write': '88 03', // mov [ebx], al
  '2 write': '66 89 03',
  '4 write': '89 03',
};

function outcomeOf(name: SegmentName, { type, base, limit, big, unusable }: Segment, access: Access) {
  const { offset, bytes, write } = access;
  const machine = protectedMachine(`${PREFIX[name]} ${OPCODE[`${bytes} ${write ? 'write' : 'read'}`]}`);
  const cpu = machine.processor(0);
  const set = (register: string, value: number) => cpu.set(register, BigInt(value));
  set('IDTR.limit', 0); // what the access raises is told by the shutdown
  set(`${name}.base`, base);
  set(`${name}.limit`, limit);
  set(`${name}.attributes`, 0x90 | type | (big ? 0x4000 : 0) | (unusable ? 0x1_0000 : 0));
  set('RBX', offset);
  set('RAX', 0x1234_5678);
  const linear = (base + offset) % 2 ** 32;
  const isData = linear < 2 ** 24 - 4 && Math.abs(linear - CODE) > 16;
  if (isData) machine.writeMemory(linear, Uint8Array.from(hex('21 43 65 87')));
  const outcome = cpu.step();
  const raised = outcome.kind === 'shutdown' ? outcome.chain[0]?.vector : undefined;
  return { raised, moved: isData ? [Number(cpu.read('RAX')), ...machine.readMemory(linear, 4)] : undefined };
}

const LOADED = { 1: 0x1234_5621, 2: 0x1234_4321, 4: 0x8765_4321 } as const;
const STORED = { 1: [0x78, 0x43, 0x65, 0x87], 2: [0x78, 0x56, 0x65, 0x87], 4: [0x78, 0x56, 0x34, 0x12] } as const;
const UNTOUCHED = [0x21, 0x43, 0x65, 0x87] as const;

describe.each(['DS', 'ES', 'FS', 'SS'] as const)('a segment in %s', (name) => {
  it('allows exactly what its type and limit allow, and leads to base plus offset modulo 4 GiB', () => {
    fc.assert(
      fc.property(cases, ({ segment, access }) => {
        const { raised, moved } = outcomeOf(name, segment, access);
        if (!isAllowed(segment, access)) {
          expect(raised).toBe(name === 'SS' ? '#SS' : '#GP');
          return;
        }
        expect(raised).toBeUndefined();
        if (moved === undefined) return;
        expect(moved).toEqual(
          access.write ? [0x1234_5678, ...STORED[access.bytes]] : [LOADED[access.bytes], ...UNTOUCHED],
        );
      }),
      { numRuns: 100 },
    );
  });
});
