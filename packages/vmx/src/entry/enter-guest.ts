// VM entries after their checks (SDM, "VM Entries"): the controls are kept, guest state and MSRs are loaded, and what the entry
// asks for beside them pends at the boundary before the guest's first instruction.
import type { Cpu, PluginOutcome } from '@retrovisor/core';
import { failEntry } from '../exit/leave-guest.js';
import { fieldNamed } from '../fields.js';
import { LOADED_FIELDS, setGuestValue, slotOfGuest } from '../non-root/controls-in-use.js';
import { OTHER_EVENT, VALID } from '../non-root/event-types.js';
import { loadMsrArea } from '../non-root/msr-area.js';
import { pendExit } from '../non-root/pending-exits.js';
import { startPreemptionTimer } from '../non-root/preemption-timer.js';
import { invalidateWithoutVpid } from '../non-root/vpid.js';
import { Vmcs } from '../vmcs.js';
import { LAUNCH_STATE, writeHeader } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';
import { loadGuestState } from './load-guest-state.js';

const MSR_AREA = {
  count: fieldNamed('VM-entry MSR-load count'),
  address: fieldNamed('VM-entry MSR-load address'),
} as const;
const INFORMATION = fieldNamed('VM-entry interruption-information field');
const ERROR_CODE = fieldNamed('VM-entry exception error code');
const LENGTH = fieldNamed('VM-entry instruction length');
const PREEMPTION_TIMER = fieldNamed('VMX-preemption timer value');
/** Basic exit reason: a VM-entry failure due to MSR loading. */
const MSR_LOADING = 34;

export function enterGuest(cpu: Cpu): PluginOutcome {
  const vmcs = Vmcs.currentOf(cpu);
  cpu.draft.loadRegisters(cpu, () => {
    loadControls(cpu);
    cpu.set('guestMode', 1n);
    loadGuestState(cpu, vmcs);
  });
  invalidateWithoutVpid(cpu);
  const failed = loadMsrArea(cpu, vmcs, MSR_AREA);
  if (failed !== 0) return failEntry(cpu, MSR_LOADING, BigInt(failed));
  writeHeader(cpu.memory, vmxProcessor.of(cpu).currentVmcs, 'launch state', LAUNCH_STATE.launched);
  setGuestValue(cpu, 'pendingExits', 0);
  setGuestValue(cpu, 'lastPause', 0); // the first PAUSE after VM entry is the first one of a loop
  startPreemptionTimer(cpu, vmcs.word(PREEMPTION_TIMER));
  pendInjection(cpu, vmcs);
  cpu.draft.runner.attend();
  return { kind: 'vmx/VM-entry' };
}

/** The controls and what goes with them, as the processor keeps them while it runs the guest. */
export function loadControls(cpu: Cpu): void {
  const vmcs = Vmcs.currentOf(cpu);
  for (const [name, field] of LOADED_FIELDS) cpu.writeWords(slotOfGuest(cpu, name), vmcs.word(field), vmcs.high(field));
}

/** An event that the entry injects is delivered at the boundary, before anything else. */
function pendInjection(cpu: Cpu, vmcs: Vmcs): void {
  const information = vmcs.word(INFORMATION);
  const isInjected = (information & VALID) !== 0;
  const isMonitorTrap = isInjected && ((information >>> 8) & 7) === OTHER_EVENT;
  setGuestValue(cpu, 'injection', isInjected && !isMonitorTrap ? information >>> 0 : 0);
  setGuestValue(cpu, 'injectionErrorCode', vmcs.word(ERROR_CODE) >>> 0);
  setGuestValue(cpu, 'injectionLength', vmcs.word(LENGTH) >>> 0);
  if (isMonitorTrap) pendExit(cpu, 'monitor trap flag');
}
