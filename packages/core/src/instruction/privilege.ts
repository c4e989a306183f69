// Conditions that many instructions share, as rows to be put at their place in each one's table.

import { InternalError } from '../error.js';
import { GP } from '../interrupt/exceptions.js';
import type { FaultRow } from './define.js';
import type { Operand } from './operand.js';

/** `core.hlt.cpl` for HLT. */
export function privileged(mnemonic: string): FaultRow {
  return {
    id: `core.${mnemonic.toLowerCase()}.cpl`,
    fields: ['SS.attributes'], // CPL is SS.DPL
    when: (cpu) => cpu.CPL > 0,
    raise: GP(0),
    precedesIntercepts: true,
    explain: `${mnemonic} is privileged: execute it with CPL 0.`,
  };
}

/** CR4.UMIP keeps user software from reading where system structures are. */
export function hiddenFromUser(mnemonic: string): FaultRow {
  return {
    id: `core.${mnemonic.toLowerCase()}.umip`,
    fields: ['CR4.UMIP', 'SS.attributes'],
    when: (cpu) => cpu.CR4.UMIP && cpu.CPL > 0,
    raise: GP(0),
    precedesIntercepts: true,
    explain: `${mnemonic} needs CPL 0 while CR4.UMIP is 1.`,
  };
}

/** An operand that the encoding always has. */
export function operandAt(operands: readonly Operand[], index: number): Operand {
  const operand = operands[index];
  if (operand === undefined) throw new InternalError('an operand that the encoding has is missing', { index });
  return operand;
}
