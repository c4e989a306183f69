// VMRUN: the checks of the instruction, those of the VMCB, then the world switch. In a guest it is always intercepted.
import { apm, defineInstruction, defineRules } from '@retrovisor/core';
import { privileged, protectedMode, svmEnabled, vmcbAddress, vmcbAddressOf } from '../checks/instruction-conditions.js';
import { vmrunConsistencyChecks } from '../checks/vmrun.js';
import { enterGuest } from '../world-switch.js';

const MANUAL = apm('VMRUN Run Virtual Machine');

export const VMRUN = defineInstruction({
  mnemonic: 'VMRUN',
  manual: MANUAL,
  reads: ['IA32_EFER.SVME', 'CR0', 'RFLAGS', 'SS.attributes', 'RAX', 'VM_HSAVE_PA'], // and the VMCB, which is no fixed place
  writes: [
    'RIP',
    'RSP',
    'RAX',
    'RFLAGS',
    'CR0',
    'CR2',
    'CR3',
    'CR4',
    'IA32_EFER',
    'DR6',
    'DR7',
    'svm.GIF',
    'guestMode',
  ],
  flags: 'those of the guest',
  checks: [
    ...defineRules(MANUAL, { kind: 'fault', vector: '#UD' }, [
      svmEnabled('VMRUN'),
      protectedMode('VMRUN'),
      privileged('VMRUN'),
      vmcbAddress('VMRUN'),
    ]),
    ...vmrunConsistencyChecks,
  ],
  intrinsics: { vmrun: { operands: [{ register: 'RAX' }], registers: ['RAX'] } },
  effect: (cpu, operands) => enterGuest(cpu, Number(vmcbAddressOf({ cpu, operands }))),
});
