// What happens between two instructions of a guest (SDM, "Other Causes of VM Exits"): which events cause VM exits, which are held
// back, and the exits that have no event: windows, the preemption timer, the monitor trap flag.
import {
  acknowledgeExternalInterrupt,
  type BoundaryEvent,
  type Cpu,
  type EventName,
  isInGuestMode,
  type Outcome,
  PENDING,
  setPending,
} from '@retrovisor/core';
import { Exit, PinBased, Primary } from '../controls.js';
import type { VmExit } from '../exit/exit.js';
import { vmExit } from '../exit/leave-guest.js';
import { isInVmxOperation } from '../vmx-operation.js';
import { guestWord, isOn } from './controls-in-use.js';
import { interruptionInformation } from './event-types.js';
import { INJECTION } from './injection.js';
import { isExitPending, type PendingExit } from './pending-exits.js';

type GuestEvent = BoundaryEvent & { readonly before: EventName };

const isShadowed = (cpu: Cpu): boolean => cpu.interruptShadow !== 'none';
const isStopped = (cpu: Cpu): boolean => cpu.activity === 'shutdown' || cpu.activity === 'wait-for-SIPI';

/** An exit that pends since an instruction, an entry or a timer. */
const pending = (event: PendingExit, before: EventName, exit: (cpu: Cpu) => VmExit): GuestEvent => ({
  event,
  before,
  isThere: (cpu) => isInGuestMode(cpu) && isExitPending(cpu, event),
  isHeld: (cpu) => cpu.activity === 'wait-for-SIPI',
  take: (cpu) => vmExit(cpu, exit(cpu)),
});

/** In the order of the manual: each stands before an event of core, and in the order of the rows. */
export const GUEST_EVENTS: readonly GuestEvent[] = [
  INJECTION,
  pending('TPR below threshold', 'machine check', () => ({ reason: 43 })),
  pending('monitor trap flag', 'debug', () => ({ reason: 37 })),
  pending('preemption timer', 'NMI', () => ({ reason: 52 })),
  {
    event: 'NMI window',
    before: 'NMI',
    isThere: (cpu) => isOn(cpu, Primary['NMI-window exiting']),
    isHeld: (cpu) =>
      guestWord(cpu, 'virtualNmiBlocking') !== 0 || cpu.interruptShadow === 'movSs' || cpu.activity === 'wait-for-SIPI',
    take: (cpu) => vmExit(cpu, { reason: 8 }),
  },
  {
    event: 'interrupt window',
    before: 'external interrupt',
    isThere: (cpu) => isOn(cpu, Primary['interrupt-window exiting']),
    isHeld: (cpu) => !cpu.RFLAGS.IF || isShadowed(cpu) || isStopped(cpu),
    take: (cpu) => vmExit(cpu, { reason: 7 }),
  },
];

/** Intercept: what VMX operation holds back, and what it lets through where core would not. */
export function holdsEvent(cpu: Cpu, event: EventName, held: boolean): boolean {
  if (!isInGuestMode(cpu)) return (event === 'INIT' && isInVmxOperation(cpu)) || held;
  if (event === 'INIT') return cpu.activity === 'wait-for-SIPI';
  if (event === 'external interrupt' && isOn(cpu, PinBased['external-interrupt exiting']))
    return isShadowed(cpu) || isStopped(cpu);
  if (event === 'NMI' && isOn(cpu, PinBased['virtual NMIs']))
    return cpu.interruptShadow === 'movSs' || cpu.activity === 'wait-for-SIPI';
  return held;
}

/** Intercept: an event of core is about to be taken. */
export function interceptEvent(cpu: Cpu, event: EventName): Outcome | undefined {
  if (!isInGuestMode(cpu)) return undefined;
  switch (event) {
    case 'INIT':
      setPending(cpu, PENDING.INIT, false);
      return vmExit(cpu, { reason: 3 });
    case 'start-up':
      setPending(cpu, PENDING.SIPI, false);
      return vmExit(cpu, { reason: 4, qualification: cpu.read('startupVector') });
    case 'NMI':
      return isOn(cpu, PinBased['NMI exiting']) ? exitForNmi(cpu) : undefined;
    case 'external interrupt':
      return isOn(cpu, PinBased['external-interrupt exiting']) ? exitForInterrupt(cpu) : undefined;
    default:
      return undefined;
  }
}

function exitForNmi(cpu: Cpu): Outcome {
  setPending(cpu, PENDING.NMI, false);
  const outcome = vmExit(cpu, { reason: 0, interruption: { information: interruptionInformation('NMI', 2, false) } });
  cpu.set('nmiBlocked', 1n);
  return outcome;
}

/** The vector is known only if the exit acknowledges the interrupt. */
function exitForInterrupt(cpu: Cpu): Outcome {
  if (!isOn(cpu, Exit['acknowledge interrupt on exit'])) return vmExit(cpu, { reason: 1 });
  const vector = acknowledgeExternalInterrupt(cpu);
  return vmExit(cpu, {
    reason: 1,
    interruption: { information: interruptionInformation('external interrupt', vector, false) },
  });
}
