// Accesses of a guest to control and debug registers (SDM, "Instructions That Cause VM Exits Conditionally"): masks, shadows and
// controls decide whether they cause exits, and the exit qualification tells of the operands.
import { type Cpu, CR0, type InterceptedInstruction } from '@retrovisor/core';
import { Primary } from '../controls.js';
import { type GuestRegister, guestValue, guestWord, isOn } from '../non-root/controls-in-use.js';
import type { VmExit } from './exit.js';

const CONTROL_REGISTER_ACCESS = 28;
const MOV_DR = 29;
const TYPE = { to: 0, from: 1, clts: 2, lmsw: 3 } as const;
const LMSW_MEMORY = 64n;
const TS = 1n << BigInt(CR0.bits.TS);
const PE = 1n << BigInt(CR0.bits.PE);
/** MP, EM and TS. */
const LMSW_BITS = 0xen;
const MOST_TARGETS = 4;

const exit = (register: number, type: keyof typeof TYPE, more = 0n): VmExit => ({
  reason: CONTROL_REGISTER_ACCESS,
  qualification: BigInt(register) | (BigInt(TYPE[type]) << 4n) | more,
});

/** A bit that the mask gives to the host would differ from what the guest reads of it. */
function differs(cpu: Cpu, register: 'cr0' | 'cr4', value: bigint): boolean {
  return ((value ^ guestValue(cpu, `${register}Shadow`)) & guestValue(cpu, `${register}Mask`)) !== 0n;
}

function isTarget(cpu: Cpu, value: bigint): boolean {
  const count = Math.min(guestWord(cpu, 'cr3TargetCount'), MOST_TARGETS);
  for (let index = 0; index < count; index++)
    if (guestValue(cpu, `cr3Target${index}` as GuestRegister) === value) return true;
  return false;
}

/** By the register that MOV writes. */
const WRITES: Readonly<Record<string, (cpu: Cpu, value: bigint) => boolean>> = {
  CR0: (cpu, value) => differs(cpu, 'cr0', value),
  CR3: (cpu, value) => isOn(cpu, Primary['CR3-load exiting']) && !isTarget(cpu, value),
  CR4: (cpu, value) => differs(cpu, 'cr4', value),
  CR8: (cpu) => isOn(cpu, Primary['CR8-load exiting']),
};
const READS: Readonly<Record<string, (cpu: Cpu) => boolean>> = {
  CR3: (cpu) => isOn(cpu, Primary['CR3-store exiting']),
  CR8: (cpu) => isOn(cpu, Primary['CR8-store exiting']),
};

/** The number of the general register in an operand, in bits 11:8. */
const generalRegister = ({ decoded }: InterceptedInstruction, index: number): bigint => {
  const operand = decoded?.operands[index];
  return operand?.kind === 'register' ? BigInt(operand.index) << 8n : 0n;
};

/** MOV to or from a control register. */
export function controlRegisterExit(cpu: Cpu, instruction: InterceptedInstruction): VmExit | undefined {
  const [to, from] = instruction.operands ?? [];
  if (to?.register?.startsWith('CR') === true) {
    const isExit = WRITES[to.register]?.(cpu, from?.read() ?? 0n) === true;
    return isExit ? exit(Number(to.register.slice(2)), 'to', generalRegister(instruction, 1)) : undefined;
  }
  const name = from?.register ?? '';
  if (READS[name]?.(cpu) !== true) return undefined;
  return exit(Number(name.slice(2)), 'from', generalRegister(instruction, 0));
}

export function cltsExit(cpu: Cpu): VmExit | undefined {
  const owned = (guestValue(cpu, 'cr0Mask') & guestValue(cpu, 'cr0Shadow') & TS) !== 0n;
  return owned ? exit(0, 'clts') : undefined;
}

/** LMSW can set PE and never clears it. */
export function lmswExit(cpu: Cpu, { operands = [] }: InterceptedInstruction): VmExit | undefined {
  const [source] = operands;
  const value = (source?.read() ?? 0n) & 0xffffn;
  const [mask, shadow] = [guestValue(cpu, 'cr0Mask'), guestValue(cpu, 'cr0Shadow')];
  const setsPe = (mask & ~shadow & value & PE) !== 0n;
  if (!setsPe && ((value ^ shadow) & mask & LMSW_BITS) === 0n) return undefined;
  const isMemory = source?.kind === 'memory';
  return {
    ...exit(0, 'lmsw', (value << 16n) | (isMemory ? LMSW_MEMORY : 0n)),
    guestLinearAddress: isMemory ? source.linear() : undefined,
  };
}

/** MOV to or from a debug register. */
export function debugRegisterExit(cpu: Cpu, instruction: InterceptedInstruction): VmExit | undefined {
  if (!isOn(cpu, Primary['MOV-DR exiting'])) return undefined;
  const [to, from] = instruction.decoded?.operands ?? [];
  const isWrite = to?.kind === 'register' && to.class === 'debug';
  const debug = isWrite ? to : from;
  const number = debug?.kind === 'register' ? BigInt(debug.index) : 0n;
  const direction = isWrite ? 0n : 16n;
  return { reason: MOV_DR, qualification: number | direction | generalRegister(instruction, isWrite ? 1 : 0) };
}
