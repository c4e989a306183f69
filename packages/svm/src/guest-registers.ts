// Registers that a guest sees with other values than the processor has: CR8 while V_INTR_MASKING gives it a TPR of its own, and
// the time-stamp counter (APM, "Interrupt and Local APIC Support", "TSC Ratio MSR (C000_0104h)").
import { type ControlRegisterAccess, type Cpu, isInGuestMode } from '@retrovisor/core';
import { hasFeature } from './features.js';
import { registerSlot } from './processor-registers.js';
import { hasVirtual, setVirtualTpr, V, virtualTpr } from './virtual-interrupts.js';

/** The value that is read or written instead; the processor's own CR8 stays. */
export function accessControlRegister(cpu: Cpu, { register, write, value }: ControlRegisterAccess): bigint | undefined {
  if (register !== 'CR8' || !isInGuestMode(cpu) || !hasVirtual(cpu, V.INTR_MASKING)) return undefined;
  if (!write) return BigInt(virtualTpr(cpu));
  setVirtualTpr(cpu, Number(value));
  return cpu.CR8;
}

const FRACTION = 32n;

/** The time-stamp counter of a guest: scaled by TSC_RATIO, then moved by TSC_OFFSET. */
export function guestTimeStamp(cpu: Cpu, value: bigint): bigint {
  if (!isInGuestMode(cpu)) return value;
  const ratio = hasFeature(cpu.profile, 'TscRateMsr') ? cpu.read('TSC_RATIO') : 1n << FRACTION;
  return ((value * ratio) >> FRACTION) + cpu.readSlot(registerSlot(cpu, 'TSC_OFFSET'));
}
