// SDM, "x87 FPU Transcendental Instructions".
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { type Extended, packed, type Unpacked, unpacked } from '../../x87/extended.js';
import type { Result } from '../../x87/operands.js';
import { type Arithmetic, STATUS } from '../../x87/status.js';
import {
  angle,
  cosine,
  isOutOfRange,
  powerLessOne,
  sine,
  tangent,
  timesLogarithm,
  timesLogarithmOfOnePlus,
} from '../../x87/transcendental.js';
import { defineNumeric } from './define.js';
import type { FloatingPointUnit } from './unit.js';

const ONE = packed(false, 0x3fff, 1n << 63n);

/** C2 says that an angle is out of range; then ST(0) stays and nothing is pushed. */
function rangeExceeded(unit: FloatingPointUnit): boolean {
  const exceeded = !unit.isEmpty(0) && isOutOfRange(unit.operand(0));
  unit.setConditions(exceeded ? STATUS.C2 : 0, STATUS.C2);
  return exceeded;
}

/** A function of ST(0). */
type OfTop = (arithmetic: Arithmetic, top: Unpacked) => Result;

const CIRCULAR = (
  [
    ['FSIN', 'FSIN—Sine', sine],
    ['FCOS', 'FCOS—Cosine', cosine],
  ] as const satisfies readonly (readonly [string, SdmTitle, OfTop])[]
).map(([mnemonic, title, compute]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit) {
      if (!rangeExceeded(unit)) replaceTop(unit, compute);
      unit.settleRounding();
    },
  }),
);

function replaceTop(unit: FloatingPointUnit, compute: OfTop): void {
  const result = unit.computed([0], () => compute(unit.arithmetic, unit.operand(0)));
  if (result !== undefined) unit.write(0, result);
}

/** A NaN takes both places: the tangent has no 1 beside it then, nor the sine a cosine of its own. */
const isNumber = (value: Extended): boolean => unpacked(value).kind !== 'quiet NaN';

const PAIRS = (
  [
    ['FSINCOS', 'FSINCOS—Sine and Cosine', sine, cosine],
    ['FPTAN', 'FPTAN—Partial Tangent', tangent, () => ONE],
  ] as const satisfies readonly (readonly [string, SdmTitle, OfTop, OfTop])[]
).map(([mnemonic, title, replacement, pushed]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit) {
      const exceeded = unit.isEmpty(-1) && rangeExceeded(unit);
      if (!unit.isEmpty(-1)) unit.setConditions(0, STATUS.C2);
      if (!exceeded) {
        unit.replaceByTwo(() => {
          const { arithmetic } = unit;
          const first = replacement(arithmetic, unit.operand(0));
          if (first === undefined) return undefined;
          const second = isNumber(first) ? pushed(arithmetic, unit.operand(0)) : first;
          return second === undefined ? undefined : [first, second];
        });
      }
      unit.settleRounding();
    },
  }),
);

const F2XM1 = defineNumeric({
  mnemonic: 'F2XM1',
  manual: sdm('F2XM1—Compute 2x–1'),
  effect(unit) {
    replaceTop(unit, powerLessOne);
    unit.settleRounding();
  },
});

/** Of ST(1) and ST(0), into ST(1); then ST(0) is popped. */
const TWO_OPERANDS = (
  [
    ['FPATAN', 'FPATAN—Partial Arctangent', angle],
    ['FYL2X', 'FYL2X—Compute y * log2x', timesLogarithm],
    ['FYL2XP1', 'FYL2XP1—Compute y * log2(x +1)', timesLogarithmOfOnePlus],
  ] as const
).map(([mnemonic, title, compute]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit) {
      const result = unit.computed([0, 1], () => compute(unit.arithmetic, unit.operand(1), unit.operand(0)));
      if (result !== undefined) {
        unit.write(1, result);
        unit.pop();
      }
      unit.settleRounding();
    },
  }),
);

export const X87_TRANSCENDENTAL = [...CIRCULAR, ...PAIRS, F2XM1, ...TWO_OPERANDS];
