// What an instruction on XMM registers needs of the operating system, before it reads anything (SDM, "Instruction Exception
// Specification": types 1 to 6 have these rows in common).
import { not } from '../../expression/build.js';
import { faultFirst, systemBit } from '../../expression/build-vector.js';
import type { Effect, Expression } from '../../expression/nodes.js';
import { NM, UD } from '../../interrupt/exceptions.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { CR0, CR4 } from '../../register/control-registers.js';
import { defineInstruction, type EffectOperands, type ExpressionInstruction, type FaultRow } from '../define.js';

/** CR0.EM and CR4.OSFXSR decide whether the instructions exist, CR0.TS whether the registers hold this task's values. */
const AVAILABLE: Effect = [
  faultFirst(systemBit('CR0', CR0.bits.EM), UD, 'core.sse.emulation'),
  faultFirst(not(systemBit('CR4', CR4.bits.OSFXSR)), UD, 'core.sse.osfxsr'),
  faultFirst(systemBit('CR0', CR0.bits.TS), NM, 'core.sse.task-switched'),
];

/** Declares an instruction on XMM registers. */
export function defineSse(
  mnemonic: string,
  title: SdmTitle,
  effect: (operands: EffectOperands) => Effect,
): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    effect: (operands) => [...AVAILABLE, ...effect(operands)],
  });
}

/** The same checks for an instruction in the function form. */
export function availabilityFaults(mnemonic: string): readonly FaultRow[] {
  const id = `core.${mnemonic.toLowerCase()}`;
  return [
    {
      id: `${id}.emulation`,
      fields: ['CR0.EM'],
      when: (cpu) => cpu.CR0.EM,
      raise: UD,
      explain: 'CR0.EM = 1 takes the SSE instructions away: clear it.',
    },
    {
      id: `${id}.osfxsr`,
      fields: ['CR4.OSFXSR'],
      when: (cpu) => !cpu.CR4.OSFXSR,
      raise: UD,
      explain: 'The operating system must say with CR4.OSFXSR that it saves XMM registers.',
    },
    {
      id: `${id}.task-switched`,
      fields: ['CR0.TS'],
      when: (cpu) => cpu.CR0.TS,
      raise: NM,
      explain: 'CR0.TS = 1: the registers still belong to another task.',
    },
  ];
}

/** The value of an immediate operand. */
export function immediateOf(operand: Expression): number {
  return operand.kind === 'constant' ? Number(operand.value) : 0;
}
