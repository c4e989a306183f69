// SDM, "SSE Data Transfer Instructions" and those of SSE2, SSE3 and SSE4.1: what moves without computing.
import { truncate, write, zeroExtend } from '../../expression/build.js';
import { lane, unaligned, vector, withLane, zeroExtended } from '../../expression/build-vector.js';
import type { Effect, Expression, Lane } from '../../expression/nodes.js';
import type { SdmTitle } from '../../manual/sdm.js';
import type { VectorOperationName } from '../../vector/operations.js';
import type { EffectOperands } from '../define.js';
import { defineSse, immediateOf } from './availability.js';

type ElementWidth = Lane['width'];

/** An element in the low bits of an XMM register, or an operand that is no more than that. */
export function scalarOf(operand: Expression, width: ElementWidth): Expression {
  return operand.width === 128 ? lane(operand, width, 0) : truncate(operand, width);
}

/** A vector from half a vector in memory; a register is one. */
export function lowHalf(operand: Expression): Expression {
  return operand.width === 128 ? operand : zeroExtended(operand);
}

const WHOLE = (
  [
    ['MOVAPS', 'MOVAPS—Move Aligned Packed Single Precision Floating-Point Values'],
    ['MOVAPD', 'MOVAPD—Move Aligned Packed Double Precision Floating-Point Values'],
    ['MOVDQA', 'MOVDQA/VMOVDQA32/64—Move Aligned Packed Integer Values'],
    ['MOVNTPS', 'MOVNTPS—Store Packed Single Precision Floating-Point Values Using Non-Temporal Hint'],
    ['MOVNTPD', 'MOVNTPD—Store Packed Double Precision Floating-Point Values Using Non-Temporal Hint'],
    ['MOVNTDQ', 'MOVNTDQ—Store Packed Integers Using Non-Temporal Hint'],
    ['MOVNTDQA', 'MOVNTDQA—Load Double Quadword Non-Temporal Aligned Hint'],
  ] as const satisfies readonly (readonly [string, SdmTitle])[]
).map(([mnemonic, title]) => defineSse(mnemonic, title, ({ dst, src }) => [write(dst, src)]));

const WHOLE_UNALIGNED = (
  [
    ['MOVUPS', 'MOVUPS—Move Unaligned Packed Single Precision Floating-Point Values'],
    ['MOVUPD', 'MOVUPD—Move Unaligned Packed Double Precision Floating-Point Values'],
    ['MOVDQU', 'MOVDQU/VMOVDQU8/16/32/64—Move Unaligned Packed Integer Values'],
    ['LDDQU', 'LDDQU—Load Unaligned Integer 128 Bits'],
  ] as const satisfies readonly (readonly [string, SdmTitle])[]
).map(([mnemonic, title]) => defineSse(mnemonic, title, ({ dst, src }) => [write(unaligned(dst), unaligned(src))]));

/** From memory the rest of the register becomes 0, from a register it stays. */
const scalarMove =
  (width: 32 | 64) =>
  ({ dst, src }: EffectOperands): Effect => {
    if (dst.kind !== 'vectorRegister') return [write(dst, lane(src, width, 0))];
    return [write(dst, src.width === 128 ? withLane(dst, 0, lane(src, width, 0)) : zeroExtended(src))];
  };

/** To or from a general register, memory, or (MOVQ) another XMM register: what is above becomes 0. */
const elementMove = ({ dst, src }: EffectOperands): Effect => {
  if (dst.kind !== 'vectorRegister') return [write(dst, lane(src, dst.width as ElementWidth, 0))];
  return [write(dst, zeroExtended(src.width === 128 ? lane(src, 64, 0) : src))];
};

const half =
  (index: 0 | 1) =>
  ({ dst, src }: EffectOperands): Effect =>
    dst.kind === 'vectorRegister' ? [write(dst, withLane(dst, index, src))] : [write(dst, lane(src, 64, index))];

const crossed =
  (to: 0 | 1) =>
  ({ dst, src }: EffectOperands): Effect => [write(dst, withLane(dst, to, lane(src, 64, 1 - to)))];

const duplicated =
  (operation: VectorOperationName) =>
  ({ dst, src }: EffectOperands): Effect => [write(dst, vector(operation, [lowHalf(src)]))];

const signMask =
  (operation: VectorOperationName) =>
  ({ dst, src }: EffectOperands): Effect => [
    write(dst, zeroExtend(vector(operation, [src], { width: 32 }), dst.width)),
  ];

/** Of the immediate, the bits that number elements. */
const elementOf = (immediate: Expression, width: ElementWidth): number => immediateOf(immediate) & (128 / width - 1);

const extract =
  (width: ElementWidth) =>
  ({ dst, src, third }: EffectOperands): Effect => [
    write(dst, zeroExtend(lane(src, width, elementOf(third, width)), dst.width)),
  ];

const insert =
  (width: ElementWidth) =>
  ({ dst, src, third }: EffectOperands): Effect => [
    write(dst, withLane(dst, elementOf(third, width), truncate(src, width))),
  ];

/** From memory, bits 7:6 of the immediate choose nothing: there is one element. */
const insertSingle = ({ dst, src, third }: EffectOperands): Effect => {
  const immediate = src.width === 128 ? immediateOf(third) : immediateOf(third) & 0x3f;
  return [write(dst, vector('insert32', [dst, lowHalf(src)], { immediate }))];
};

