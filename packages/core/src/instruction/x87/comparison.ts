// SDM, "x87 FPU Comparison Instructions". A comparison that is invalid and not masked sets no condition.
import { sdm } from '../../manual/sdm.js';
import { compare, examined, type Relation } from '../../x87/comparison.js';
import { type Unpacked, unpacked } from '../../x87/extended.js';
import { EXCEPTION, STATUS } from '../../x87/status.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { defineNumeric } from './define.js';
import { floatingOperand, integerOperand, otherIndex, stackIndex } from './operands.js';
import type { FloatingPointUnit } from './unit.js';

const { C0, C1, C2, C3 } = STATUS;

const CODES: Readonly<Record<Relation, number>> = { greater: 0, less: C0, equal: C3, unordered: C3 | C2 | C0 };

/** The relation of ST(0) to another value; undefined if an exception that is not masked keeps it from being reported. */
function related(unit: FloatingPointUnit, other: Unpacked | number, quiet: boolean): Relation | undefined {
  const { arithmetic } = unit;
  if (unit.isEmpty(0) || (typeof other === 'number' && unit.isEmpty(other)))
    return unit.stackFault('underflow') ? 'unordered' : undefined;
  const relation = compare(arithmetic, unit.operand(0), typeof other === 'number' ? unit.operand(other) : other, quiet);
  return arithmetic.exceptions & EXCEPTION.IE && !arithmetic.isMasked(EXCEPTION.IE) ? undefined : relation;
}

/** An operand of which an exception is not masked stays on the stack. */
function popUnlessUnmasked(unit: FloatingPointUnit, pops: number): void {
  if (!unit.hasUnmasked) unit.pop(pops);
}

/** To a register, to ST(1) where none is named, or to a number in memory. */
function other(operands: readonly Operand[], memory: (operand: Operand) => Unpacked): Unpacked | number {
  if (operands.length === 0) return 1;
  return stackIndex(operands, operands.length - 1) ?? memory(operandAt(operands, 0));
}

const CONDITION_COMPARES = (
  [
    ['FCOM', 'FCOM/FCOMP/FCOMPP—Compare Floating-Point Values', false, 0],
    ['FCOMP', 'FCOM/FCOMP/FCOMPP—Compare Floating-Point Values', false, 1],
    ['FCOMPP', 'FCOM/FCOMP/FCOMPP—Compare Floating-Point Values', false, 2],
    ['FUCOM', 'FUCOM/FUCOMP/FUCOMPP—Unordered Compare Floating-Point Values', true, 0],
    ['FUCOMP', 'FUCOM/FUCOMP/FUCOMPP—Unordered Compare Floating-Point Values', true, 1],
    ['FUCOMPP', 'FUCOM/FUCOMP/FUCOMPP—Unordered Compare Floating-Point Values', true, 2],
    ['FICOM', 'FICOM/FICOMP—Compare Integer', false, 0],
    ['FICOMP', 'FICOM/FICOMP—Compare Integer', false, 1],
  ] as const
).map(([mnemonic, title, quiet, pops]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit, operands) {
      const memory = mnemonic.startsWith('FI') ? integerOperand : floatingOperand;
      const relation = related(unit, other(operands, memory), quiet);
      if (relation !== undefined) unit.setConditions(CODES[relation], C0 | C2 | C3);
      popUnlessUnmasked(unit, pops);
      unit.settleRounding();
    },
  }),
);

const FLAG_COMPARES = (
  [
    ['FCOMI', false, 0],
    ['FCOMIP', false, 1],
    ['FUCOMI', true, 0],
    ['FUCOMIP', true, 1],
  ] as const
).map(([mnemonic, quiet, pops]) =>
  defineNumeric(
    {
      mnemonic,
      manual: sdm('FCOMI/FCOMIP/FUCOMI/FUCOMIP—Compare Floating-Point Values and Set EFLAGS'),
      effect(unit, operands) {
        const relation = related(unit, otherIndex(operands), quiet);
        if (relation !== undefined) setFlags(unit, relation);
        popUnlessUnmasked(unit, pops);
        unit.settleRounding();
      },
    },
    'ZF, PF and CF show the relation; OF, SF and AF are cleared',
  ),
);

function setFlags({ cpu }: FloatingPointUnit, relation: Relation): void {
  const unordered = relation === 'unordered';
  const flags = {
    ZF: unordered || relation === 'equal',
    PF: unordered,
    CF: unordered || relation === 'less',
    OF: false,
    SF: false,
    AF: false,
  };
  Object.assign(cpu.RFLAGS, flags);
}

const FTST = defineNumeric({
  mnemonic: 'FTST',
  manual: sdm('FTST—TEST'),
  effect(unit) {
    const relation = related(unit, unpacked(0n), false);
    if (relation !== undefined) unit.setConditions(CODES[relation], C0 | C2 | C3);
    unit.settleRounding();
  },
});

const FXAM = defineNumeric({
  mnemonic: 'FXAM',
  manual: sdm('FXAM—Examine Floating-Point'),
  effect(unit) {
    unit.setConditions(examined(unit.bits(0), unit.isEmpty(0)), C0 | C1 | C2 | C3);
    unit.settle();
  },
});

export const X87_COMPARISON = [...CONDITION_COMPARES, ...FLAG_COMPARES, FTST, FXAM];
