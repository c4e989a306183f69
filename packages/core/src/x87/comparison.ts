// SDM, "Comparison and Classification Instructions": the relation of two values, and the class that FXAM reports.
import { type Extended, isNan, type Unpacked, unpacked } from './extended.js';
import { type Arithmetic, EXCEPTION, STATUS } from './status.js';

export type Relation = 'greater' | 'less' | 'equal' | 'unordered';

/** FUCOM and its kin accept quiet NaNs, the others call every NaN invalid. */
export function compare(arithmetic: Arithmetic, left: Unpacked, right: Unpacked, quiet: boolean): Relation {
  const operands = [left, right] as const;
  if (operands.some((operand) => isInvalid(operand, quiet))) {
    arithmetic.raise(EXCEPTION.IE);
    return 'unordered';
  }
  if (operands.some(isNan)) return 'unordered';
  if (operands.some(({ denormal }) => denormal)) arithmetic.raise(EXCEPTION.DE);
  return relation(...operands);
}

function isInvalid({ kind }: Unpacked, quiet: boolean): boolean {
  return kind === 'unsupported' || kind === 'signaling NaN' || (kind === 'quiet NaN' && !quiet);
}

function relation(left: Unpacked, right: Unpacked): Relation {
  const [low, high] = [ordered(left), ordered(right)];
  return low > high ? 'greater' : low < high ? 'less' : 'equal';
}

const MAGNITUDE = (1n << 79n) - 1n;
const EXPONENT_ONE = 1n << 64n;
const INTEGER_BIT = 1n << 63n;

/** A signed number with the order of the values: the encoding, in which a pseudo-denormal has the exponent 1. */
function ordered({ bits, negative }: Unpacked): bigint {
  const encoded = bits & MAGNITUDE;
  const pseudoDenormal = encoded < EXPONENT_ONE && encoded >= INTEGER_BIT;
  const size = pseudoDenormal ? encoded + EXPONENT_ONE : encoded;
  return negative ? -size : size;
}

/** SDM, table "FXAM Results": C3, C2 and C0 by class; C1 is the sign. */
export function examined(value: Extended, empty: boolean): number {
  const { kind, negative, denormal } = unpacked(value);
  const sign = negative ? STATUS.C1 : 0;
  if (empty) return sign | STATUS.C3 | STATUS.C0;
  if (denormal) return sign | STATUS.C3 | STATUS.C2;
  return sign | CLASSES[kind];
}

const CLASSES: Readonly<Record<Unpacked['kind'], number>> = {
  unsupported: 0,
  'quiet NaN': STATUS.C0,
  'signaling NaN': STATUS.C0,
  finite: STATUS.C2,
  infinity: STATUS.C2 | STATUS.C0,
  zero: STATUS.C3,
};
