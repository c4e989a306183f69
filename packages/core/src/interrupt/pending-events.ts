// SDM, "Priority Among Concurrent Events": what may be taken between two instructions, in order. Taking one is a step.
import { NotModelled } from '../error.js';
import { fault, type Outcome } from '../event/outcome.js';
import type { MachineDefinition } from '../plugin/host.js';
import { SHADOW, slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { deliverEvent, deliverException, shutDown } from './delivery.js';
import { initialize, startUp } from './initialization.js';
import { localApicMode } from './local-apic-mode.js';
import { deliverableVector, setVector } from './local-apic-vectors.js';
import { takesExternalInterrupts } from './local-vector-table.js';
import { isPending, isQuiet, PENDING, setPending } from './pending-bits.js';

/** How an event is named to plugins and in outcomes. */
export type EventName = 'machine check' | 'SMI' | 'INIT' | 'start-up' | 'debug' | 'NMI' | 'external interrupt';

/** What may be taken at a boundary: a row of the manual's table of priorities, or of a plugin. */
export interface BoundaryEvent<Name extends string = string> {
  readonly event: Name;
  readonly isThere: (cpu: Cpu) => boolean;
  /** There, and not to be taken now: masked, blocked, or in a shadow. */
  readonly isHeld: (cpu: Cpu) => boolean;
  readonly take: (cpu: Cpu) => Outcome;
}

type EventRow = BoundaryEvent<EventName>;

const SHADOW_WORD = slotOf('interruptShadow') * 2;
const FLAGS_WORD = slotOf('RFLAGS') * 2;
const NMI_BLOCKED_WORD = slotOf('nmiBlocked') * 2;
const DEBUG_WORD = slotOf('pendingDebug') * 2;
const IF = 1 << RFLAGS.bits.IF;
const NMI_VECTOR = 2;

const shadow = ({ words }: Cpu): number => words[SHADOW_WORD] ?? 0;
const pending = (event: number) => (cpu: Cpu) => isPending(cpu, event);
const waitsForStartup = (cpu: Cpu): boolean => cpu.activity === 'wait-for-SIPI';
/** In the shutdown state only NMI, SMI, INIT and RESET are heard. */
const isShutDown = (cpu: Cpu): boolean => cpu.activity === 'shutdown';
const heedsNothing = (cpu: Cpu): boolean => waitsForStartup(cpu) || isShutDown(cpu);

const PLAIN = { errorCode: undefined, fault: false } as const;

function takeNmi(cpu: Cpu): Outcome {
  setPending(cpu, PENDING.NMI, false);
  cpu.set('nmiBlocked', 1n);
  return (
    deliverEvent(cpu, { type: 'NMI', vector: NMI_VECTOR, ...PLAIN }) ?? {
      kind: 'interrupted',
      event: 'NMI',
      vector: NMI_VECTOR,
    }
  );
}

/** What a local APIC that software disabled had accepted before is still there to be taken. */
const localApicVector = (cpu: Cpu): number => (localApicMode(cpu) === 'disabled' ? -1 : deliverableVector(cpu));

/** The local APIC's vector if it has one, which is in service then; otherwise the 8259 is asked. */
export function acknowledgeExternalInterrupt(cpu: Cpu): number {
  const own = localApicVector(cpu);
  if (own >= 0) {
    setVector(cpu, 'IRR', own, false);
    setVector(cpu, 'ISR', own, true);
  }
  return own >= 0 ? own : cpu.draft.acknowledgeInterrupt();
}

function takeExternalInterrupt(cpu: Cpu): Outcome {
  const vector = acknowledgeExternalInterrupt(cpu);
  return (
    deliverEvent(cpu, { type: 'external interrupt', vector, ...PLAIN }) ?? {
      kind: 'interrupted',
      event: 'external interrupt',
      vector,
    }
  );
}

function takeDebugTrap(cpu: Cpu): Outcome {
  const debugStatus = cpu.words[DEBUG_WORD] ?? 0;
  cpu.set('pendingDebug', 0n);
  return deliverException(cpu, fault('#DB', { debugStatus }), 'trap');
}

/** IA32_MCG_STATUS: the handler of a machine check has not cleared it yet. */
const MCIP = 4n;
const inHandler = (cpu: Cpu): boolean => (cpu.read('IA32_MCG_STATUS') & MCIP) !== 0n;

function takeMachineCheck(cpu: Cpu): Outcome {
  setPending(cpu, PENDING.machineCheck, false);
  const raised = fault('#MC', { rule: 'core.machine-check.enabled' });
  if (!cpu.CR4.MCE || inHandler(cpu)) return shutDown(cpu, [raised]);
  cpu.set('IA32_MCG_STATUS', cpu.read('IA32_MCG_STATUS') | MCIP);
  return deliverException(cpu, fault('#MC'), 'trap');
}

/** A PC's firmware owns system-management mode: its handler finds that no device asked, and resumes. */
function takeSystemManagementInterrupt(cpu: Cpu): Outcome {
  if (cpu.definition.boot?.firmware !== 'pc')
    throw new NotModelled('system-management mode: an SMI reached the processor');
  setPending(cpu, PENDING.SMI, false);
  return { kind: 'interrupted', event: 'SMI' };
}

const interruptWaits = (cpu: Cpu): boolean =>
  (isPending(cpu, PENDING.INTR) && takesExternalInterrupts(cpu)) || localApicVector(cpu) >= 0;

/** In the order of the manual's table. */
const EVENTS: readonly EventRow[] = [
  { event: 'machine check', isThere: pending(PENDING.machineCheck), isHeld: heedsNothing, take: takeMachineCheck },
  {
    event: 'SMI',
    isThere: pending(PENDING.SMI),
    isHeld: waitsForStartup,
    take: takeSystemManagementInterrupt,
  },
  { event: 'INIT', isThere: pending(PENDING.INIT), isHeld: () => false, take: initialize },
  { event: 'start-up', isThere: pending(PENDING.SIPI), isHeld: (cpu) => !waitsForStartup(cpu), take: startUp },
  {
    event: 'debug',
    isThere: ({ words }) => (words[DEBUG_WORD] ?? 0) !== 0,
    isHeld: (cpu) => heedsNothing(cpu) || shadow(cpu) === SHADOW.movSs,
    take: takeDebugTrap,
  },
  {
    event: 'NMI',
    isThere: pending(PENDING.NMI),
    isHeld: (cpu) => waitsForStartup(cpu) || (cpu.words[NMI_BLOCKED_WORD] ?? 0) !== 0 || shadow(cpu) === SHADOW.movSs,
    take: takeNmi,
  },
  {
    event: 'external interrupt',
    isThere: interruptWaits,
    isHeld: (cpu) => heedsNothing(cpu) || ((cpu.words[FLAGS_WORD] ?? 0) & IF) === 0 || shadow(cpu) !== SHADOW.none,
    take: takeExternalInterrupt,
  },
];

const tables = new WeakMap<MachineDefinition, readonly BoundaryEvent[]>();

/** The rows of core with those of plugins at their places. */
function eventsOf(definition: MachineDefinition): readonly BoundaryEvent[] {
  let table = tables.get(definition);
  if (table === undefined) {
    const added = definition.boundaryEvents;
    table =
      added.length === 0
        ? EVENTS
        : [
            ...EVENTS.flatMap((row): readonly BoundaryEvent[] => [
              ...added.filter(({ before }) => before === row.event),
              row,
            ]),
            ...added.filter(({ before }) => before === undefined),
          ];
    tables.set(definition, table);
  }
  return table;
}

/** Whether something waits, held or not. */
export function isAnythingThere(cpu: Cpu): boolean {
  if (isQuiet(cpu)) return false;
  for (const { isThere } of eventsOf(cpu.definition)) if (isThere(cpu)) return true;
  return false;
}

/** The event that would be taken now. */
function nextEvent(cpu: Cpu): BoundaryEvent | undefined {
  if (isQuiet(cpu)) return undefined;
  for (const row of eventsOf(cpu.definition)) if (row.isThere(cpu) && !isHeld(cpu, row)) return row;
  return undefined;
}

/** Plugins may hold what core lets through, and the other way round. */
function isHeld(cpu: Cpu, row: BoundaryEvent): boolean {
  let held = row.isHeld(cpu);
  for (const holds of cpu.definition.intercepts.holdsEvent) held = holds(cpu, row.event as EventName, held);
  return held;
}

/** Whether a processor that waits has a reason to go on. */
export const wouldWake = (cpu: Cpu): boolean => nextEvent(cpu) !== undefined;

/** Whether a processor can make use of a turn. */
export const canRun = (cpu: Cpu): boolean => cpu.activity === 'active' || wouldWake(cpu);

/** Takes the first event that is not held; undefined if there is none. Plugins are asked before. */
export function takeEvent(cpu: Cpu): Outcome | undefined {
  const next = nextEvent(cpu);
  if (next === undefined) return undefined;
  for (const intercept of cpu.definition.intercepts.event) {
    const taken = intercept(cpu, next.event as EventName);
    if (taken !== undefined) return taken;
  }
  if (cpu.activity === 'HLT' || cpu.activity === 'shutdown') cpu.activity = 'active';
  return next.take(cpu);
}
