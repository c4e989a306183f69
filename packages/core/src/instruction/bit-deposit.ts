// PDEP and PEXT of SDM, "Bit Manipulation Instructions 2", and CRC32: loops over bits, which the language of effects has
// not.
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { operandAt } from './privilege.js';

/** Positions of the ones of a mask, lowest first. */
function onesOf(mask: bigint): readonly bigint[] {
  const ones: bigint[] = [];
  for (let bit = 0n; mask >> bit !== 0n; bit++) if (((mask >> bit) & 1n) === 1n) ones.push(bit);
  return ones;
}

export const PDEP = defineInstruction({
  mnemonic: 'PDEP',
  manual: sdm('PDEP—Parallel Bits Deposit'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect(_cpu, operands) {
    const source = operandAt(operands, 1).read();
    const places = onesOf(operandAt(operands, 2).read());
    operandAt(operands, 0).write(
      places.reduce((result, place, index) => result | (((source >> BigInt(index)) & 1n) << place), 0n),
    );
  },
});

export const PEXT = defineInstruction({
  mnemonic: 'PEXT',
  manual: sdm('PEXT—Parallel Bits Extract'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect(_cpu, operands) {
    const source = operandAt(operands, 1).read();
    const places = onesOf(operandAt(operands, 2).read());
    operandAt(operands, 0).write(
      places.reduce((result, place, index) => result | (((source >> place) & 1n) << BigInt(index)), 0n),
    );
  },
});

/** The Castagnoli polynomial, 11EDC6F41H, reflected. */
const POLYNOMIAL = 0x82f6_3b78;

export const CRC32 = defineInstruction({
  mnemonic: 'CRC32',
  manual: sdm('CRC32—Accumulate CRC32 Value'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect(_cpu, operands) {
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    const value = from.read();
    let crc = Number(BigInt.asIntN(32, to.read()));
    for (let bit = 0; bit < from.width; bit++) {
      const differs = ((crc & 1) ^ Number((value >> BigInt(bit)) & 1n)) === 1;
      crc = (crc >>> 1) ^ (differs ? POLYNOMIAL : 0);
    }
    to.write(BigInt(crc >>> 0)); // a 64-bit destination is zero-extended
  },
});
