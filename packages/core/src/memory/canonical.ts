// SDM, "Canonical Checking": bits above the highest implemented one are copies of it.
import type { Cpu } from '../state/cpu.js';

/** Whether bits 63 to `bits`-1 are equal (SDM, "Canonical Checking"); 32-bit addresses have a high half of 0. */
export function isCanonical(high: number, bits: 32 | 48 | 57): boolean {
  if (bits === 32) return true;
  const sign = high >> (bits - 33);
  return sign === 0 || sign === -1;
}

function isSignExtended(address: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, address) === BigInt.asIntN(64, address);
}

/** Whether a linear address can be used now: 57 bits with CR4.LA57, 48 without. */
export const isCanonicalAddress = (cpu: Cpu, address: bigint): boolean =>
  isSignExtended(address, cpu.CR4.LA57 ? 57 : 48);

/** The same of what a register holds, by its slot. */
export const holdsCanonicalAddress = (cpu: Cpu, slot: number): boolean =>
  isCanonical(cpu.words[slot * 2 + 1] as number, cpu.CR4.LA57 ? 57 : 48);

/**
 * Whether a processor takes an address into a register that outlives a change of CR4.LA57, or into INVPCID: what counts is
 * the width that it has, not the one in use.
 */
export const isCanonicalForProcessor = (cpu: Cpu, address: bigint): boolean =>
  isSignExtended(address, cpu.profile.linearAddressWidth);
