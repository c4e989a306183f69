// SDM, "Local Vector Table": what a source inside the processor or at one of its pins becomes.
import type { Cpu } from '../state/cpu.js';
import { isLocalApicEnabled, localApicMode } from './local-apic-mode.js';
import { hasVector, setVector } from './local-apic-vectors.js';
import { PENDING, setPending } from './pending-bits.js';

/** Entries in the manual's order. */
export type LocalVectorEntry =
  | 'APIC_LVT_CMCI'
  | 'APIC_LVT_TIMER'
  | 'APIC_LVT_THERMAL'
  | 'APIC_LVT_PMI'
  | 'APIC_LVT_LINT0'
  | 'APIC_LVT_LINT1'
  | 'APIC_LVT_ERROR';

const MASK = 1 << 16;
export const LEAST_VECTOR = 16;
const DELIVERY = { fixed: 0, smi: 2, nmi: 4, init: 5, external: 7 } as const;
const deliveryMode = (entry: number): number => (entry >> 8) & 7;

/** Errors of the ESR, as bit masks. */
export const APIC_ERROR = { sendIllegalVector: 0x20, receiveIllegalVector: 0x40, illegalRegister: 0x80 } as const;

/** Remembers an error for the next write to ESR, and raises the error interrupt when it is new. */
export function reportApicError(cpu: Cpu, error: number): void {
  const before = Number(cpu.read('APIC_PENDING_ERRORS'));
  if ((before & error) !== 0) return;
  cpu.set('APIC_PENDING_ERRORS', BigInt(before | error));
  raiseLocalInterrupt(cpu, 'APIC_LVT_ERROR');
}

/** A fixed interrupt arrives: its vector is requested, edge- or level-triggered. */
export function acceptVector(cpu: Cpu, vector: number, level: boolean): void {
  if (!isLocalApicEnabled(cpu)) return;
  if (vector < LEAST_VECTOR) {
    reportApicError(cpu, APIC_ERROR.receiveIllegalVector);
    return;
  }
  if (!hasVector(cpu, 'IRR', vector)) setVector(cpu, 'IRR', vector, true);
  setVector(cpu, 'TMR', vector, level);
  cpu.draft.runner.attend();
}

/** A local source asserts its entry: nothing if that is masked. */
export function raiseLocalInterrupt(cpu: Cpu, name: LocalVectorEntry): void {
  const entry = Number(cpu.read(name));
  if ((entry & MASK) !== 0 || !isLocalApicEnabled(cpu)) return;
  switch (deliveryMode(entry)) {
    case DELIVERY.fixed:
      acceptVector(cpu, entry & 0xff, false);
      break;
    case DELIVERY.nmi:
      setPending(cpu, PENDING.NMI, true);
      break;
    case DELIVERY.init:
      setPending(cpu, PENDING.INIT, true);
      break;
    case DELIVERY.smi:
      setPending(cpu, PENDING.SMI, true);
      break;
  }
}

/** Whether INTR reaches the processor: through LINT0 as ExtINT, or past a local APIC that is disabled. */
export function takesExternalInterrupts(cpu: Cpu): boolean {
  if (localApicMode(cpu) === 'disabled') return true;
  const entry = Number(cpu.read('APIC_LVT_LINT0'));
  return (entry & MASK) === 0 && deliveryMode(entry) === DELIVERY.external;
}

/** NMI of the board: LINT1, or past a local APIC that is disabled. */
export function raiseLint1(cpu: Cpu): void {
  if (localApicMode(cpu) === 'disabled') setPending(cpu, PENDING.NMI, true);
  else raiseLocalInterrupt(cpu, 'APIC_LVT_LINT1');
}

/** INTR changed its level: LINT0 may be an interrupt of its own. */
export function raiseLint0(cpu: Cpu): void {
  if (localApicMode(cpu) !== 'disabled') raiseLocalInterrupt(cpu, 'APIC_LVT_LINT0');
}
