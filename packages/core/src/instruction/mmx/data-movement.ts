// SDM, "MMX Data Transfer Instructions" and the moves of SSE and SSE2 that have an MMX register; EMMS.
import type { Cpu } from '../../state/cpu.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { storeSelectedBytes } from '../selected-bytes.js';
import { defineMmx, ofMmx, quadword, writeQuadword } from './define.js';
import { onQuadwords } from './lanes.js';

/** MOVD and MOVQ extend with zeros and cut off what the destination has no room for. */
function move(cpu: Cpu, operands: readonly Operand[]): void {
  const to = operandAt(operands, 0);
  writeQuadword(cpu, to, BigInt.asUintN(Math.min(to.width, 64), quadword(cpu, operandAt(operands, 1))));
}

const MOVES = (
  [
    ['MOVD', 'MOVD/MOVQ—Move Doubleword/Move Quadword', false],
    ['MOVQ', 'MOVQ—Move Quadword', false],
    ['MOVNTQ', 'MOVNTQ—Store of Quadword Using Non-Temporal Hint', false],
    ['MOVQ2DQ', 'MOVQ2DQ—Move Quadword from MMX Technology to XMM Register', true],
    ['MOVDQ2Q', 'MOVDQ2Q—Move Quadword from XMM to MMX Technology Register', true],
  ] as const
).map(([mnemonic, title, xmm]) => defineMmx({ mnemonic: ofMmx(mnemonic), title, xmm, effect: move }));

const WORD = 0xffffn;
/** Bits 1:0 of the immediate number a word. */
const wordShift = (operands: readonly Operand[]): bigint => (operandAt(operands, 2).read() & 3n) * 16n;

const PINSRW = defineMmx({
  mnemonic: ofMmx('PINSRW'),
  title: 'PINSRW—Insert Word',
  effect(cpu, operands) {
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    const shift = wordShift(operands);
    const word = from.read() & WORD;
    writeQuadword(cpu, to, (quadword(cpu, to) & ~(WORD << shift)) | (word << shift));
  },
});

const PEXTRW = defineMmx({
  mnemonic: ofMmx('PEXTRW'),
  title: 'PEXTRW—Extract Word',
  effect(cpu, operands) {
    const value = quadword(cpu, operandAt(operands, 1));
    operandAt(operands, 0).write((value >> wordShift(operands)) & WORD);
  },
});

const PMOVMSKB = defineMmx({
  mnemonic: ofMmx('PMOVMSKB'),
  title: 'PMOVMSKB—Move Byte Mask',
  effect: (cpu, operands) =>
    operandAt(operands, 0).write(onQuadwords('signs8', quadword(cpu, operandAt(operands, 1)), 0n)),
});

const MASKMOVQ = defineMmx({
  mnemonic: ofMmx('MASKMOVQ'),
  title: 'MASKMOVQ—Store Selected Bytes of Quadword',
  effect: (cpu, operands) =>
    storeSelectedBytes(
      cpu,
      operandAt(operands, 0),
      quadword(cpu, operandAt(operands, 1)),
      quadword(cpu, operandAt(operands, 2)),
    ),
});

const EMMS = defineMmx({
  mnemonic: 'EMMS',
  title: 'EMMS—Empty MMX Technology State',
  tags: 0n,
  effect: () => {},
});

export const MMX_DATA_MOVEMENT = [...MOVES, PINSRW, PEXTRW, PMOVMSKB, MASKMOVQ, EMMS];
