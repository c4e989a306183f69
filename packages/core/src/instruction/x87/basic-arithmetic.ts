// SDM, "x87 FPU Basic Arithmetic Instructions".
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { add, divide, multiply, squareRoot, subtract } from '../../x87/basic-arithmetic.js';
import { magnitude, negated, type Unpacked } from '../../x87/extended.js';
import { roundedToInteger } from '../../x87/integer.js';
import type { Result } from '../../x87/operands.js';
import { remainder } from '../../x87/remainder.js';
import { extracted, scale } from '../../x87/scale.js';
import { type Arithmetic, STATUS } from '../../x87/status.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { defineNumeric } from './define.js';
import { floatingOperand, integerOperand, stackIndex } from './operands.js';
import type { FloatingPointUnit } from './unit.js';

type Operation = (arithmetic: Arithmetic, destination: Unpacked, source: Unpacked) => Result;

const reversed =
  (operation: Operation): Operation =>
  (arithmetic, destination, source) =>
    operation(arithmetic, source, destination);

/** ST(0) and a number in memory, or two registers, of which the first is the destination. */
function calculate(
  unit: FloatingPointUnit,
  operands: readonly Operand[],
  operation: Operation,
  memory: (operand: Operand) => Unpacked,
  pops: number,
): void {
  const destination = stackIndex(operands, 0) ?? 0;
  const source = stackIndex(operands, operands.length - 1);
  const number = source === undefined ? memory(operandAt(operands, 0)) : undefined;
  const result = unit.computed([destination, source ?? destination], () =>
    operation(unit.arithmetic, unit.operand(destination), number ?? unit.operand(source ?? 0)),
  );
  if (result !== undefined) {
    unit.write(destination, result);
    unit.pop(pops);
  }
  unit.settleRounding();
}

const OPERATIONS = [
  ['ADD', '', 'FADD/FADDP/FIADD—Add', add],
  ['SUB', '', 'FSUB/FSUBP/FISUB—Subtract', subtract],
  ['SUB', 'R', 'FSUBR/FSUBRP/FISUBR—Reverse Subtract', reversed(subtract)],
  ['MUL', '', 'FMUL/FMULP/FIMUL—Multiply', multiply],
  ['DIV', '', 'FDIV/FDIVP/FIDIV—Divide', divide],
  ['DIV', 'R', 'FDIVR/FDIVRP/FIDIVR—Reverse Divide', reversed(divide)],
] as const satisfies readonly (readonly [string, string, SdmTitle, Operation])[];

/** Of each operation: with a register or a floating-point number, with pop, and with an integer of memory. */
const FORMS = OPERATIONS.flatMap(([name, reverse, title, operation]) =>
  (
    [
      [`F${name}${reverse}`, floatingOperand, 0],
      [`F${name}${reverse}P`, floatingOperand, 1],
      [`FI${name}${reverse}`, integerOperand, 0],
    ] as const
  ).map(([mnemonic, memory, pops]) =>
    defineNumeric({
      mnemonic,
      manual: sdm(title),
      effect: (unit, operands) => calculate(unit, operands, operation, memory, pops),
    }),
  ),
);

/** ST(0) becomes a function of itself, and of ST(1) where there are two sources. */
const FUNCTIONS = (
  [
    ['FRNDINT', 'FRNDINT—Round to Integer', [0], ({ arithmetic }, value) => roundedToInteger(arithmetic, value)],
    ['FSCALE', 'FSCALE—Scale', [0, 1], ({ arithmetic }, value, by) => scale(arithmetic, value, by)],
    ['FSQRT', 'FSQRT—Square Root', [0], ({ arithmetic }, value) => squareRoot(arithmetic, value)],
    ['FABS', 'FABS—Absolute Value', [0], (_unit, { bits }) => magnitude(bits)],
    ['FCHS', 'FCHS—Change Sign', [0], (_unit, { bits }) => negated(bits)],
  ] as const satisfies readonly (readonly [
    string,
    SdmTitle,
    readonly number[],
    (unit: FloatingPointUnit, top: Unpacked, next: Unpacked) => Result,
  ])[]
).map(([mnemonic, title, sources, compute]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit) {
      const result = unit.computed(sources, () => compute(unit, unit.operand(0), unit.operand(1)));
      if (result !== undefined) unit.write(0, result);
      unit.settleRounding();
    },
  }),
);

const REMAINDERS = (
  [
    ['FPREM', 'FPREM—Partial Remainder', false],
    ['FPREM1', 'FPREM1—Partial Remainder', true],
  ] as const
).map(([mnemonic, title, nearest]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit) {
      const all = STATUS.C0 | STATUS.C1 | STATUS.C2 | STATUS.C3;
      unit.setConditions(0, STATUS.C1 | STATUS.C2);
      const result = unit.computed([0, 1], () => {
        const step = remainder(unit.arithmetic, unit.operand(0), unit.operand(1), nearest);
        if (step.conditions !== undefined) unit.setConditions(step.conditions, all);
        return step.result;
      });
      if (result !== undefined) unit.write(0, result);
      unit.settle();
    },
  }),
);

const FXTRACT = defineNumeric({
  mnemonic: 'FXTRACT',
  manual: sdm('FXTRACT—Extract Exponent and Significand'),
  effect(unit) {
    unit.replaceByTwo(() => {
      const parts = extracted(unit.arithmetic, unit.operand(0));
      return parts && [parts.exponent, parts.significand];
    });
    unit.settleRounding();
  },
});

export const X87_BASIC_ARITHMETIC = [...FORMS, ...FUNCTIONS, ...REMAINDERS, FXTRACT];
