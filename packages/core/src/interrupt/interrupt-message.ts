// SDM, "Issuing Interprocessor Interrupts" and "Determining IPI Destination": messages between local APICs, and from the
// I/O APIC to them.
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { isLocalApicEnabled, localApicId, localApicMode } from './local-apic-mode.js';
import { highestVector, processorPriority } from './local-apic-vectors.js';
import { APIC_ERROR, acceptVector, LEAST_VECTOR, reportApicError } from './local-vector-table.js';
import { isPending, PENDING, setPending } from './pending-bits.js';

/** In the order of the encoding, bits 10:8. */
export const DELIVERY_MODES = [
  'fixed',
  'lowest priority',
  'SMI',
  'reserved',
  'NMI',
  'INIT',
  'start-up',
  'external',
] as const;
export type DeliveryMode = (typeof DELIVERY_MODES)[number];

/** Who is meant: an APIC ID or a logical destination, of 8 bits or, from an x2APIC, of 32. */
export interface Destination {
  readonly id: number;
  readonly logical: boolean;
  readonly wide: boolean;
}

/** What is sent. */
export interface InterruptMessage {
  readonly destination: Destination;
  readonly mode: DeliveryMode;
  readonly vector: number;
  /** Level-triggered: EOI is told to the I/O APICs. */
  readonly level: boolean;
}

const BROADCAST = 0xff;
const WIDE_BROADCAST = 0xffff_ffff;
const FLAT_MODEL = 0xf;

/** SDM, "Logical Destination Mode in x2APIC Mode": cluster in the upper half, one bit in the lower. */
export const x2ApicLogicalId = (id: number): number => ((id >>> 4) << 16) | (1 << (id & 15));

/** Whether a processor is among those meant. */
function isMeant(cpu: Cpu, { id, logical, wide }: Destination): boolean {
  const mode = localApicMode(cpu);
  if (mode === 'disabled') return false;
  if (id === (wide ? WIDE_BROADCAST : BROADCAST)) return true;
  if (!logical) return localApicId(cpu) === id;
  if (mode === 'x2APIC') {
    const own = x2ApicLogicalId(cpu.id);
    return own >>> 16 === id >>> 16 && (own & id & 0xffff) !== 0;
  }
  const own = Number(cpu.read('APIC_LDR') >> 24n);
  const flat = Number(cpu.read('APIC_DFR') >> 28n) === FLAT_MODEL;
  return flat ? (own & id) !== 0 : own >>> 4 === id >>> 4 && (own & id & 0xf) !== 0;
}

function* meant(draft: MachineDraft, destination: Destination): IterableIterator<Cpu> {
  for (let id = 0; id < draft.processorCount; id++) if (isMeant(draft.cpu(id), destination)) yield draft.cpu(id);
}

/**
 * SDM, "Interrupt Distribution with the Lowest-Priority Delivery Mode": the least busy, the first of equals. One that is
 * disabled by software takes no part.
 */
function leastBusy(candidates: readonly Cpu[]): readonly Cpu[] {
  const priority = (cpu: Cpu) => Math.max(processorPriority(cpu), Math.max(0, highestVector(cpu, 'IRR')) & 0xf0);
  const [first, ...others] = candidates.filter(isLocalApicEnabled);
  if (first === undefined) return [];
  return [others.reduce((least, cpu) => (priority(cpu) < priority(least) ? cpu : least), first)];
}

/** Sends a message to those it is meant for. False: nobody is there to hear it. */
export function sendInterrupt(draft: MachineDraft, message: InterruptMessage): boolean {
  const all = [...meant(draft, message.destination)];
  deliverMessage(message.mode === 'lowest priority' ? leastBusy(all) : all, message);
  return all.length > 0;
}

/** Gives a message to processors. */
function deliverMessage(
  processors: readonly Cpu[],
  { mode, vector, level }: Omit<InterruptMessage, 'destination'>,
): void {
  for (const cpu of processors) receive(cpu, mode, vector, level);
}

function receive(cpu: Cpu, mode: DeliveryMode, vector: number, level: boolean): void {
  switch (mode) {
    case 'fixed':
    case 'lowest priority':
      acceptVector(cpu, vector, level);
      break;
    case 'SMI':
      setPending(cpu, PENDING.SMI, true);
      break;
    case 'NMI':
      setPending(cpu, PENDING.NMI, true);
      break;
    case 'INIT':
      setPending(cpu, PENDING.SIPI, false);
      setPending(cpu, PENDING.INIT, true);
      break;
    case 'start-up':
      // Only one in wait-for-SIPI listens, or on its way there (SDM, "MP Initialization Protocol"): others drop it.
      if (cpu.activity !== 'wait-for-SIPI' && !isPending(cpu, PENDING.INIT)) break;
      cpu.set('startupVector', BigInt(vector));
      setPending(cpu, PENDING.SIPI, true);
      break;
    case 'external': // the 8259 is connected to LINT0, so that no message can stand for it
    case 'reserved':
      break;
  }
}

/** Destination shorthands in the order of the encoding, bits 19:18. */
type Shorthand = (sender: Cpu) => readonly Cpu[];
const toItself: Shorthand = (sender) => [sender];
const SHORTHANDS: readonly (Shorthand | undefined)[] = [
  undefined,
  toItself,
  ({ draft }) => [...everyone(draft)],
  (sender) => [...everyone(sender.draft)].filter((cpu) => cpu !== sender),
];

const LEVEL_ASSERT = 1 << 14;
const LOGICAL = 1 << 11;
const TRIGGER_LEVEL = 1 << 15;

/** A write to the interrupt command register: `destination` has 8 bits in xAPIC mode, 32 in x2APIC mode. */
export function sendInterprocessorInterrupt(cpu: Cpu, command: number, destination: number): void {
  const mode = DELIVERY_MODES[(command >>> 8) & 7] ?? 'reserved';
  const vector = command & 0xff;
  if ((mode === 'fixed' || mode === 'lowest priority') && vector < LEAST_VECTOR) {
    reportApicError(cpu, APIC_ERROR.sendIllegalVector);
    return;
  }
  // INIT with level de-assert only synchronised the arbitration of processors that had one.
  if (mode === 'INIT' && (command & LEVEL_ASSERT) === 0 && (command & TRIGGER_LEVEL) !== 0) return;
  const shorthand = SHORTHANDS[(command >>> 18) & 3];
  if (shorthand === toItself) {
    receive(cpu, mode, vector, false);
    return;
  }
  const wide = localApicMode(cpu) === 'x2APIC';
  const to = { id: destination >>> 0, logical: (command & LOGICAL) !== 0, wide };
  const all = shorthand === undefined ? [...meant(cpu.draft, to)] : shorthand(cpu);
  deliverMessage(shorthand === undefined && mode === 'lowest priority' ? leastBusy(all) : all, {
    mode,
    vector,
    level: false,
  });
  // Who is sent something soon answers: the sender would spend the rest of its turn waiting.
  if (all.some((each) => each !== cpu)) cpu.draft.runner.yield();
}

function* everyone(draft: MachineDraft): IterableIterator<Cpu> {
  for (let id = 0; id < draft.processorCount; id++) yield draft.cpu(id);
}
