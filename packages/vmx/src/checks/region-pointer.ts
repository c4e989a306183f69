// The physical address that VMXON, VMCLEAR and VMPTRLD take: alignment, width, and the revision identifier of the
// region that it points to (SDM, "Format of the VMCS Region").
import type { Cpu } from '@retrovisor/core';
import { VMX_BASIC } from '../capability-bits.js';
import { REGION_ALIGNMENT, readHeader, SHADOW_VMCS_INDICATOR } from '../vmcs-region.js';
import { type Operation, operandOf, placeOf } from './instruction-conditions.js';

/** The operand's value; 64 bits in every mode. */
export function pointerOf(execution: Operation): bigint {
  return operandOf(execution, 0).read();
}

export function isAligned(pointer: bigint): boolean {
  return pointer % REGION_ALIGNMENT === 0n;
}

/** Bits that a physical address of a VMX structure may have. */
function addressBits(cpu: Cpu): number {
  const limited = VMX_BASIC.read(cpu.read('IA32_VMX_BASIC'), '32-bit physical addresses') === 1;
  return limited ? 32 : cpu.profile.physicalAddressWidth;
}

export function isWithinWidth(cpu: Cpu, pointer: bigint): boolean {
  return pointer >> BigInt(addressBits(cpu)) === 0n;
}

/** Where the pointer was read, and what limits its width. */
export function pointerFields(execution: Operation): readonly string[] {
  return [...placeOf(execution, 0), 'IA32_VMX_BASIC'];
}

/** Aligned and within the physical-address width: only then is there a region to look at. */
export function pointsToRegion(execution: Operation): boolean {
  const pointer = pointerOf(execution);
  return isAligned(pointer) && isWithinWidth(execution.cpu, pointer);
}

/** Bits 30:0 of the region's first doubleword against those of IA32_VMX_BASIC. What is not RAM reads as ones. */
export function hasRevisionIdentifier(execution: Operation): boolean {
  const { cpu } = execution;
  const expected = VMX_BASIC.read(cpu.read('IA32_VMX_BASIC'), 'VMCS revision identifier');
  return (firstDoubleword(execution) & ~SHADOW_VMCS_INDICATOR) === BigInt(expected);
}

export function hasShadowIndicator(execution: Operation): boolean {
  return (firstDoubleword(execution) & SHADOW_VMCS_INDICATOR) !== 0n;
}

function firstDoubleword(execution: Operation): bigint {
  return readHeader(execution.cpu.memory, pointerOf(execution), 'VMCS revision identifier');
}

/** The first doubleword of the region, as a location. */
export function revisionLocation(execution: Operation): readonly string[] {
  return [`[0x${pointerOf(execution).toString(16)}+4]`];
}
