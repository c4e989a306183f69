// SDM, "SSE2 128-Bit SIMD Integer Instructions" and those of SSSE3 and SSE4: integer arithmetic, comparison, logic, shifts
// and shuffles on XMM registers. A row is a mnemonic and the operation of vector/operations.ts that it is.
import { bit, constant, setFlags, write } from '../../expression/build.js';
import { vector, vectorRegister } from '../../expression/build-vector.js';
import type { SdmTitle } from '../../manual/sdm.js';
import type { VectorOperationName } from '../../vector/operations.js';
import { defineSse, immediateOf } from './availability.js';

/** A section of the manual with its instructions. */
export type Section = readonly [title: SdmTitle, rows: Readonly<Record<string, VectorOperationName>>];

/** Destination and source to the destination. */
export const TWO_OPERANDS: readonly Section[] = [
  ['PADDB/PADDW/PADDD/PADDQ—Add Packed Integers', { PADDB: 'add8', PADDW: 'add16', PADDD: 'add32', PADDQ: 'add64' }],
  [
    'PADDSB/PADDSW—Add Packed Signed Integers with Signed Saturation',
    { PADDSB: 'addSaturateSigned8', PADDSW: 'addSaturateSigned16' },
  ],
  [
    'PADDUSB/PADDUSW—Add Packed Unsigned Integers With Unsigned Saturation',
    { PADDUSB: 'addSaturateUnsigned8', PADDUSW: 'addSaturateUnsigned16' },
  ],
  ['PSUBB/PSUBW/PSUBD—Subtract Packed Integers', { PSUBB: 'sub8', PSUBW: 'sub16', PSUBD: 'sub32' }],
  ['PSUBQ—Subtract Packed Quadword Integers', { PSUBQ: 'sub64' }],
  [
    'PSUBSB/PSUBSW—Subtract Packed Signed Integers With Signed Saturation',
    { PSUBSB: 'subSaturateSigned8', PSUBSW: 'subSaturateSigned16' },
  ],
  [
    'PSUBUSB/PSUBUSW—Subtract Packed Unsigned Integers With Unsigned Saturation',
    { PSUBUSB: 'subSaturateUnsigned8', PSUBUSW: 'subSaturateUnsigned16' },
  ],
  ['PMADDWD—Multiply and Add Packed Integers', { PMADDWD: 'multiplyAdd16' }],
  ['PMADDUBSW—Multiply and Add Packed Signed and Unsigned Bytes', { PMADDUBSW: 'multiplyAdd8' }],
  ['PMULHUW—Multiply Packed Unsigned Integers and Store High Result', { PMULHUW: 'multiplyHighUnsigned16' }],
  ['PMULHW—Multiply Packed Signed Integers and Store High Result', { PMULHW: 'multiplyHighSigned16' }],
  ['PMULHRSW—Packed Multiply High With Round and Scale', { PMULHRSW: 'multiplyHighRounded16' }],
  ['PMULLW—Multiply Packed Signed Integers and Store Low Result', { PMULLW: 'multiplyLow16' }],
  ['PMULLD/PMULLQ—Multiply Packed Integers and Store Low Result', { PMULLD: 'multiplyLow32' }],
  ['PMULUDQ—Multiply Packed Unsigned Doubleword Integers', { PMULUDQ: 'multiplyUnsigned32' }],
  ['PMULDQ—Multiply Packed Doubleword Integers', { PMULDQ: 'multiplySigned32' }],
  ['PSADBW—Compute Sum of Absolute Differences', { PSADBW: 'sumOfDifferences' }],
  ['PAVGB/PAVGW—Average Packed Integers', { PAVGB: 'average8', PAVGW: 'average16' }],
  ['PHADDW/PHADDD—Packed Horizontal Add', { PHADDW: 'horizontalAdd16', PHADDD: 'horizontalAdd32' }],
  ['PHADDSW—Packed Horizontal Add and Saturate', { PHADDSW: 'horizontalAddSaturate16' }],
  ['PHSUBW/PHSUBD—Packed Horizontal Subtract', { PHSUBW: 'horizontalSub16', PHSUBD: 'horizontalSub32' }],
  ['PHSUBSW—Packed Horizontal Subtract and Saturate', { PHSUBSW: 'horizontalSubSaturate16' }],
  ['PSIGNB/PSIGNW/PSIGND—Packed SIGN', { PSIGNB: 'withSign8', PSIGNW: 'withSign16', PSIGND: 'withSign32' }],
  [
    'PMAXSB/PMAXSW/PMAXSD/PMAXSQ—Maximum of Packed Signed Integers',
    { PMAXSB: 'maxSigned8', PMAXSW: 'maxSigned16', PMAXSD: 'maxSigned32' },
  ],
  ['PMAXUB/PMAXUW—Maximum of Packed Unsigned Integers', { PMAXUB: 'maxUnsigned8', PMAXUW: 'maxUnsigned16' }],
  ['PMAXUD/PMAXUQ—Maximum of Packed Unsigned Integers', { PMAXUD: 'maxUnsigned32' }],
  ['PMINSB/PMINSW—Minimum of Packed Signed Integers', { PMINSB: 'minSigned8', PMINSW: 'minSigned16' }],
  ['PMINSD/PMINSQ—Minimum of Packed Signed Integers', { PMINSD: 'minSigned32' }],
  ['PMINUB/PMINUW—Minimum of Packed Unsigned Integers', { PMINUB: 'minUnsigned8', PMINUW: 'minUnsigned16' }],
  ['PMINUD/PMINUQ—Minimum of Packed Unsigned Integers', { PMINUD: 'minUnsigned32' }],
  [
    'PCMPEQB/PCMPEQW/PCMPEQD—Compare Packed Data for Equal',
    { PCMPEQB: 'equal8', PCMPEQW: 'equal16', PCMPEQD: 'equal32' },
  ],
  ['PCMPEQQ—Compare Packed Qword Data for Equal', { PCMPEQQ: 'equal64' }],
  [
    'PCMPGTB/PCMPGTW/PCMPGTD—Compare Packed Signed Integers for Greater Than',
    { PCMPGTB: 'greaterSigned8', PCMPGTW: 'greaterSigned16', PCMPGTD: 'greaterSigned32' },
  ],
  ['PCMPGTQ—Compare Packed Data for Greater Than', { PCMPGTQ: 'greaterSigned64' }],
  ['PAND—Logical AND', { PAND: 'and' }],
  ['PANDN—Logical AND NOT', { PANDN: 'andNot' }],
  ['POR—Bitwise Logical OR', { POR: 'or' }],
  ['PXOR—Logical Exclusive OR', { PXOR: 'xor' }],
  ['ANDPS—Bitwise Logical AND of Packed Single Precision Floating-Point Values', { ANDPS: 'and' }],
  ['ANDPD—Bitwise Logical AND of Packed Double Precision Floating-Point Values', { ANDPD: 'and' }],
  ['ANDNPS—Bitwise Logical AND NOT of Packed Single Precision Floating-Point Values', { ANDNPS: 'andNot' }],
  ['ANDNPD—Bitwise Logical AND NOT of Packed Double Precision Floating-Point Values', { ANDNPD: 'andNot' }],
  ['ORPS—Bitwise Logical OR of Packed Single Precision Floating-Point Values', { ORPS: 'or' }],
  ['ORPD—Bitwise Logical OR of Packed Double Precision Floating-Point Values', { ORPD: 'or' }],
  ['XORPS—Bitwise Logical XOR of Packed Single Precision Floating-Point Values', { XORPS: 'xor' }],
  ['XORPD—Bitwise Logical XOR of Packed Double Precision Floating-Point Values', { XORPD: 'xor' }],
  ['PACKSSWB/PACKSSDW—Pack With Signed Saturation', { PACKSSWB: 'packSigned16', PACKSSDW: 'packSigned32' }],
  ['PACKUSWB—Pack With Unsigned Saturation', { PACKUSWB: 'packUnsigned16' }],
  ['PACKUSDW—Pack With Unsigned Saturation', { PACKUSDW: 'packUnsigned32' }],
  [
    'PUNPCKLBW/PUNPCKLWD/PUNPCKLDQ/PUNPCKLQDQ—Unpack Low Data',
    {
      PUNPCKLBW: 'interleaveLow8',
      PUNPCKLWD: 'interleaveLow16',
      PUNPCKLDQ: 'interleaveLow32',
      PUNPCKLQDQ: 'interleaveLow64',
    },
  ],
  [
    'PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ—Unpack High Data',
    {
      PUNPCKHBW: 'interleaveHigh8',
      PUNPCKHWD: 'interleaveHigh16',
      PUNPCKHDQ: 'interleaveHigh32',
      PUNPCKHQDQ: 'interleaveHigh64',
    },
  ],
  ['UNPCKLPS—Unpack and Interleave Low Packed Single Precision Floating-Point Values', { UNPCKLPS: 'interleaveLow32' }],
  ['UNPCKLPD—Unpack and Interleave Low Packed Double Precision Floating-Point Values', { UNPCKLPD: 'interleaveLow64' }],
  [
    'UNPCKHPS—Unpack and Interleave High Packed Single Precision Floating-Point Values',
    { UNPCKHPS: 'interleaveHigh32' },
  ],
  [
    'UNPCKHPD—Unpack and Interleave High Packed Double Precision Floating-Point Values',
    { UNPCKHPD: 'interleaveHigh64' },
  ],
  ['PSHUFB—Packed Shuffle Bytes', { PSHUFB: 'shuffleBytes' }],
  ['AESENC—Perform One Round of an AES Encryption Flow', { AESENC: 'aesEncrypt' }],
  ['AESENCLAST—Perform Last Round of an AES Encryption Flow', { AESENCLAST: 'aesEncryptLast' }],
  ['AESDEC—Perform One Round of an AES Decryption Flow', { AESDEC: 'aesDecrypt' }],
  ['AESDECLAST—Perform Last Round of an AES Decryption Flow', { AESDECLAST: 'aesDecryptLast' }],
];

