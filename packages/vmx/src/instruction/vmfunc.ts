// VMFUNC: a function of the VMM that a guest invokes without a VM exit, at any privilege and in every mode. There is one,
// EPTP switching: the guest chooses an EPTP from a list that its VMM made (SDM, "EPTP Switching").
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  isInGuestMode,
  sdm,
  takeOver,
  UD,
} from '@retrovisor/core';
import { allowsOne } from '../capability-msrs.js';
import type { CheckRow } from '../checks/instruction-conditions.js';
import { Secondary } from '../controls.js';
import { isValidEptp } from '../ept/eptp.js';
import { vmExit } from '../exit/leave-guest.js';
import { fieldNamed } from '../fields.js';
import { guestValue, isOn, setGuestValue } from '../non-root/controls-in-use.js';
import { Vmcs } from '../vmcs.js';

const MANUAL = sdm('VMFUNC—Invoke VM function');
const VMFUNC_EXIT = 59;
const FUNCTIONS = 64n;
const LIST_ENTRIES = 512n;
const LOW_HALF = 0xffff_ffffn;

const EPT_POINTER = fieldNamed('EPT pointer (EPTP)');
const EPTP_INDEX = fieldNamed('EPTP index');

const functionOf = (cpu: Cpu): bigint => cpu.RAX & LOW_HALF;
const indexOf = (cpu: Cpu): bigint => cpu.RCX & LOW_HALF;
const entryAddress = (cpu: Cpu): bigint => guestValue(cpu, 'eptpList') + 8n * indexOf(cpu);
const eptpInList = (cpu: Cpu): bigint => cpu.memory.read(entryAddress(cpu), 8);
const isEnabled = (cpu: Cpu): boolean => ((guestValue(cpu, 'vmFunctions') >> functionOf(cpu)) & 1n) === 1n;

/** The instruction is abandoned by a VM exit. */
const exits =
  (rule: string) =>
  ({ cpu }: Execution): never => {
    const instructionLength = cpu.draft.runner.executing?.length;
    return takeOver((boundary) => vmExit(boundary, { reason: VMFUNC_EXIT, rule, instructionLength }));
  };

const exitRow = (row: CheckRow): CheckRow => ({ ...row, result: exits(row.id) });

const vmfuncChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  {
    id: 'vmx.vmfunc.not-nonroot',
    fields: ['guestMode'],
    holds: ({ cpu }) => isInGuestMode(cpu),
    explain: 'VMFUNC exists only in VMX non-root operation: a guest executes it.',
  },
  {
    id: 'vmx.vmfunc.ctl',
    fields: ['vmcs:Secondary processor-based VM-execution controls'],
    holds: ({ cpu }) => isOn(cpu, Secondary['enable VM functions']),
    explain: 'The VMM must set "enable VM functions" in the VMCS of the guest.',
  },
  {
    id: 'vmx.vmfunc.eax-range',
    fields: ['RAX'],
    holds: ({ cpu }) => functionOf(cpu) < FUNCTIONS,
    explain: 'EAX names the VM function, 0 to 63.',
  },
  exitRow({
    id: 'vmx.vmfunc.disabled',
    fields: ['RAX', 'vmcs:VM-function controls'],
    holds: ({ cpu }) => isEnabled(cpu),
    explain: 'The bit of the VM function in the VM-function controls must be 1: otherwise VMFUNC is a VM exit.',
  }),
  exitRow({
    id: 'vmx.vmfunc.eptp-index',
    fields: ['RCX'],
    holds: ({ cpu }) => indexOf(cpu) < LIST_ENTRIES,
    explain: 'ECX is an index of the EPTP list, 0 to 511.',
  }),
  exitRow({
    id: 'vmx.vmfunc.eptp-invalid',
    fields: ({ cpu }) => ['RCX', `[0x${entryAddress(cpu).toString(16)}+8]`],
    appliesWhen: ({ cpu }) => indexOf(cpu) < LIST_ENTRIES,
    holds: ({ cpu }) => isValidEptp(cpu.profile, eptpInList(cpu)),
    explain: 'The entry of the EPTP list must be an EPTP that VM entry would accept.',
  }),
]);

/** The only function that a bit of the controls can enable. */
function switchEptp(cpu: Cpu): void {
  const eptp = eptpInList(cpu);
  const vmcs = Vmcs.currentOf(cpu);
  vmcs.setValue(EPT_POINTER, eptp);
  setGuestValue(cpu, 'eptPointer', eptp);
  if (allowsOne(cpu.profile, Secondary['EPT-violation #VE'])) {
    vmcs.set(EPTP_INDEX, Number(indexOf(cpu)));
    setGuestValue(cpu, 'eptpIndex', indexOf(cpu));
  }
  cpu.draft.guestChanged(cpu);
}

export const VMFUNC = defineInstruction({
  mnemonic: 'VMFUNC',
  manual: MANUAL,
  reads: ['RAX', 'RCX', 'guestMode'],
  writes: [],
  flags: 'unaffected',
  checks: vmfuncChecks,
  intrinsics: { vmfunc: { operands: [], registers: ['RAX', 'RCX'] } },
  effect: (cpu: Cpu) => switchEptp(cpu),
});
