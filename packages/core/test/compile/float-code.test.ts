// Floating-point operations in generated code give what their rows compute (float/operations.ts), bit for bit, or nothing: they
// take the slow path wherever a row detects an exception that MXCSR does not hold already.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlagsCode } from '../../src/compile/flags-code.js';
import { instructionCode } from '../../src/compile/instruction-code.js';
import { factsOf } from '../../src/compile/instruction-facts.js';
import { RegistersCode } from '../../src/compile/registers-code.js';
import { VectorRegistersCode } from '../../src/compile/vector-registers-code.js';
import { FunctionCode } from '../../src/compile/wasm/function-code.js';
import { moduleBytes } from '../../src/compile/wasm/module.js';
import { InternalError } from '../../src/error.js';
import { general, write } from '../../src/expression/build.js';
import { float, lane, simdExceptions, vectorRegister, withLane } from '../../src/expression/build-vector.js';
import type { Effect, Expression } from '../../src/expression/nodes.js';
import { FLOAT_OPERATIONS, type FloatOperationName } from '../../src/float/operations.js';
import { slotOf } from '../../src/register/register-file.js';
import { lanesOf } from '../../src/vector/lanes.js';

const NAMES = Object.keys(FLOAT_OPERATIONS) as FloatOperationName[];
/** What the opening comment of float-code.ts lists. */
const BY_CALL = /^(reciprocal|addSub|mulChosen)/;
const GENERATED = NAMES.filter((name) => !BY_CALL.test(name));
/** Scalars whose result is an integer. */
const TO_NUMBER = /^order|ToInt(32|64)$/;
/** One operand. */
const OF_ONE = /To|^sqrt|^round/;
const ONLY_SCALAR = /^order|nt64/;

const PAGES = 1;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const lanes = lanesOf(new Int32Array(memory.buffer));
const [XMM, RAX, MXCSR] = [slotOf('XMM0') * 2, slotOf('RAX') * 2, slotOf('MXCSR') * 2];
/** Words where the row leaves what it computes. */
const EXPECTED = 0x3000;

function effectOf(name: FloatOperationName, isPacked: boolean, immediate: number): Effect {
  const { from, to } = FLOAT_OPERATIONS[name];
  const places: readonly Expression[] = [vectorRegister(1), vectorRegister(2)].slice(0, OF_ONE.test(name) ? 1 : 2);
  const operands = isPacked ? places : places.map((place) => lane(place, from, 0));
  const value = float(name, isPacked ? 128 : to, operands, immediate);
  if (isPacked) return [simdExceptions(value), write(vectorRegister(0), value)];
  if (TO_NUMBER.test(name)) return [simdExceptions(value), write(general(0, to), value)];
  return [simdExceptions(value), write(vectorRegister(0), withLane(vectorRegister(0), 0, value))];
}

const unreachable = (): never => {
  throw new InternalError('nothing here leaves generated code but for the slow path');
};

type Run = (input: number) => number;
const made = new Map<string, Run>();

