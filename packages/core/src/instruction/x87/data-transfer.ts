// SDM, "x87 FPU Data Transfer Instructions", and "x87 FPU Load Constants Instructions".
import { InternalError } from '../../error.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { type Extended, INDEFINITE, type Unpacked, unpacked } from '../../x87/extended.js';
import { fromDecimal, toDecimal, toInteger } from '../../x87/integer.js';
import { loaded, toMemoryFormat } from '../../x87/memory-format.js';
import { rounded } from '../../x87/rounding.js';
import { Arithmetic, INITIAL_CONTROL, STATUS } from '../../x87/status.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { defineNumeric } from './define.js';
import { floatingOperand, integerOperand, otherIndex, stackIndex, storeWide, wideOperand } from './operands.js';
import type { FloatingPointUnit } from './unit.js';

/** What FLD loads: of a register or of memory. The operand is read first: an access that faults changes nothing. */
function source(unit: FloatingPointUnit, operands: readonly Operand[]): () => Extended | undefined {
  const index = stackIndex(operands, 0);
  if (index !== undefined) return () => unit.computed([index], () => unit.bits(index));
  const operand = operandAt(operands, 0);
  if (operand.width === 80) {
    const value = wideOperand(operand);
    return () => value;
  }
  const value = floatingOperand(operand);
  return () => loaded(unit.arithmetic, value);
}

const FLD = defineNumeric({
  mnemonic: 'FLD',
  manual: sdm('FLD—Load Floating-Point Value'),
  effect(unit, operands) {
    unit.load(source(unit, operands));
    unit.settleRounding();
  },
});

const FILD = defineNumeric({
  mnemonic: 'FILD',
  manual: sdm('FILD—Load Integer'),
  effect(unit, operands) {
    const value = integerOperand(operandAt(operands, 0)).bits;
    unit.load(() => value);
    unit.settleRounding();
  },
});

const FBLD = defineNumeric({
  mnemonic: 'FBLD',
  manual: sdm('FBLD—Load Binary Coded Decimal'),
  effect(unit, operands) {
    const value = fromDecimal(wideOperand(operandAt(operands, 0)));
    unit.load(() => value);
    unit.settleRounding();
  },
});

/** The bits that a store writes: undefined if an exception that is not masked keeps it from writing any. */
type Conversion = (arithmetic: Arithmetic, value: Unpacked, width: number) => bigint | undefined;

/** A store of ST(0) to memory. An empty register stores what an invalid operand would. */
function store(unit: FloatingPointUnit, operand: Operand, convert: Conversion, pops: number): void {
  const bits = unit.isEmpty(0)
    ? unit.stackFault('underflow') && indefiniteOf(convert, operand.width)
    : convert(unit.arithmetic, unit.operand(0), operand.width);
  if (typeof bits === 'bigint') {
    if (operand.width === 80) storeWide(unit.cpu, operand, bits);
    else operand.write(bits);
    unit.pop(pops);
  } else operand.probeWrite(); // memory that cannot be written is reported first
  unit.settleRounding();
}

/** What an empty register stores: the indefinite in the format of memory. */
function indefiniteOf(convert: Conversion, width: number): bigint | undefined {
  return convert(new Arithmetic(INITIAL_CONTROL), unpacked(INDEFINITE), width);
}

const floating: Conversion = (arithmetic, value, width) => {
  if (width === 80) return value.bits;
  if (width !== 32 && width !== 64) throw new InternalError('no such width', { width });
  return toMemoryFormat(arithmetic, value, width);
};

const integer =
  (chopped: boolean): Conversion =>
  (arithmetic, value, width) => {
    if (width !== 16 && width !== 32 && width !== 64) throw new InternalError('no such width', { width });
    return toInteger(arithmetic, value, width, chopped ? 'zero' : arithmetic.rounding);
  };

const decimal: Conversion = (arithmetic, value) => toDecimal(arithmetic, value);

/** A copy of ST(0) in another register; of an empty one the indefinite. */
function copy(unit: FloatingPointUnit, index: number, pops: number): void {
  const value = unit.computed([0], () => unit.bits(0));
  if (value !== undefined) {
    unit.write(index, value);
    unit.pop(pops);
  }
  unit.settleRounding();
}

const FLOATING_STORES = (
  [
    ['FST', 0],
    ['FSTP', 1],
  ] as const
).map(([mnemonic, pops]) =>
  defineNumeric({
    mnemonic,
    manual: sdm('FST/FSTP—Store Floating-Point Value'),
    effect(unit, operands) {
      const index = stackIndex(operands, 0);
      if (index === undefined) store(unit, operandAt(operands, 0), floating, pops);
      else copy(unit, index, pops);
    },
  }),
);

