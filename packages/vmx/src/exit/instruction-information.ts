// The VM-exit instruction-information field and what goes with it (SDM, "Information for VM Exits Due to Instruction Execution"):
// how the operands of the instruction are encoded.
import type { Decoded, InterceptedInstruction } from '@retrovisor/core';
import type { VmExit } from './exit.js';

type DecodedOperand = Decoded['operands'][number];
type DecodedMemory = Extract<DecodedOperand, { readonly kind: 'memory' }>;

const ADDRESS_SIZES = { 16: 0, 32: 1, 64: 2 } as const;
const SCALES = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;
const SEGMENTS: Readonly<Record<string, number>> = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5 };
const OPERAND_SIZES: Readonly<Record<number, number>> = { 16: 0, 32: 1, 64: 2 };
/** Bits of the field. */
const IS_REGISTER = 1 << 10;
const NO_INDEX = 1 << 22;
const NO_BASE = 1 << 27;

const memoryOf = (operands: readonly DecodedOperand[] = []): DecodedMemory | undefined =>
  operands.find((operand): operand is DecodedMemory => operand.kind === 'memory');

const registerAt = (decoded: Decoded | undefined, index: number): number => {
  const operand = decoded?.operands[index];
  return operand?.kind === 'register' ? operand.index : 0;
};

/** Scaling, address size, segment, index and base of a memory operand. */
function addressing({ scale, addressWidth, segment, index, base }: DecodedMemory): number {
  return (
    (index === undefined ? NO_INDEX : SCALES[scale] | (index.index << 18)) |
    (ADDRESS_SIZES[addressWidth] << 7) |
    ((SEGMENTS[segment] ?? 0) << 15) |
    (base === undefined ? NO_BASE : base.index << 23)
  );
}

/** The exit qualification of an instruction with a memory operand: its displacement, sign-extended. */
function displacementOf({ addressWidth, displacement }: DecodedMemory): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(addressWidth, displacement));
}

type Details = Pick<VmExit, 'qualification' | 'instructionInformation'>;

/** `operand` is the place of the r/m operand, `other` that of the one in ModRM.reg, `more` what the format adds. */
function formatted(decoded: Decoded | undefined, operand: number, other: number | undefined, more = 0): Details {
  const second = other === undefined ? 0 : registerAt(decoded, other) << 28;
  const memory = memoryOf(decoded?.operands);
  if (memory === undefined)
    return { instructionInformation: (IS_REGISTER | (registerAt(decoded, operand) << 3) | second | more) >>> 0 };
  return {
    qualification: displacementOf(memory),
    instructionInformation: (addressing(memory) | second | more) >>> 0,
  };
}

/** VMCLEAR, VMPTRLD, VMPTRST, VMXON, XRSTORS, XSAVES. */
export const memoryOperand = ({ decoded }: InterceptedInstruction): Details => formatted(decoded, 0, undefined);

/** INVEPT, INVPCID, INVVPID: the type is in a register, the descriptor in memory. */
export const typeAndDescriptor = ({ decoded }: InterceptedInstruction): Details => formatted(decoded, 1, 0);

/** VMREAD has its field second, VMWRITE first. */
export const fieldAndOperand = ({ mnemonic, decoded }: InterceptedInstruction): Details =>
  mnemonic === 'VMREAD' ? formatted(decoded, 0, 1) : formatted(decoded, 1, 0);

/** Bits 29:28 tell which instruction it was. */
const IDENTITY: Readonly<Record<string, number>> = {
  SGDT: 0,
  SIDT: 1,
  LGDT: 2,
  LIDT: 3,
  SLDT: 0,
  STR: 1,
  LLDT: 2,
  LTR: 3,
};

/** Bit 11: the operand size of LGDT, LIDT, SGDT and SIDT is 32 bits; undefined in 64-bit mode. */
export const tableAccess = ({ mnemonic, decoded }: InterceptedInstruction): Details =>
  formatted(
    decoded,
    0,
    undefined,
    ((IDENTITY[mnemonic] ?? 0) << 28) | (/.[GI]DT/.test(mnemonic) && decoded?.operandWidth !== 16 ? 1 << 11 : 0),
  );

/** RDRAND and RDSEED: the destination and its size. */
export const randomDestination = ({ decoded, operandWidth = 64 }: InterceptedInstruction): Details => ({
  instructionInformation:
    (registerAt(decoded, 0) << 3) | ((OPERAND_SIZES[decoded?.operandWidth ?? operandWidth] ?? 0) << 11),
});

/** INS and OUTS: the address size, and the segment of OUTS. */
export function stringAddressing({ decoded }: InterceptedInstruction): number {
  const memory = memoryOf(decoded?.operands);
  if (memory === undefined) return 0;
  return (ADDRESS_SIZES[memory.addressWidth] << 7) | ((SEGMENTS[memory.segment] ?? 0) << 15);
}
