// VMX operation of each logical processor (SDM, "Introduction to VMX Operation"): VMXON on one gives the others
// nothing. Left out because the machine has no such state: the A20M mode, the monitored address range.
import { type Cpu, defineSlice, type MachineState } from '@retrovisor/core';

/** What VMXON and VMPTRLD established on one processor. */
export interface VmxProcessor {
  readonly inVmxOperation: boolean;
  /** Physical address of the VMXON region, or NO_VMCS outside VMX operation. */
  readonly vmxonPointer: bigint;
  /** The current-VMCS pointer, NO_VMCS if there is none. */
  readonly currentVmcs: bigint;
}

/** FFFFFFFF_FFFFFFFFH: what VMPTRST stores when no VMCS is current. */
export const NO_VMCS = 0xffff_ffff_ffff_ffffn;

const OUTSIDE: VmxProcessor = { inVmxOperation: false, vmxonPointer: NO_VMCS, currentVmcs: NO_VMCS };

/** One for each processor. */
export const vmxProcessor = defineSlice<VmxProcessor>('vmx', { version: 1, initial: () => ({ ...OUTSIDE }) });

export function isInVmxOperation(cpu: Cpu): boolean {
  return vmxProcessor.of(cpu).inVmxOperation;
}

/** Whether a VMCS is current, so that VMfail can say why and VMREAD has something to read. */
export function hasCurrentVmcs(cpu: Cpu): boolean {
  return vmxProcessor.of(cpu).currentVmcs !== NO_VMCS;
}

export function enterVmxOperation(cpu: Cpu, vmxonPointer: bigint): void {
  vmxProcessor.change(cpu, (vmx) => {
    vmx.inVmxOperation = true;
    vmx.vmxonPointer = vmxonPointer;
    vmx.currentVmcs = NO_VMCS;
  });
}

export function leaveVmxOperation(cpu: Cpu): void {
  vmxProcessor.change(cpu, (vmx) => {
    Object.assign(vmx, OUTSIDE);
  });
}

export function setCurrentVmcs(cpu: Cpu, pointer: bigint): void {
  vmxProcessor.change(cpu, (vmx) => {
    vmx.currentVmcs = pointer;
  });
}

/** What VMXON and VMPTRLD set, as a location to be blamed. */
export function vmxLocation(cpu: Cpu, name: keyof VmxProcessor): string {
  return `processor/${cpu.id}/slice/vmx/${name}`;
}

/**
 * What VMXON and VMPTRLD established on a processor, in a sealed state; undefined in a machine without the plugin.
 * @example vmxProcessorIn(machine.state, 0)?.inVmxOperation
 */
export function vmxProcessorIn(state: MachineState, processor: number): VmxProcessor | undefined {
  return state.processors[processor]?.plugins['vmx'] as VmxProcessor | undefined;
}
