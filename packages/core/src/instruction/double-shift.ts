// SDM, "Shift and Rotate Instructions": SHLD and SHRD. A word shifted by more than 16 is undefined and differs between
// processors; here bits of 0 come after those of the source.
import { bit, or, shl, shr, signBit, sub, write, xor } from '../expression/build.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { like } from './implicit-operands.js';
import { flagsOfResult, flagsOfShift, maskedCount } from './shift-count.js';

export const SHLD = defineInstruction({
  mnemonic: 'SHLD',
  manual: sdm('SHLD—Double Precision Shift Left'),
  effect: ({ dst, src, third }) => {
    const count = maskedCount(third, dst);
    const result = or(shl(dst, count), shr(src, sub(like(count, BigInt(dst.width)), count)));
    const CF = signBit(shl(dst, sub(count, like(count, 1n))));
    return [write(dst, result), ...flagsOfShift(count, { CF, OF: xor(signBit(result), CF), ...flagsOfResult(result) })];
  },
});

export const SHRD = defineInstruction({
  mnemonic: 'SHRD',
  manual: sdm('SHRD—Double Precision Shift Right'),
  effect: ({ dst, src, third }) => {
    const count = maskedCount(third, dst);
    const result = or(shr(dst, count), shl(src, sub(like(count, BigInt(dst.width)), count)));
    const CF = bit(shr(dst, sub(count, like(count, 1n))), 0);
    const OF = xor(signBit(result), bit(result, result.width - 2));
    return [write(dst, result), ...flagsOfShift(count, { CF, OF, ...flagsOfResult(result) })];
  },
});
