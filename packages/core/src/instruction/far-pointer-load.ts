// SDM, "LDS/LES/LFS/LGS/LSS—Load Far Pointer". 64-bit mode does not have LDS and LES.
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { farPointer } from './far-transfer.js';
import { operandAt } from './privilege.js';
import { loadSegment } from './segment-load.js';

export const FAR_POINTER_LOADS = (['DS', 'ES', 'FS', 'GS', 'SS'] as const).map((segment) =>
  defineInstruction({
    mnemonic: `L${segment}`,
    manual: sdm('LDS/LES/LFS/LGS/LSS—Load Far Pointer'),
    reads: ['GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit', 'SS.attributes'],
    writes: ['selector', 'base', 'limit', 'attributes'].map((part) => `${segment}.${part}`),
    flags: 'unaffected',
    effect(cpu, operands) {
      const { selector, offset } = farPointer(operandAt(operands, 1));
      loadSegment(cpu, segment, selector);
      operandAt(operands, 0).write(offset);
    },
  }),
);
