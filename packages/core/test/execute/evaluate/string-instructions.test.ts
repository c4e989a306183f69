// String instructions in closures against the oracle: any of them, in all address sizes, from any state.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, general, memory, zeroExtend } from '../../../src/expression/build.js';
import type { Effect, Expression, SegmentName } from '../../../src/expression/nodes.js';
import type { EffectOperands, ExpressionInstruction } from '../../../src/instruction/define.js';
import { STRING_INSTRUCTIONS } from '../../../src/instruction/string.js';
import { start } from './arbitrary-start.js';
import { OracleProcessor, Processor } from './processor.js';

const WIDTHS = { B: 8, W: 16, D: 32, Q: 64 } as const;
/** The explicit operands as decoded: the source of MOVS and LODS, and the first one of CMPS, takes a segment override. */
const SHAPES = {
  MOVS: ['di', 'si'],
  CMPS: ['si', 'di'],
  SCAS: ['a', 'di'],
  LODS: ['a', 'si'],
  STOS: ['di', 'a'],
} as const;

interface Form {
  readonly instruction: ExpressionInstruction;
  readonly repeat: EffectOperands['repeat'];
  readonly addressWidth: 16 | 32 | 64;
  readonly segment: SegmentName;
  readonly here: bigint;
}

const form: fc.Arbitrary<Form> = fc.record({
  instruction: fc.constantFrom(...STRING_INSTRUCTIONS),
  repeat: fc.constantFrom('none', 'rep', 'repne'),
  addressWidth: fc.constantFrom(16, 32, 64),
  segment: fc.constantFrom('DS', 'FS', 'SS'),
  here: fc.constantFrom(0x1000n, 0xffff_ffff_8000_0000n, 0x8000_0000_0000n),
});

function effectOf({ instruction, repeat, addressWidth, segment, here }: Form): Effect {
  const width = WIDTHS[instruction.mnemonic.at(-1) as keyof typeof WIDTHS];
  const at = (name: SegmentName, index: number): Expression =>
    memory(width, name, zeroExtend(general(index, addressWidth), 64));
  const operands = { a: general(0, width), si: at(segment, 6), di: at('ES', 7) };
  const [dst, src] = SHAPES[instruction.mnemonic.slice(0, 4) as keyof typeof SHAPES];
  return instruction.effect({
    dst: operands[dst],
    src: operands[src],
    third: operands.a,
    operandCount: 2,
    operandWidth: width === 8 ? 32 : width,
    addressWidth,
    stackWidth: 64,
    repeat,
    here: constant(64, here),
    next: constant(64, here + 2n),
    address: operands.si,
  });
}

const count = fc.constantFrom<bigint | undefined>(undefined, 0n, 1n, 2n, 0x1_0000n, 0x1_0000_0001n, 0x7_0000_0000n);

describe('a string instruction', () => {
  it('does in closures what its expression says', () => {
    fc.assert(
      fc.property(start, fc.array(form, { minLength: 1, maxLength: 3 }), count, (from, forms, rcx) => {
        const registers = from.registers.map((value, index) => (index === 1 ? (rcx ?? value) : value));
        const [processor, oracle] = [
          new Processor({ ...from, registers }),
          new OracleProcessor({ ...from, registers }),
        ];
        for (const effect of forms.map(effectOf)) {
          for (let iteration = 0; iteration < 3; iteration++) expect(processor.run(effect)).toEqual(oracle.run(effect));
        }
        expect(processor.seen()).toEqual(oracle.seen());
      }),
      { numRuns: 1500 },
    );
  });

  it('touches nothing when it has a count of 0', () => {
    fc.assert(
      fc.property(start, form, (from, each) => {
        const registers = from.registers.map((value, index) => (index === 1 ? 0n : value));
        const [processor, untouched] = [new Processor({ ...from, registers }), new Processor({ ...from, registers })];
        const repeated = { ...each, repeat: 'rep' } as const;
        expect(processor.run(effectOf(repeated))).toBeUndefined();
        const { rip, ...rest } = processor.seen();
        const { rip: _, ...before } = untouched.seen();
        expect(rest).toEqual(before);
        expect(rip).toBe(from.next.toString(16).padStart(16, '0'));
      }),
    );
  });
});
