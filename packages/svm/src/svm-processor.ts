// What SVM adds to each logical processor: the global interrupt flag (APM, "Global Interrupt Flag, STGI and CLGI
// Instructions"), and which VMCB it last worked on. Left out: guest mode, which comes with VMRUN.
import { type Cpu, defineSlice, type MachineState } from '@retrovisor/core';

/** The slice of one processor. */
export interface SvmProcessor {
  /** GIF: 1 after RESET; while it is 0, INTR, NMI, SMI and INIT are held back. EFER.SVME does not change it. */
  readonly gif: boolean;
  /** Physical address of the VMCB of the last VMLOAD or VMSAVE that completed: not architectural, but what people ask for. */
  readonly vmcb: bigint | null;
}

export const svmProcessor = defineSlice<SvmProcessor>('svm', {
  version: 1,
  initial: () => ({ gif: true, vmcb: null }),
});

export function setGif(cpu: Cpu, gif: boolean): void {
  svmProcessor.change(cpu, (svm) => {
    svm.gif = gif;
  });
}

export function setLastVmcb(cpu: Cpu, vmcb: bigint): void {
  svmProcessor.change(cpu, (svm) => {
    svm.vmcb = vmcb;
  });
}

/** The slice of a processor in a sealed state; undefined in a machine without the plugin. */
export function svmProcessorIn(state: MachineState, processor: number): SvmProcessor | undefined {
  return state.processors[processor]?.plugins['svm'] as SvmProcessor | undefined;
}
