// SDM, "String and Text Processing Instructions" of SSE4.2: PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM. What is compared
// is in vector/string-comparison.ts. The only instructions of SSE4 whose memory operand need not be aligned.
import {
  bit,
  constant,
  general,
  setFlags,
  shr,
  signExtend,
  truncate,
  write,
  zeroExtend,
} from '../../expression/build.js';
import { unaligned, vector, vectorRegister, withLane, ZERO_VECTOR } from '../../expression/build-vector.js';
import type { Effect, Expression } from '../../expression/nodes.js';
import type { SdmTitle } from '../../manual/sdm.js';
import type { EffectOperands } from '../define.js';
import { defineSse, immediateOf } from './availability.js';

/** Where the lengths are: in EAX and EDX, or RAX and RDX with REX.W, or before the first zero. */
type Lengths = 32 | 64 | 'implicit';

/** Both lengths as a vector of two signed quadwords. */
function explicitLengths(width: 32 | 64): Expression {
  const [first, second] = [0, 2].map((index) => signExtend(general(index, width), 64)) as [Expression, Expression];
  return withLane(withLane(ZERO_VECTOR, 0, first), 1, second);
}

/** Bits 3:0 of the summary. */
function flagsOf(summary: Expression): Effect[number] {
  const clear = constant(1, 0n);
  const [CF, ZF, SF, OF] = [0, 1, 2, 3].map((index) => bit(summary, index)) as [
    Expression,
    Expression,
    Expression,
    Expression,
  ];
  return setFlags({ CF, ZF, SF, OF, AF: clear, PF: clear });
}

const comparison =
  (lengths: Lengths, givesMask: boolean) =>
  ({ dst, src, third }: EffectOperands): Effect => {
    const strings = [dst, unaligned(src)];
    const operands = lengths === 'implicit' ? strings : [...strings, explicitLengths(lengths)];
    const immediate = immediateOf(third);
    const name = lengths === 'implicit' ? 'compareImplicit' : 'compareExplicit';
    const summary = vector(name, operands, { width: 32, immediate });
    const index = zeroExtend(truncate(shr(summary, constant(32, 8n)), 8), 32);
    const result = givesMask
      ? write(vectorRegister(0), vector(`${name}Mask`, operands, { immediate }))
      : write(general(1, 32), index);
    return [flagsOf(summary), result];
  };

const EXPLICIT_INDEX = 'PCMPESTRI—Packed Compare Explicit Length Strings, Return Index';
const EXPLICIT_MASK = 'PCMPESTRM—Packed Compare Explicit Length Strings, Return Mask';

export const STRING_COMPARISONS = (
  [
    ['PCMPESTRI', EXPLICIT_INDEX, 32, false],
    ['PCMPESTRI64', EXPLICIT_INDEX, 64, false],
    ['PCMPESTRM', EXPLICIT_MASK, 32, true],
    ['PCMPESTRM64', EXPLICIT_MASK, 64, true],
    ['PCMPISTRI', 'PCMPISTRI—Packed Compare Implicit Length Strings, Return Index', 'implicit', false],
    ['PCMPISTRM', 'PCMPISTRM—Packed Compare Implicit Length Strings, Return Mask', 'implicit', true],
  ] as const satisfies readonly (readonly [string, SdmTitle, Lengths, boolean])[]
).map(([mnemonic, title, lengths, givesMask]) => defineSse(mnemonic, title, comparison(lengths, givesMask)));
