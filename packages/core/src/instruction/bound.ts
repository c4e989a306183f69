// SDM, "BOUND—Check Array Index Against Bounds", which 64-bit mode does not have.
import { BR, raise } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { operandAt } from './privilege.js';

export const BOUND = defineInstruction({
  mnemonic: 'BOUND',
  manual: sdm('BOUND—Check Array Index Against Bounds'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect(_cpu, operands) {
    const [index, bounds] = [operandAt(operands, 0), operandAt(operands, 1)];
    const { width } = index;
    const pair = bounds.readBytes(width / 4).reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
    const [value, lower, upper] = [index.read(), pair, pair >> BigInt(width)].map((part) => BigInt.asIntN(width, part));
    if ((value ?? 0n) < (lower ?? 0n) || (value ?? 0n) > (upper ?? 0n)) raise(BR, 'core.bound.range');
  },
});
