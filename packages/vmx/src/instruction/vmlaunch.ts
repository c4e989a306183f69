// VMLAUNCH and VMRESUME: VM entry with the current VMCS, for the first time and again.
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  type PluginOutcome,
  sdm,
  UD,
} from '@retrovisor/core';
import { privileged, recognized } from '../checks/instruction-conditions.js';
import type { EntryCheck } from '../entry/checks/entry-check.js';
import { enterGuest, loadControls } from '../entry/enter-guest.js';
import { EntryAttempt } from '../entry/entry-attempt.js';
import { explainedEntryChecks } from '../entry/explained-checks.js';
import { failEntry } from '../exit/leave-guest.js';
import { fail, failInvalid, failValid } from '../status.js';
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

function enter(cpu: Cpu): PluginOutcome {
  const attempt = new EntryAttempt(cpu);
  const violated = attempt.violated();
  if (violated !== undefined) return { ...refuse(cpu, violated), rule: violated.id };
  attempt.passed();
  return enterGuest(cpu);
}

/** An entry whose guest state is refused has loaded its controls: they say how the host's state is loaded. */
function refuse(cpu: Cpu, { result }: EntryCheck): PluginOutcome {
  if (result.kind === 'VMfailValid') return failValid(cpu, result.number);
  loadControls(cpu);
  return failEntry(cpu, result.reason, BigInt(result.qualification));
}

export const VMLAUNCH = defineInstruction({
  mnemonic: 'VMLAUNCH',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: FLAGS,
  checks: before('VMLAUNCH', 'vmlaunch'),
  effectChecks: explainedEntryChecks,
  intrinsics: { vmlaunch: { operands: [] } },
  effect: enter,
});

export const VMRESUME = defineInstruction({
  mnemonic: 'VMRESUME',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: FLAGS,
  checks: before('VMRESUME', 'vmresume'),
  effectChecks: explainedEntryChecks,
  intrinsics: { vmresume: { operands: [] } },
  effect: enter,
});