/** D9H D8H to DFH, which the manual does not list: FSTP that copies an empty register as it is. */
const FSTPNCE = defineNumeric({
  mnemonic: 'FSTPNCE',
  manual: sdm('FST/FSTP—Store Floating-Point Value'),
  effect(unit, operands) {
    unit.write(stackIndex(operands, 0) ?? 0, unit.bits(0));
    unit.pop();
    unit.settleRounding();
  },
});

const NUMBER_STORES = (
  [
    ['FIST', 'FIST/FISTP—Store Integer', integer(false), 0],
    ['FISTP', 'FIST/FISTP—Store Integer', integer(false), 1],
    ['FISTTP', 'FISTTP—Store Integer With Truncation', integer(true), 1],
    ['FBSTP', 'FBSTP—Store BCD Integer and Pop', decimal, 1],
  ] as const satisfies readonly (readonly [string, SdmTitle, Conversion, number])[]
).map(([mnemonic, title, convert, pops]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect: (unit, operands) => store(unit, operandAt(operands, 0), convert, pops),
  }),
);

const FXCH = defineNumeric({
  mnemonic: 'FXCH',
  manual: sdm('FXCH—Exchange Register Contents'),
  effect(unit, operands) {
    const index = otherIndex(operands);
    const empty = unit.isEmpty(0) || unit.isEmpty(index);
    if (!empty || unit.stackFault('underflow')) {
      const [top, other] = [0, index].map((each) => (unit.isEmpty(each) ? INDEFINITE : unit.bits(each)));
      unit.write(index, top ?? INDEFINITE);
      unit.write(0, other ?? INDEFINITE);
    }
    unit.settleRounding();
  },
});

/** By the suffix: whether the flags of RFLAGS say to move. */
const CONDITIONS = {
  B: ({ CF }) => CF,
  E: ({ ZF }) => ZF,
  BE: ({ CF, ZF }) => CF || ZF,
  U: ({ PF }) => PF,
  NB: ({ CF }) => !CF,
  NE: ({ ZF }) => !ZF,
  NBE: ({ CF, ZF }) => !CF && !ZF,
  NU: ({ PF }) => !PF,
} as const satisfies Readonly<Record<string, (flags: Readonly<Record<'CF' | 'ZF' | 'PF', boolean>>) => boolean>>;

const FCMOVCC = Object.entries(CONDITIONS).map(([suffix, holds]) =>
  defineNumeric({
    mnemonic: `FCMOV${suffix}`,
    manual: sdm('FCMOVcc—Floating-Point Conditional Move'),
    effect(unit, operands) {
      const index = otherIndex(operands);
      if (unit.isEmpty(0) || unit.isEmpty(index)) {
        if (unit.stackFault('underflow')) unit.write(0, INDEFINITE);
        unit.setConditions(0, STATUS.C1);
      } else if (holds(unit.cpu.RFLAGS)) unit.write(0, unit.bits(index));
      unit.settle();
    },
  }),
);

/** Bits of a constant beyond the 64 of a register decide how it is rounded; a last 1 stands for the rest of them. */
const CONSTANTS = (
  [
    ['FLD1', 1n, 0],
    ['FLDZ', 0n, 0],
    ['FLDPI', 0xc90f_daa2_2168_c234_c4c7n, -78],
    ['FLDL2E', 0xb8aa_3b29_5c17_f0bb_be87n, -79],
    ['FLDL2T', 0xd49a_784b_cd1b_8afe_492bn, -78],
    ['FLDLG2', 0x9a20_9a84_fbcf_f798_8f89n, -81],
    ['FLDLN2', 0xb172_17f7_d1cf_79ab_c9e3n, -80],
  ] as const
).map(([mnemonic, significand, exponent]) =>
  defineNumeric({
    mnemonic,
    manual: sdm('FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ—Load Constant'),
    effect(unit) {
      // SDM: rounded as RC says, and the inexact result is not reported.
      const value = rounded(new Arithmetic(unit.arithmetic.control), { negative: false, significand, exponent }, 64);
      unit.load(() => value);
      unit.settleRounding();
    },
  }),
);

/** In the manual's order. */
export const X87_DATA_TRANSFER = [
  FLD,
  ...FLOATING_STORES,
  FSTPNCE,
  FILD,
  ...NUMBER_STORES,
  FBLD,
  FXCH,
  ...FCMOVCC,
  ...CONSTANTS,
];
