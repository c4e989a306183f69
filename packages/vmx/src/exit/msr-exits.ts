// SDM, "MSR-Bitmap Address": which RDMSR and WRMSR cause exits.
import type { Cpu } from '@retrovisor/core';
import { Primary } from '../controls.js';
import { guestValue, isOn } from '../non-root/controls-in-use.js';
import type { VmExit } from './exit.js';

const LOW_MSRS = 0x2000;
const FIRST_HIGH_MSR = 0xc000_0000;
/** Offsets of the four bitmaps: those of high MSRs follow those of low ones, those for writes follow those for reads. */
const BITMAP_BYTES = 1024;

/** Whether an access to an MSR causes an exit; MSRs that no bitmap has always do. */
function isMsrIntercepted(cpu: Cpu, msr: number, write: boolean): boolean {
  if (!isOn(cpu, Primary['use MSR bitmaps'])) return true;
  const isHigh = msr >= FIRST_HIGH_MSR && msr < FIRST_HIGH_MSR + LOW_MSRS;
  if (!isHigh && msr >= LOW_MSRS) return true;
  const bit = isHigh ? msr - FIRST_HIGH_MSR : msr;
  const offset = BITMAP_BYTES * ((isHigh ? 1 : 0) + (write ? 2 : 0)) + (bit >> 3);
  const byte = Number(cpu.memory.read(guestValue(cpu, 'msrBitmap') + BigInt(offset), 1));
  return ((byte >> (bit & 7)) & 1) === 1;
}

const msrOf = (cpu: Cpu): number => Number(cpu.RCX & 0xffff_ffffn);

export const rdmsrExit = (cpu: Cpu): VmExit | undefined =>
  isMsrIntercepted(cpu, msrOf(cpu), false) ? { reason: 31 } : undefined;

export const wrmsrExit = (cpu: Cpu): VmExit | undefined =>
  isMsrIntercepted(cpu, msrOf(cpu), true) ? { reason: 32 } : undefined;