/** The source alone to the destination. */
export const ONE_OPERAND: readonly Section[] = [
  ['PABSB/PABSW/PABSD/PABSQ—Packed Absolute Value', { PABSB: 'absolute8', PABSW: 'absolute16', PABSD: 'absolute32' }],
  ['PHMINPOSUW—Packed Horizontal Word Minimum', { PHMINPOSUW: 'leastWord' }],
  ['AESIMC—Perform the AES InvMixColumn Transformation', { AESIMC: 'aesInverseMixColumns' }],
];

/** The source and an immediate to the destination. */
const ONE_OPERAND_IMMEDIATE: readonly Section[] = [
  ['PSHUFD—Shuffle Packed Doublewords', { PSHUFD: 'shuffle32' }],
  ['PSHUFHW—Shuffle Packed High Words', { PSHUFHW: 'shuffleHigh16' }],
  ['PSHUFLW—Shuffle Packed Low Words', { PSHUFLW: 'shuffleLow16' }],
  ['AESKEYGENASSIST—AES Round Key Generation Assist', { AESKEYGENASSIST: 'aesKeyAssist' }],
];

/** Destination, source and an immediate to the destination. */
export const TWO_OPERANDS_IMMEDIATE: readonly Section[] = [
  ['PALIGNR—Packed Align Right', { PALIGNR: 'alignBytes' }],
  ['MPSADBW—Compute Multiple Packed Sums of Absolute Difference', { MPSADBW: 'multipleSumsOfDifferences' }],
  ['PBLENDW—Blend Packed Words', { PBLENDW: 'blend16' }],
  ['BLENDPS—Blend Packed Single Precision Floating-Point Values', { BLENDPS: 'blend32' }],
  ['BLENDPD—Blend Packed Double Precision Floating-Point Values', { BLENDPD: 'blend64' }],
  [
    'SHUFPS—Packed Interleave Shuffle of Quadruplets of Single Precision Floating-Point Values',
    { SHUFPS: 'shuffleTwo32' },
  ],
  ['SHUFPD—Packed Interleave Shuffle of Pairs of Double Precision Floating-Point Values', { SHUFPD: 'shuffleTwo64' }],
  ['PCLMULQDQ—Carry-Less Multiplication Quadword', { PCLMULQDQ: 'carryLessProduct' }],
];