const PARTS = (
  [
    ['MOVSS', 'MOVSS—Move or Merge Scalar Single Precision Floating-Point Value', scalarMove(32)],
    ['MOVSD xmm', 'MOVSD—Move or Merge Scalar Double Precision Floating-Point Value', scalarMove(64)],
    ['MOVD', 'MOVD/MOVQ—Move Doubleword/Move Quadword', elementMove],
    ['MOVQ', 'MOVQ—Move Quadword', elementMove],
    ['MOVLPS', 'MOVLPS—Move Low Packed Single Precision Floating-Point Values', half(0)],
    ['MOVLPD', 'MOVLPD—Move Low Packed Double Precision Floating-Point Value', half(0)],
    ['MOVHPS', 'MOVHPS—Move High Packed Single Precision Floating-Point Values', half(1)],
    ['MOVHPD', 'MOVHPD—Move High Packed Double Precision Floating-Point Value', half(1)],
    ['MOVHLPS', 'MOVHLPS—Move Packed Single Precision Floating-Point Values High to Low', crossed(0)],
    ['MOVLHPS', 'MOVLHPS—Move Packed Single Precision Floating-Point Values Low to High', crossed(1)],
    ['MOVDDUP', 'MOVDDUP—Replicate Double Precision Floating-Point Values', duplicated('duplicateLow64')],
    ['MOVSLDUP', 'MOVSLDUP—Replicate Single Precision Floating-Point Values', duplicated('duplicateEven32')],
    ['MOVSHDUP', 'MOVSHDUP—Replicate Single Precision Floating-Point Values', duplicated('duplicateOdd32')],
    ['MOVMSKPS', 'MOVMSKPS—Extract Packed Single Precision Floating-Point Sign Mask', signMask('signs32')],
    ['MOVMSKPD', 'MOVMSKPD—Extract Packed Double Precision Floating-Point Sign Mask', signMask('signs64')],
    ['PMOVMSKB', 'PMOVMSKB—Move Byte Mask', signMask('signs8')],
    ['EXTRACTPS', 'EXTRACTPS—Extract Packed Floating-Point Values', extract(32)],
    ['PEXTRB', 'PEXTRB/PEXTRD/PEXTRQ—Extract Byte/Dword/Qword', extract(8)],
    ['PEXTRW', 'PEXTRW—Extract Word', extract(16)],
    ['PEXTRD', 'PEXTRB/PEXTRD/PEXTRQ—Extract Byte/Dword/Qword', extract(32)],
    ['PEXTRQ', 'PEXTRB/PEXTRD/PEXTRQ—Extract Byte/Dword/Qword', extract(64)],
    ['INSERTPS', 'INSERTPS—Insert Scalar Single Precision Floating-Point Value', insertSingle],
    ['PINSRB', 'PINSRB/PINSRD/PINSRQ—Insert Byte/Dword/Qword', insert(8)],
    ['PINSRW', 'PINSRW—Insert Word', insert(16)],
    ['PINSRD', 'PINSRB/PINSRD/PINSRQ—Insert Byte/Dword/Qword', insert(32)],
    ['PINSRQ', 'PINSRB/PINSRD/PINSRQ—Insert Byte/Dword/Qword', insert(64)],
  ] as const satisfies readonly (readonly [string, SdmTitle, (operands: EffectOperands) => Effect])[]
).map(([mnemonic, title, effect]) => defineSse(mnemonic, title, effect));

const SIGN_EXTENSION = 'PMOVSX—Packed Move With Sign Extend';
const ZERO_EXTENSION = 'PMOVZX—Packed Move With Zero Extend';

const EXTENSIONS = (
  [
    ['PMOVSXBW', SIGN_EXTENSION, 'signExtend8to16'],
    ['PMOVSXBD', SIGN_EXTENSION, 'signExtend8to32'],
    ['PMOVSXBQ', SIGN_EXTENSION, 'signExtend8to64'],
    ['PMOVSXWD', SIGN_EXTENSION, 'signExtend16to32'],
    ['PMOVSXWQ', SIGN_EXTENSION, 'signExtend16to64'],
    ['PMOVSXDQ', SIGN_EXTENSION, 'signExtend32to64'],
    ['PMOVZXBW', ZERO_EXTENSION, 'zeroExtend8to16'],
    ['PMOVZXBD', ZERO_EXTENSION, 'zeroExtend8to32'],
    ['PMOVZXBQ', ZERO_EXTENSION, 'zeroExtend8to64'],
    ['PMOVZXWD', ZERO_EXTENSION, 'zeroExtend16to32'],
    ['PMOVZXWQ', ZERO_EXTENSION, 'zeroExtend16to64'],
    ['PMOVZXDQ', ZERO_EXTENSION, 'zeroExtend32to64'],
  ] as const satisfies readonly (readonly [string, SdmTitle, VectorOperationName])[]
).map(([mnemonic, title, operation]) =>
  defineSse(mnemonic, title, ({ dst, src }) => [write(dst, vector(operation, [lowHalf(src)]))]),
);

export const VECTOR_MOVES = [...WHOLE, ...WHOLE_UNALIGNED, ...PARTS, ...EXTENSIONS];