/** Code of an operation on the registers in memory: gives 1 if it took the slow path. */
function codeOf(name: FloatOperationName, isPacked: boolean, immediate: number): Run {
  const key = `${name} ${isPacked} ${immediate}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const facts = factsOf(effectOf(name, isPacked, immediate), true);
  const code = new FunctionCode(1);
  const registers = new RegistersCode(code, true, [0], [0]);
  const vectors = new VectorRegistersCode(code, [facts]);
  const scope = {
    code,
    registers,
    vectors,
    flags: new FlagsCode(code),
    mode64: true,
    user: false,
    accesses: undefined,
  };
  registers.load();
  vectors.load();
  const taken = code.local('i32');
  instructionCode(scope, facts, 0n, {
    toAddress: unreachable,
    toLocal: unreachable,
    slowPath: () => undefined,
    callReference: () => {
      code.i32(1);
      code.set(taken);
      code.i32(0);
    },
    leave: () => undefined,
  });
  registers.store();
  vectors.store();
  code.get(taken);
  const bytes = moduleBytes({
    types: [{ parameters: ['i32'], results: ['i32'] }],
    imports: [{ name: 'memory', kind: 'memory', pages: PAGES }],
    functions: [{ name: 'run', type: 0, code }],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { machine: { memory } });
  const run = exports['run'] as Run;
  made.set(key, run);
  return run;
}

/** Computes the row's result of as many elements as there are; gives the exceptions. */
function expectedOf(name: FloatOperationName, isPacked: boolean, control: number, immediate: number): number {
  const { from, to, element } = FLOAT_OPERATIONS[name];
  const count = isPacked ? 128 / Math.max(from, to) : 1;
  lanes.doublewords.fill(0, EXPECTED, EXPECTED + 4);
  if (!isPacked && !TO_NUMBER.test(name)) lanes.doublewords.copyWithin(EXPECTED, XMM, XMM + 4);
  const right = OF_ONE.test(name) ? XMM + 4 : XMM + 8;
  let flags = 0;
  for (let index = 0; index < count; index++) {
    const [target, source] = [EXPECTED + (index * to) / 32, (index * from) / 32];
    flags |= element(lanes, target, XMM + 4 + source, right + source, control, immediate, index);
  }
  return flags;
}

/** Ends of ranges, as the upper bits of singles and doubles: zeros, denormals, normals, infinities, NaNs. */
const EDGES = {
  32: [
    0, 1, 0x007f_ffff, 0x0080_0000, 0x0100_0000, 0x3f80_0000, 0x4eff_ffff, 0x4f00_0000, 0x7f7f_ffff, 0x7f80_0000,
    0x7f80_0001, 0x7fc0_0000,
  ],
  64: [
    0, 1, 0x000f_ffff, 0x0010_0000, 0x0020_0000, 0x3810_0000, 0x380f_ffff, 0x3ff0_0000, 0x41df_ffff, 0x41e0_0000,
    0x43e0_0000, 0x47ef_ffff, 0x7fef_ffff, 0x7ff0_0000, 0x7ff8_0000,
  ],
} as const;
const MIXED_LOW = [0, 1, 0xe000_0000, 0xffff_ffff];
const wordsOf = {
  32: (value: number) => new Uint32Array(Float32Array.of(value).buffer),
  64: (value: number) => new Uint32Array(Float64Array.of(value).buffer),
};

/** The words of one element. */
const elements = (width: 32 | 64) => {
  const edge = fc
    .tuple(fc.constantFrom(...EDGES[width]), fc.constantFrom(0, 0x8000_0000), fc.constantFrom(...MIXED_LOW))
    .map(([bits, sign, low]) => [...(width === 64 ? [low] : []), (bits | sign) >>> 0]);
  const any = (width === 64 ? fc.double({ noNaN: true }) : fc.float({ noNaN: true })).map((value) => [
    ...wordsOf[width](value),
  ]);
  const ordinary = fc
    .tuple(fc.integer({ min: -9999, max: 9999 }), fc.constantFrom(1, 2, 3, 1000))
    .map(([value, divisor]) => [...wordsOf[width](value / divisor)]);
  const positive = ordinary.map((words) => words.with(-1, (words.at(-1) ?? 0) & 0x7fff_ffff));
  return { edge, any, ordinary, positive };
};

/** Elements of one kind, and ordinary ones with another among them. */
const operand = (width: 32 | 64) => {
  const { edge, any, ordinary, positive } = elements(width);
  const count = 128 / width;
  const all = (of: typeof edge) => fc.array(of, { minLength: count, maxLength: count });
  const one = (of: typeof edge) =>
    fc.tuple(all(positive), fc.nat({ max: count - 1 }), of).map(([whole, index, other]) => whole.with(index, other));
  return fc.oneof(all(any), all(ordinary), all(positive), one(edge), one(any)).map((whole) => whole.flat());
};
/** With the flag of precision, everything masked: the rest of the time as it comes. */
const control = fc.oneof(
  { arbitrary: fc.constant(0x1fa0), weight: 3 },
  { arbitrary: fc.integer({ min: 0, max: 0xffff }), weight: 1 },
);

describe('floating-point operations', () => {
  it.each(
    GENERATED.flatMap((name) =>
      (ONLY_SCALAR.test(name) ? [false] : [false, true]).map((isPacked) => ({ name, isPacked })),
    ),
  )('$name, packed: $isPacked', ({ name, isPacked }) => {
    const { from, to } = FLOAT_OPERATIONS[name];
    let fast = 0;
    const property = fc.property(
      operand(from),
      operand(from),
      control,
      fc.integer({ min: 0, max: 15 }),
      (left, right, mxcsr, immediate) => {
        lanes.unsignedDoublewords.set([0x0123_4567, 0x89ab_cdef, 0xfedc_ba98, 0x7654_3210, ...left, ...right], XMM);
        lanes.doublewords[MXCSR] = mxcsr;
        const flags = expectedOf(name, isPacked, mxcsr, immediate);
        if (codeOf(name, isPacked, immediate)(0) === 1) return;
        fast++;
        expect(flags & ~(mxcsr & (mxcsr >> 7)), 'exceptions').toBe(0);
        const isNumber = !isPacked && TO_NUMBER.test(name);
        const [found, length] = isNumber ? [RAX, to / 32] : [XMM, 4];
        expect(lanes.doublewords.slice(found, found + length)).toEqual(
          lanes.doublewords.slice(EXPECTED, EXPECTED + length),
        );
      },
    );
    fc.assert(property, { numRuns: 400 });
    expect(fast).toBeGreaterThan(40);
  });

  it.each(NAMES)('%s is generated, or listed', (name) => {
    expect(factsOf(effectOf(name, false, 0), true).isGenerated).toBe(!BY_CALL.test(name));
  });
});