/** XMM0 is the mask. */
const BLENDS: readonly Section[] = [
  ['PBLENDVB—Variable Blend Packed Bytes', { PBLENDVB: 'blendBySigns8' }],
  ['BLENDVPS—Variable Blend Packed Single Precision Floating-Point Values', { BLENDVPS: 'blendBySigns32' }],
  ['BLENDVPD—Variable Blend Packed Double Precision Floating-Point Values', { BLENDVPD: 'blendBySigns64' }],
];

/** By an immediate, or by the low quadword of the source: two operations. */
export const SHIFTS: readonly (readonly [
  SdmTitle,
  Readonly<Record<string, readonly [byVector: VectorOperationName, byImmediate: VectorOperationName]>>,
])[] = [
  [
    'PSLLW/PSLLD/PSLLQ—Shift Packed Data Left Logical',
    {
      PSLLW: ['shiftLeft16', 'shiftLeft16By'],
      PSLLD: ['shiftLeft32', 'shiftLeft32By'],
      PSLLQ: ['shiftLeft64', 'shiftLeft64By'],
    },
  ],
  [
    'PSRAW/PSRAD/PSRAQ—Shift Packed Data Right Arithmetic',
    {
      PSRAW: ['shiftRightSigned16', 'shiftRightSigned16By'],
      PSRAD: ['shiftRightSigned32', 'shiftRightSigned32By'],
    },
  ],
  [
    'PSRLW/PSRLD/PSRLQ—Shift Packed Data Right Logical',
    {
      PSRLW: ['shiftRight16', 'shiftRight16By'],
      PSRLD: ['shiftRight32', 'shiftRight32By'],
      PSRLQ: ['shiftRight64', 'shiftRight64By'],
    },
  ],
  ['PSLLDQ—Shift Double Quadword Left Logical', { PSLLDQ: ['shiftBytesLeft', 'shiftBytesLeft'] }],
  ['PSRLDQ—Shift Double Quadword Right Logical', { PSRLDQ: ['shiftBytesRight', 'shiftBytesRight'] }],
];

