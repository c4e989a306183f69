// Operations on lanes in generated code give what their rows compute (vector/operations.ts), for any operands.
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
import { vector, vectorRegister } from '../../src/expression/build-vector.js';
import type { Effect } from '../../src/expression/nodes.js';
import { slotOf } from '../../src/register/register-file.js';
import { lanesOf } from '../../src/vector/lanes.js';
import { VECTOR_OPERATIONS, type VectorOperationName } from '../../src/vector/operations.js';

/** What the opening comment of vector-code.ts lists. */
const BY_CALL = /^(multipleSumsOfDifferences|leastWord|aes\w+|carryLessProduct|compare\w+)$/;
/** Operations whose result is a number. */
const NUMBERS = /^(signs\d+|test)$/;
const NAMES = Object.keys(VECTOR_OPERATIONS) as VectorOperationName[];

const PAGES = 1;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const lanes = lanesOf(new Int32Array(memory.buffer));
/** Words of XMM0 and of those behind it, and of RAX; the row leaves its result far from them. */
const [XMM, RAX, EXPECTED] = [slotOf('XMM0') * 2, slotOf('RAX') * 2, 0x3000];

function effectOf(operation: VectorOperationName, immediate: number): Effect {
  const operands = [1, 2, 3].map(vectorRegister);
  if (NUMBERS.test(operation)) {
    const count = operation === 'test' ? 2 : 1;
    return [write(general(0, 32), vector(operation, operands.slice(0, count), { width: 32, immediate }))];
  }
  return [write(vectorRegister(0), vector(operation, operands.slice(0, operandsOf(operation)), { immediate }))];
}

/** As many as an instruction gives. */
function operandsOf(operation: VectorOperationName): number {
  if (/^blendBySigns/.test(operation)) return 3;
  return /Extend|^shuffle(32|Low|High)|^duplicate|By$|^shiftBytes/.test(operation) ? 1 : 2;
}

const unreachable = (): never => {
  throw new InternalError('nothing here leaves generated code');
};

/** Runs the code of an effect on the registers in memory. */
function run(effect: Effect): void {
  const facts = factsOf(effect, true);
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
  const exits = { toAddress: unreachable, toLocal: unreachable, slowPath: unreachable, callReference: unreachable };
  instructionCode(scope, facts, 0n, { ...exits, leave: unreachable });
  registers.store();
  vectors.store();
  code.get({ index: 0, type: 'i32' });
  const bytes = moduleBytes({
    types: [{ parameters: ['i32'], results: ['i32'] }],
    imports: [{ name: 'memory', kind: 'memory', pages: PAGES }],
    functions: [{ name: 'run', type: 0, code }],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { machine: { memory } });
  (exports['run'] as (left: number) => number)(0);
}

const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0x81, 0xff), fc.integer({ min: 0, max: 0xff }));
const anyBytes = fc.array(byte, { minLength: 16, maxLength: 16 });
/** Lanes of one value, and small numbers as they are counts of shifts. */
const operand = fc.oneof(
  { arbitrary: anyBytes, weight: 3 },
  {
    arbitrary: fc.tuple(byte, byte).map(([low, high]) => Array.from({ length: 16 }, (_, i) => (i & 1 ? high : low))),
    weight: 1,
  },
  {
    arbitrary: fc.integer({ min: 0, max: 70 }).map((count) => [count, ...Array.from({ length: 15 }, () => 0)]),
    weight: 1,
  },
);
const immediates = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 0xff }));

describe('operations on lanes', () => {
  it.each(NAMES.filter((name) => !BY_CALL.test(name)))('%s', (name) => {
    const property = fc.property(operand, operand, operand, immediates, (first, second, third, immediate) => {
      for (const [index, bytes] of [first, second, third].entries()) lanes.bytes.set(bytes, (XMM + 4 + index * 4) * 4);
      const [left, right] = operandsOf(name) === 1 ? [XMM + 4, XMM + 4] : [XMM + 4, XMM + 8];
      VECTOR_OPERATIONS[name].compute(lanes, EXPECTED, left, right, 16, immediate, XMM + 12);
      run(effectOf(name, immediate));
      const [found, length] = NUMBERS.test(name) ? [RAX, 1] : [XMM, 4];
      expect(lanes.doublewords.slice(found, found + length)).toEqual(
        lanes.doublewords.slice(EXPECTED, EXPECTED + length),
      );
    });
    fc.assert(property, { numRuns: 150 });
  });

  it.each(NAMES)('%s is generated for XMM registers, or listed', (name) => {
    expect(factsOf(effectOf(name, 0), true).isGenerated).toBe(!BY_CALL.test(name));
  });
});
