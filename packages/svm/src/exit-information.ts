// What EXITINFO1, EXITINFO2 and nRIP tell of an intercepted instruction (APM, "Instruction Intercepts", "IOIO Intercepts",
// "Decode Assists").
import { type Cpu, type InterceptedInstruction, RFLAGS } from '@retrovisor/core';
import { hasFeature } from './features.js';

type Decoded = NonNullable<InterceptedInstruction['decoded']>;

const MASKS = { 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;

/** RIP of the instruction after the one at RIP, as wide as code is. */
export function nextRipOf(cpu: Cpu, { length, decoded }: InterceptedInstruction): bigint {
  return (cpu.RIP + BigInt(length)) & MASKS[decoded?.codeWidth ?? cpu.codeWidth];
}

/** The same where the processor saves it. */
export const savedNextRip = (cpu: Cpu, seen: InterceptedInstruction): bigint =>
  hasFeature(cpu.profile, 'NRIPS') ? nextRipOf(cpu, seen) : 0n;

const MOV = 1n << 63n;

/** The general register of MOV CR or MOV DR, in bits 3:0. */
function generalRegister({ decoded }: InterceptedInstruction): bigint {
  const operand = decoded?.operands.find((candidate) => candidate.kind === 'register' && candidate.class === 'general');
  return operand?.kind === 'register' ? BigInt(operand.index) : 0n;
}

/** With decode assists: MOV to or from a control register, not CLTS, LMSW and SMSW. */
export const controlRegisterInfo = (cpu: Cpu, seen: InterceptedInstruction): bigint =>
  seen.mnemonic === 'MOV CR' && hasFeature(cpu.profile, 'DecodeAssists') ? MOV | generalRegister(seen) : 0n;

export const debugRegisterInfo = (cpu: Cpu, seen: InterceptedInstruction): bigint =>
  hasFeature(cpu.profile, 'DecodeAssists') ? generalRegister(seen) : 0n;

/** The vector of INT n. */
export const vectorInfo = (cpu: Cpu, { decoded }: InterceptedInstruction): bigint => {
  const operand = decoded?.operands[0];
  return operand?.kind === 'immediate' && hasFeature(cpu.profile, 'DecodeAssists') ? operand.value & 0xffn : 0n;
};

/** The linear address of INVLPG. */
export const addressInfo = (cpu: Cpu, { operands }: InterceptedInstruction): bigint => {
  const operand = operands?.[0];
  if (operand === undefined || !hasFeature(cpu.profile, 'DecodeAssists')) return 0n;
  return operand.uncheckedLinear?.() ?? operand.read();
};

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
const BITS = { input: 1, string: 4, repeat: 8, size8: 16, address16: 128, segment: 10, port: 16 } as const;

/** How IN, OUT, INS or OUTS accesses its port. */
export interface PortInstruction {
  readonly port: number;
  readonly bytes: 1 | 2 | 4;
  readonly info: bigint;
}

/** The port, the size, and EXITINFO1. */
export function portInstructionOf(cpu: Cpu, seen: InterceptedInstruction): PortInstruction {
  const { mnemonic, operands = [], decoded } = seen;
  const input = mnemonic.startsWith('IN');
  const string = mnemonic.startsWith('INS') || mnemonic.startsWith('OUTS');
  const [port, data] = input ? [operands[1], operands[0]] : [operands[0], operands[1]];
  const number = Number((port?.read() ?? 0n) & 0xffffn);
  const bytes = data?.width === 8 ? 1 : data?.width === 16 ? 2 : 4;
  const addressWidth = decoded?.addressWidth ?? cpu.codeWidth;
  let info =
    (number << BITS.port) | (BITS.size8 * bytes) | (BITS.address16 * (addressWidth / 16)) | (input ? BITS.input : 0);
  if (string) info |= BITS.string | (memorySegment(decoded) << BITS.segment);
  if (string && decoded !== undefined && decoded.repeat !== 'none') info |= BITS.repeat;
  return { port: number, bytes, info: BigInt(info >>> 0) };
}

function memorySegment(decoded: Decoded | undefined): number {
  const operand = decoded?.operands.find(({ kind }) => kind === 'memory');
  return operand?.kind === 'memory' ? SEGMENTS.indexOf(operand.segment as (typeof SEGMENTS)[number]) : 3;
}

/** Bits of EXITINFO2 of a task switch. */
export const TASK_BITS = { IRET: 1n << 36n, JMP: 1n << 38n, errorCode: 1n << 44n } as const;
const RF_SHIFT = 48n;

/** RFLAGS.RF as a task switch reports it. */
export const resumeFlagInfo = (cpu: Cpu): bigint => BigInt((cpu.EFLAGS >> RFLAGS.bits.RF) & 1) << RF_SHIFT;
