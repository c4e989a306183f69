// A short past to ask questions about: a processor that switches VMX on and then VMXON fails, because CR4.VMXE is lost.
import { createMachine, longMode, type Step } from '@retrovisor/core';
import { vmx } from '@retrovisor/vmx';

/** A machine that has failed. The steps: 0 sets CR4.VMXE, 1 clears it, 2 is VMXON, which raises #UD. */
export function failedMachine() {
  const machine = createMachine({ profile: 'intel-server', processors: 2, plugins: [vmx], boot: longMode() });
  const cpu = machine.processor(0);
  cpu.movToCr4(cpu.read('CR4') | 0x2000n);
  cpu.movToCr4(cpu.read('CR4') & ~0x2000n);
  cpu.vmxon(0x20_0000n);
  return machine;
}

/** The steps of that machine. */
export function failedSteps(): readonly Step[] {
  return [...failedMachine().timeline().steps()];
}
