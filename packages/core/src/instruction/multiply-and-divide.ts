// SDM, "Binary Arithmetic Instructions": MUL, IMUL, DIV and IDIV. Flags that the manual leaves undefined are as a Zen 5
// has them (test/conformance/vectors): multiplying keeps SF, ZF, AF and PF, dividing sets AF and clears the other three.
import {
  constant,
  divide,
  divideFits,
  equal,
  faultIf,
  mul,
  mulHighSigned,
  mulHighUnsigned,
  not,
  sar,
  setFlags,
  signExtend,
  write,
} from '../expression/build.js';
import type { Effect, Expression } from '../expression/nodes.js';
import { DE } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction, type EffectOperands } from './define.js';
import { AH, accumulator, concatenate, dataRegister, isNotZero, like, widthOf } from './implicit-operands.js';

/** The product of the accumulator and the operand, twice as wide: AX for bytes, else in the data register and the accumulator. */
function writeProduct(factor: Expression, high: Expression, low: Expression): Effect {
  const width = widthOf(factor);
  if (width === 8) return [write(accumulator(16), concatenate(high, low))];
  return [write(accumulator(width), low), write(dataRegister(width), high)];
}

/** Whether the high half is more than copies of the low half's sign. */
function overflowsSigned(high: Expression, low: Expression): Expression {
  return not(equal(high, sar(low, like(low, BigInt(low.width - 1)))));
}

export const MUL = defineInstruction({
  mnemonic: 'MUL',
  manual: sdm('MUL—Unsigned Multiply'),
  effect: ({ dst }) => {
    const factor = accumulator(widthOf(dst));
    const high = mulHighUnsigned(factor, dst);
    return [...writeProduct(dst, high, mul(factor, dst)), setFlags({ CF: isNotZero(high), OF: isNotZero(high) })];
  },
});

/** IMUL of one operand: like MUL. */
function multiplyAccumulator({ dst }: EffectOperands): Effect {
  const factor = accumulator(widthOf(dst));
  const [high, low] = [mulHighSigned(factor, dst), mul(factor, dst)];
  const overflow = overflowsSigned(high, low);
  return [...writeProduct(dst, high, low), setFlags({ CF: overflow, OF: overflow })];
}

/** IMUL of two or three operands: the product is cut to the destination's width. */
function multiplyInto(dst: Expression, left: Expression, right: Expression): Effect {
  const low = mul(left, right);
  const overflow = overflowsSigned(mulHighSigned(left, right), low);
  return [write(dst, low), setFlags({ CF: overflow, OF: overflow })];
}

export const IMUL = defineInstruction({
  mnemonic: 'IMUL',
  manual: sdm('IMUL—Signed Multiply'),
  effect: (operands) => {
    if (operands.operandCount === 1) return multiplyAccumulator(operands);
    const { dst, src } = operands;
    if (operands.operandCount === 2) return multiplyInto(dst, dst, src);
    return multiplyInto(dst, src, signExtend(operands.third, widthOf(dst)));
  },
});

const CLEAR = constant(1, 0n);

function divideAccumulator(signed: boolean, rule: string): (operands: EffectOperands) => Effect {
  return ({ dst: divisor }) => {
    const width = widthOf(divisor);
    const [high, low] = width === 8 ? [AH, accumulator(8)] : [dataRegister(width), accumulator(width)];
    const quotient = divide('quotient', signed, high, low, divisor);
    const remainder = divide('remainder', signed, high, low, divisor);
    return [
      faultIf(not(divideFits(signed, high, low, divisor)), DE, rule),
      write(low, quotient),
      write(high, remainder),
      setFlags({ SF: CLEAR, ZF: CLEAR, AF: not(CLEAR), PF: CLEAR }),
    ];
  };
}

export const DIV = defineInstruction({
  mnemonic: 'DIV',
  manual: sdm('DIV—Unsigned Divide'),
  effect: divideAccumulator(false, 'core.div.quotient'),
});

export const IDIV = defineInstruction({
  mnemonic: 'IDIV',
  manual: sdm('IDIV—Signed Divide'),
  effect: divideAccumulator(true, 'core.idiv.quotient'),
});
