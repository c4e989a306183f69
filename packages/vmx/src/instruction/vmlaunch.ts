// VMLAUNCH and VMRESUME: VM entry with the current VMCS, for the first time and again.
import { type CheckResult, type Cpu, defineInstruction, defineRules, type Execution, sdm, UD } from '@retrovisor/core';
import { privileged, recognized } from '../checks/instruction-conditions.js';
import { enterGuest } from '../entry/enter-guest.js';
import { ENTRY_RULES, passedAttempt } from '../entry/entry-rules.js';
import { fail, failInvalid } from '../status.js';
import { LAUNCH_STATE, readHeader, SHADOW_VMCS_INDICATOR } from '../vmcs-region.js';
import { hasCurrentVmcs, vmxLocation, vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMLAUNCH/VMRESUME—Launch/Resume Virtual Machine');

const launchState = (cpu: Cpu): bigint => readHeader(cpu.memory, vmxProcessor.of(cpu).currentVmcs, 'launch state');

const revision = (cpu: Cpu): bigint =>
  readHeader(cpu.memory, vmxProcessor.of(cpu).currentVmcs, 'VMCS revision identifier');

/** Before anything of the VMCS is looked at but its launch state. */
const before = (mnemonic: 'VMLAUNCH' | 'VMRESUME', id: 'vmlaunch' | 'vmresume') =>
  defineRules<Execution, CheckResult>(MANUAL, UD, [
    ...recognized(mnemonic),
    privileged(mnemonic),
    {
      id: `vmx.${id}.no-current`,
      fields: ({ cpu }) => [vmxLocation(cpu, 'currentVmcs')],
      holds: ({ cpu }) => hasCurrentVmcs(cpu),
      result: failInvalid,
      explain: `${mnemonic} enters with the current VMCS: execute VMPTRLD first.`,
    },
    {
      id: `vmx.${id}.shadow-vmcs`,
      fields: ['vmcs:VMCS revision identifier'],
      appliesWhen: ({ cpu }) => hasCurrentVmcs(cpu),
      holds: ({ cpu }) => (revision(cpu) & SHADOW_VMCS_INDICATOR) === 0n,
      result: failInvalid,
      explain: `${mnemonic} cannot enter with a shadow VMCS: clear bit 31 of its first doubleword and execute VMCLEAR and VMPTRLD.`,
    },
    {
      id: `vmx.${id}.mov-ss`,
      fields: ['interruptShadow'],
      holds: ({ cpu }) => cpu.interruptShadow !== 'movSs',
      result: fail(26),
      explain: `${mnemonic} fails with events blocked by MOV SS: execute another instruction after the load of SS.`,
    },
    mnemonic === 'VMLAUNCH'
      ? {
          id: 'vmx.vmlaunch.launch-state',
          appliesWhen: ({ cpu }: Execution) => hasCurrentVmcs(cpu),
          fields: ['vmcs:launch state'],
          holds: ({ cpu }: Execution) => launchState(cpu) === LAUNCH_STATE.clear,
          result: fail(4),
          explain: 'VMLAUNCH needs a VMCS whose launch state is clear: VMCLEAR it first, or use VMRESUME.',
        }
      : {
          id: 'vmx.vmresume.launch-state',
          appliesWhen: ({ cpu }: Execution) => hasCurrentVmcs(cpu),
          fields: ['vmcs:launch state'],
          holds: ({ cpu }: Execution) => launchState(cpu) === LAUNCH_STATE.launched,
          result: fail(5),
          explain: 'VMRESUME needs a VMCS whose launch state is launched: use VMLAUNCH after VMCLEAR.',
        },
  ]);

const READS = ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes', 'interruptShadow'];
const WRITES = ['RFLAGS', 'RIP', 'RSP', 'CR0', 'CR3', 'CR4', 'guestMode'];
const FLAGS = 'those of the guest, or VMfailInvalid or VMfailValid';

function enter(cpu: Cpu) {
  passedAttempt().passed();
  return enterGuest(cpu);
}

export const VMLAUNCH = defineInstruction({
  mnemonic: 'VMLAUNCH',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: FLAGS,
  checks: [...before('VMLAUNCH', 'vmlaunch'), ...ENTRY_RULES],
  intrinsics: { vmlaunch: { operands: [] } },
  effect: enter,
});

export const VMRESUME = defineInstruction({
  mnemonic: 'VMRESUME',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: FLAGS,
  checks: [...before('VMRESUME', 'vmresume'), ...ENTRY_RULES],
  intrinsics: { vmresume: { operands: [] } },
  effect: enter,
});
