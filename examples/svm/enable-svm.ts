// Switching on SVM, the AMD counterpart of the walk (APM, "Enabling SVM"): EFER.SVME is set, the processor gets its host
// save area, and VMSAVE and VMLOAD carry state through a VMCB. VMRUN comes later.
import { EFER, isFailure, longMode, type Machine, type Outcome } from '@retrovisor/core';
import { svm, VM_CR } from '@retrovisor/svm';

export const machine = { profile: 'amd-server', processors: 2, plugins: [svm], boot: longMode() } as const;

const IA32_EFER = 0xc000_0080;
const VM_CR_MSR = 0xc001_0114;
const VM_HSAVE_PA = 0xc001_0117;
const IA32_LSTAR = 0xc000_0082;
const HOST_SAVE_AREA = 0x20_0000n;
const VMCB = 0x20_1000n;
const SYSCALL_ENTRY = 0x10_2000n;

export default function enableSvm(machine: Machine<readonly [typeof svm]>): Outcome {
  const cpu = machine.processor(0);
  const read = (msr: number): bigint => {
    const outcome = cpu.rdmsr(msr);
    if ('value' in outcome && typeof outcome.value === 'bigint') return outcome.value;
    throw new Error(`no value came back: ${outcome.kind}`);
  };
  if (read(VM_CR_MSR) & (1n << BigInt(VM_CR.bits.SVMDIS))) throw new Error('firmware has disabled SVM');

  // While EFER.SVME is 0, every instruction of SVM is #UD.
  cpu.wrmsr(IA32_EFER, read(IA32_EFER) | (1n << BigInt(EFER.bits.SVME)));

  // VMRUN saves host state there: a page of its own for each processor, by its physical address.
  cpu.wrmsr(VM_HSAVE_PA, HOST_SAVE_AREA);

  // VMSAVE stores what VMRUN leaves alone; VMLOAD brings it back, here over a value that was overwritten in between.
  cpu.wrmsr(IA32_LSTAR, SYSCALL_ENTRY);
  cpu.vmsave(VMCB);
  cpu.wrmsr(IA32_LSTAR, 0n);
  const loaded = cpu.vmload(VMCB);
  if (!isFailure(loaded) && read(IA32_LSTAR) !== SYSCALL_ENTRY)
    throw new Error('VMLOAD must bring back what VMSAVE stored');
  return loaded;
}
