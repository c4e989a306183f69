// SDM, "SSE Conversion Instructions" and "SSE2" ones between packed integers in MMX registers and floating-point numbers in
// XMM registers.
import { takeUpExceptions } from '../../execute/evaluate/vector-access.js';
import { FLOAT_OPERATIONS, type FloatOperationName } from '../../float/operations.js';
import { GP, raise } from '../../interrupt/exceptions.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { XMM_REGISTERS } from '../../register/register-file.js';
import type { Cpu } from '../../state/cpu.js';
import { lanesOf } from '../../vector/lanes.js';
import { defineInstruction } from '../define.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { availabilityFaults } from '../sse/availability.js';
import { defineMmx, ofMmx, quadword, writeQuadword } from './define.js';

/** Places of operand and result, as numbers of 32-bit words. Nothing is kept here. */
const [FROM, TO] = [0, 4] as const;
const words = new Int32Array(8);
const lanes = lanesOf(words);

/** Two elements, and the exceptions of both. */
function converted(cpu: Cpu, operation: FloatOperationName, source: bigint): bigint {
  const { element, from, to } = FLOAT_OPERATIONS[operation];
  const control = Number(cpu.read('MXCSR'));
  words.fill(0);
  lanes.quadwords[FROM / 2] = source & 0xffff_ffff_ffff_ffffn;
  lanes.quadwords[FROM / 2 + 1] = source >> 64n;
  const flags = [0, 1].map((index) => {
    const place = FROM + (index * from) / 32;
    return element(lanes, TO + (index * to) / 32, place, place, control, 0, index);
  });
  const found = flags.reduce((all, each) => all | each, 0);
  if (found !== 0) takeUpExceptions(cpu.words, found);
  return ((lanes.quadwords[TO / 2 + 1] ?? 0n) << 64n) | (lanes.quadwords[TO / 2] ?? 0n);
}

/** 128 bits of an XMM register or of memory, which must be aligned; or 64 bits. */
function wideOperand(operand: Operand): bigint {
  if (operand.kind !== 'memory' || operand.width !== 128) return operand.read();
  if (((operand.linear() ?? 0n) & 0xfn) !== 0n) raise(GP(0), 'core.sse.alignment');
  return operand.readBytes(16).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

const TO_INTEGERS = (
  [
    [
      'CVTPS2PI',
      'CVTPS2PI—Convert Packed Single Precision Floating-Point Values to Packed Dword Integers',
      'singleToInt32',
    ],
    [
      'CVTTPS2PI',
      'CVTTPS2PI—Convert With Truncation Packed Single Precision Floating-Point Values to Packed Dword Integers',
      'truncateSingleToInt32',
    ],
    [
      'CVTPD2PI',
      'CVTPD2PI—Convert Packed Double Precision Floating-Point Values to Packed Dword Integers',
      'doubleToInt32',
    ],
    [
      'CVTTPD2PI',
      'CVTTPD2PI—Convert With Truncation Packed Double Precision Floating-Point Values to Packed Dword Integers',
      'truncateDoubleToInt32',
    ],
  ] as const satisfies readonly (readonly [string, SdmTitle, FloatOperationName])[]
).map(([mnemonic, title, operation]) =>
  defineMmx({
    mnemonic: ofMmx(mnemonic),
    title,
    xmm: true,
    effect(cpu, operands) {
      const result = converted(cpu, operation, wideOperand(operandAt(operands, 1)));
      writeQuadword(cpu, operandAt(operands, 0), result & 0xffff_ffff_ffff_ffffn);
    },
  }),
);

/** CVTPI2PS keeps the upper quadword. */
const UPPER = 0xffff_ffff_ffff_ffffn << 64n;

const fromIntegers =
  (operation: FloatOperationName, kept: bigint) =>
  (cpu: Cpu, operands: readonly Operand[]): void => {
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    const result = converted(cpu, operation, quadword(cpu, from));
    to.write((to.read() & kept) | result);
  };

const SINGLES = 'CVTPI2PS—Convert Packed Dword Integers to Packed Single Precision Floating-Point Values';
const DOUBLES = 'CVTPI2PD—Convert Packed Dword Integers to Packed Double Precision Floating-Point Values';
const toSingles = fromIntegers('int32ToSingle', UPPER);
const toDoubles = fromIntegers('int32ToDouble', 0n);

/** With a source in memory the mnemonic has no suffix; only CVTPI2PD then leaves the registers of the x87 FPU alone. */
const FROM_INTEGERS = [
  defineMmx({ mnemonic: ofMmx('CVTPI2PS'), title: SINGLES, xmm: true, effect: toSingles }),
  defineMmx({ mnemonic: 'CVTPI2PS', title: SINGLES, xmm: true, effect: toSingles }),
  defineMmx({ mnemonic: ofMmx('CVTPI2PD'), title: DOUBLES, xmm: true, effect: toDoubles }),
  defineInstruction({
    mnemonic: 'CVTPI2PD',
    manual: sdm(DOUBLES),
    reads: ['CR0.EM', 'CR0.TS', 'CR4.OSFXSR', 'MXCSR'],
    writes: [...XMM_REGISTERS, 'MXCSR'],
    flags: 'unaffected',
    faults: availabilityFaults('CVTPI2PD'),
    effect: toDoubles,
  }),
];

export const MMX_CONVERSION = [...TO_INTEGERS, ...FROM_INTEGERS];
