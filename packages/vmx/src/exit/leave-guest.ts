// VM exits (SDM, "VM Exits"): what is recorded, then the state of the guest is saved and that of the host loaded. Called with the
// registers of a boundary, through takeOver where an instruction or a delivery is abandoned.
import type { Cpu, PluginOutcome } from '@retrovisor/core';
import { fieldNamed } from '../fields.js';
import { guestWord, setGuestValue } from '../non-root/controls-in-use.js';
import { informationOf, isOfInstruction, VALID } from '../non-root/event-types.js';
import { loadMsrArea, storeMsrArea } from '../non-root/msr-area.js';
import { invalidateWithoutVpid } from '../non-root/vpid.js';
import { Vmcs } from '../vmcs.js';
import { REGION_HEADER } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';
import type { VmExit } from './exit.js';
import { EXIT_REASON_FLAGS, EXIT_REASONS, type ExitReason } from './exit-reasons.js';
import { loadHostPdptes, loadHostState } from './load-host-state.js';
import { saveGuestState } from './save-guest-state.js';

const FIELD = {
  reason: fieldNamed('Exit reason'),
  qualification: fieldNamed('Exit qualification'),
  guestLinear: fieldNamed('Guest-linear address'),
  guestPhysical: fieldNamed('Guest-physical address'),
  information: fieldNamed('VM-exit interruption information'),
  errorCode: fieldNamed('VM-exit interruption error code'),
  vectoring: fieldNamed('IDT-vectoring information field'),
  vectoringErrorCode: fieldNamed('IDT-vectoring error code'),
  instructionLength: fieldNamed('VM-exit instruction length'),
  instructionInformation: fieldNamed('VM-exit instruction information'),
  entryInformation: fieldNamed('VM-entry interruption-information field'),
} as const;

const STORED = {
  count: fieldNamed('VM-exit MSR-store count'),
  address: fieldNamed('VM-exit MSR-store address'),
} as const;
const LOADED = {
  count: fieldNamed('VM-exit MSR-load count'),
  address: fieldNamed('VM-exit MSR-load address'),
} as const;

/** SDM, "VMX Aborts": values of the VMX-abort indicator. */
const ABORT = { 'saving guest MSRs': 1, 'loading host MSRs': 4 } as const;

/** Leaves the guest; the outcome has kind `vmx/VM-exit` with the exit as it was recorded. */
export function vmExit(cpu: Cpu, exit: VmExit): PluginOutcome {
  const vmcs = Vmcs.currentOf(cpu);
  record(cpu, vmcs, exit);
  vmcs.set(FIELD.entryInformation, vmcs.word(FIELD.entryInformation) & ~VALID);
  let isStored = true;
  cpu.draft.loadRegisters(cpu, () => {
    saveGuestState(cpu, vmcs);
    isStored = storeMsrArea(cpu, vmcs, STORED);
    enterRoot(cpu, vmcs);
  });
  if (!isStored) return abort(cpu, 'saving guest MSRs');
  return loadHostMsrs(cpu, vmcs) ?? outcomeOf('vmx/VM-exit', exit);
}

/**
 * An entry that fails after guest state began to be loaded (SDM, "VM-Entry Failures During or After Loading Guest State"): host
 * state is loaded, nothing of the guest is saved.
 */
export function failEntry(cpu: Cpu, reason: ExitReason, qualification: bigint): PluginOutcome {
  const vmcs = Vmcs.currentOf(cpu);
  vmcs.set(FIELD.reason, reason | EXIT_REASON_FLAGS['VM-entry failure']);
  vmcs.setValue(FIELD.qualification, qualification);
  cpu.draft.loadRegisters(cpu, () => enterRoot(cpu, vmcs));
  return loadHostMsrs(cpu, vmcs) ?? outcomeOf('vmx/VM-entry-failure', { reason, qualification });
}

/** The controls of the guest count until the host's state is loaded. */
function enterRoot(cpu: Cpu, vmcs: Vmcs): void {
  cpu.set('guestMode', 1n);
  invalidateWithoutVpid(cpu);
  loadHostState(cpu, vmcs);
  cpu.set('guestMode', 0n);
  loadHostPdptes(cpu);
  setGuestValue(cpu, 'pendingExits', 0);
  setGuestValue(cpu, 'injection', 0);
}

function loadHostMsrs(cpu: Cpu, vmcs: Vmcs): PluginOutcome | undefined {
  cpu.draft.runner.attend();
  return loadMsrArea(cpu, vmcs, LOADED) === 0 ? undefined : abort(cpu, 'loading host MSRs');
}

function record(cpu: Cpu, vmcs: Vmcs, exit: VmExit): void {
  const { interruption, qualification = 0n } = exit;
  vmcs.set(FIELD.reason, exit.reason);
  vmcs.setValue(FIELD.qualification, qualification);
  if (exit.guestLinearAddress !== undefined) vmcs.setValue(FIELD.guestLinear, exit.guestLinearAddress);
  if (exit.guestPhysicalAddress !== undefined) vmcs.setValue(FIELD.guestPhysical, exit.guestPhysicalAddress);
  vmcs.set(FIELD.information, interruption?.information ?? 0);
  vmcs.set(FIELD.errorCode, interruption?.errorCode ?? 0);
  const { delivering } = cpu.draft;
  vmcs.set(FIELD.vectoring, delivering === undefined ? 0 : informationOf(delivering));
  vmcs.set(FIELD.vectoringErrorCode, delivering?.errorCode ?? 0);
  vmcs.set(FIELD.instructionLength, exit.instructionLength ?? lengthOfDelivered(cpu));
  vmcs.set(FIELD.instructionInformation, exit.instructionInformation ?? 0);
}

/** Of the instruction whose event was being delivered: INT n as it was fetched, or as it was injected. */
function lengthOfDelivered(cpu: Cpu): number {
  const { delivering, runner } = cpu.draft;
  if (delivering === undefined || !isOfInstruction(delivering.type)) return 0;
  return guestWord(cpu, 'injection') === 0 ? (runner.executing?.length ?? 0) : guestWord(cpu, 'injectionLength');
}

function outcomeOf(kind: PluginOutcome['kind'], { reason, rule, qualification = 0n }: VmExit): PluginOutcome {
  return { kind, reason, name: EXIT_REASONS[reason], qualification, ...(rule === undefined ? {} : { rule }) };
}

/** The processor stops; the indicator says why in the VMCS that was left. */
function abort(cpu: Cpu, why: keyof typeof ABORT): PluginOutcome {
  const region = Number(vmxProcessor.of(cpu).currentVmcs);
  cpu.memory.setWord(region + REGION_HEADER['VMX-abort indicator'], ABORT[why]);
  cpu.activity = 'shutdown';
  return {
    kind: 'vmx/VMX-abort',
    indicator: ABORT[why],
    why,
    rule: `vmx.abort.${why.replaceAll(' ', '-').toLowerCase()}`,
  };
}