function declared(
  sections: readonly Section[],
  declare: (mnemonic: string, title: SdmTitle, operation: VectorOperationName) => ReturnType<typeof defineSse>,
) {
  return sections.flatMap(([title, rows]) =>
    Object.entries(rows).map(([mnemonic, operation]) => declare(mnemonic, title, operation)),
  );
}

const PTEST = defineSse('PTEST', 'PTEST—Logical Compare', ({ dst, src }) => {
  const result = vector('test', [dst, src], { width: 32 });
  const clear = constant(1, 0n);
  return [setFlags({ ZF: bit(result, 0), CF: bit(result, 1), PF: clear, AF: clear, SF: clear, OF: clear })];
});

export const PACKED_INTEGER = [
  ...declared(TWO_OPERANDS, (mnemonic, title, operation) =>
    defineSse(mnemonic, title, ({ dst, src }) => [write(dst, vector(operation, [dst, src]))]),
  ),
  ...declared(ONE_OPERAND, (mnemonic, title, operation) =>
    defineSse(mnemonic, title, ({ dst, src }) => [write(dst, vector(operation, [src, src]))]),
  ),
  ...declared(ONE_OPERAND_IMMEDIATE, (mnemonic, title, operation) =>
    defineSse(mnemonic, title, ({ dst, src, third }) => [
      write(dst, vector(operation, [src], { immediate: immediateOf(third) })),
    ]),
  ),
  ...declared(TWO_OPERANDS_IMMEDIATE, (mnemonic, title, operation) =>
    defineSse(mnemonic, title, ({ dst, src, third }) => [
      write(dst, vector(operation, [dst, src], { immediate: immediateOf(third) })),
    ]),
  ),
  ...declared(BLENDS, (mnemonic, title, operation) =>
    defineSse(mnemonic, title, ({ dst, src }) => [write(dst, vector(operation, [dst, src, vectorRegister(0)]))]),
  ),
  ...SHIFTS.flatMap(([title, rows]) =>
    Object.entries(rows).map(([mnemonic, [byVector, byImmediate]]) =>
      defineSse(mnemonic, title, ({ dst, src }) => [
        src.kind === 'constant'
          ? write(dst, vector(byImmediate, [dst], { immediate: immediateOf(src) }))
          : write(dst, vector(byVector, [dst, src])),
      ]),
    ),
  ),
  PTEST,
];
