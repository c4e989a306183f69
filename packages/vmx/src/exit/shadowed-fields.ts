// SDM, "VMCS Shadowing": VMREAD and VMWRITE of a guest reach the VMCS that the link pointer names, for the fields whose bits in
// two bitmaps are 0.
import { type Cpu, type InterceptedInstruction, isInGuestMode } from '@retrovisor/core';
import { Secondary } from '../controls.js';
import { guestValue, isOn } from '../non-root/controls-in-use.js';
import type { VmExit } from './exit.js';
import { fieldAndOperand } from './instruction-information.js';

const REASONS = { VMREAD: 23, VMWRITE: 25 } as const;
/** Bits 14:0 of an encoding have a bit in the bitmap. */
const MAPPED = 0x7fffn;

export function fieldAccessExit(cpu: Cpu, instruction: InterceptedInstruction): VmExit | undefined {
  const isRead = instruction.mnemonic === 'VMREAD';
  const exit = { reason: REASONS[isRead ? 'VMREAD' : 'VMWRITE'], ...fieldAndOperand(instruction) };
  if (!isOn(cpu, Secondary['VMCS shadowing'])) return exit;
  const encoding = instruction.operands?.[isRead ? 1 : 0]?.read() ?? 0n;
  if ((encoding & ~MAPPED) !== 0n) return exit;
  const bitmap = guestValue(cpu, isRead ? 'vmreadBitmap' : 'vmwriteBitmap');
  const byte = cpu.memory.read(bitmap + (encoding >> 3n), 1);
  return ((byte >> (encoding & 7n)) & 1n) === 1n ? exit : undefined;
}

/** The VMCS that VMREAD and VMWRITE reach: in guest mode the shadow VMCS. */
export const reachedVmcs = (cpu: Cpu, currentVmcs: bigint): bigint =>
  isInGuestMode(cpu) ? guestValue(cpu, 'linkPointer') : currentVmcs;
