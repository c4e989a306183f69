// SDM, "MMX Instructions", and the 64-bit SIMD integer instructions of SSE, SSE2 and SSSE3: those of the rows of XMM
// registers that exist for MMX registers too.

import type { SdmTitle } from '../../manual/sdm.js';
import type { VectorOperationName } from '../../vector/operations.js';
import { operandAt } from '../privilege.js';
import { ONE_OPERAND, type Section, SHIFTS, TWO_OPERANDS, TWO_OPERANDS_IMMEDIATE } from '../sse/packed-integer.js';
import { defineMmx, ofMmx, quadword, writeQuadword } from './define.js';
import { onQuadwords } from './lanes.js';

/** In the order of the SDM's groups: MMX, then what SSE, SSE2 and SSSE3 add. */
const MNEMONICS: ReadonlySet<string> = new Set(
  [
    'PACKSSWB PACKSSDW PACKUSWB PUNPCKHBW PUNPCKHWD PUNPCKHDQ PUNPCKLBW PUNPCKLWD PUNPCKLDQ',
    'PADDB PADDW PADDD PADDSB PADDSW PADDUSB PADDUSW PSUBB PSUBW PSUBD PSUBSB PSUBSW PSUBUSB PSUBUSW',
    'PMULHW PMULLW PMADDWD PCMPEQB PCMPEQW PCMPEQD PCMPGTB PCMPGTW PCMPGTD PAND PANDN POR PXOR',
    'PSLLW PSLLD PSLLQ PSRLW PSRLD PSRLQ PSRAW PSRAD',
    'PAVGB PAVGW PMAXUB PMAXSW PMINUB PMINSW PMULHUW PSADBW',
    'PMULUDQ PADDQ PSUBQ',
    'PHADDW PHADDSW PHADDD PHSUBW PHSUBSW PHSUBD PABSB PABSW PABSD PMADDUBSW PMULHRSW PSHUFB PSIGNB PSIGNW PSIGND PALIGNR',
  ].flatMap((line) => line.split(' ')),
);

type Rows = readonly (readonly [mnemonic: string, title: SdmTitle, operation: VectorOperationName])[];

const rowsOf = (sections: readonly Section[]): Rows =>
  sections.flatMap(([title, rows]) =>
    Object.entries(rows)
      .filter(([mnemonic]) => MNEMONICS.has(mnemonic))
      .map(([mnemonic, operation]) => [mnemonic, title, operation] as const),
  );

const TWO = rowsOf(TWO_OPERANDS).map(([mnemonic, title, operation]) =>
  defineMmx({
    mnemonic: ofMmx(mnemonic),
    title,
    effect(cpu, operands) {
      const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
      writeQuadword(cpu, to, onQuadwords(operation, quadword(cpu, to), quadword(cpu, from)));
    },
  }),
);

const ONE = rowsOf(ONE_OPERAND).map(([mnemonic, title, operation]) =>
  defineMmx({
    mnemonic: ofMmx(mnemonic),
    title,
    effect(cpu, operands) {
      const value = quadword(cpu, operandAt(operands, 1));
      writeQuadword(cpu, operandAt(operands, 0), onQuadwords(operation, value, value));
    },
  }),
);

const WITH_IMMEDIATE = rowsOf(TWO_OPERANDS_IMMEDIATE).map(([mnemonic, title, operation]) =>
  defineMmx({
    mnemonic: ofMmx(mnemonic),
    title,
    effect(cpu, operands) {
      const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
      const immediate = Number(operandAt(operands, 2).read());
      writeQuadword(cpu, to, onQuadwords(operation, quadword(cpu, to), quadword(cpu, from), immediate));
    },
  }),
);

/** By an immediate, or by a whole quadword. */
const SHIFTED = SHIFTS.flatMap(([title, rows]) =>
  Object.entries(rows)
    .filter(([mnemonic]) => MNEMONICS.has(mnemonic))
    .map(([mnemonic, [byVector, byImmediate]]) =>
      defineMmx({
        mnemonic: ofMmx(mnemonic),
        title,
        effect(cpu, operands) {
          const [to, count] = [operandAt(operands, 0), operandAt(operands, 1)];
          const value = quadword(cpu, to);
          const shifted =
            count.kind === 'immediate'
              ? onQuadwords(byImmediate, value, 0n, Number(count.read()))
              : onQuadwords(byVector, value, quadword(cpu, count));
          writeQuadword(cpu, to, shifted);
        },
      }),
    ),
);

const PSHUFW = defineMmx({
  mnemonic: ofMmx('PSHUFW'),
  title: 'PSHUFW—Shuffle Packed Words',
  effect(cpu, operands) {
    const value = quadword(cpu, operandAt(operands, 1));
    const immediate = Number(operandAt(operands, 2).read());
    writeQuadword(cpu, operandAt(operands, 0), onQuadwords('shuffleLow16', value, value, immediate));
  },
});

export const MMX_PACKED_INTEGER = [...TWO, ...ONE, ...WITH_IMMEDIATE, ...SHIFTED, PSHUFW];
