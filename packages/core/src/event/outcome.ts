// What an event did. Outcomes are values that tests and users compare, so a field that does not apply is absent.
import type { HazardReport } from '../rule/hazard.js';
import { freezeDeeply } from '../state/freeze.js';

/** An exception as the manual prints it. */
export type ExceptionName =
  | '#DE'
  | '#DB'
  | 'NMI'
  | '#BP'
  | '#OF'
  | '#BR'
  | '#UD'
  | '#NM'
  | '#DF'
  | '#TS'
  | '#NP'
  | '#SS'
  | '#GP'
  | '#PF'
  | '#MF'
  | '#AC'
  | '#MC'
  | '#XM'
  | '#VE'
  | '#CP'
  | '#HV'
  | '#VC'
  | '#SX';

/** The event did what the manual describes as its normal operation. */
export interface Completed {
  readonly kind: 'completed';
  /** What an intrinsic hands back: RDMSR, VMREAD, CPUID. */
  readonly value?: unknown;
  readonly hazards?: readonly HazardReport[];
}

/** An exception was raised; the architectural state is that of the instruction boundary. */
export interface Faulted {
  readonly kind: 'fault';
  readonly vector: ExceptionName;
  readonly errorCode?: number;
  /** CR2 of a page fault. */
  readonly address?: bigint;
  /** What #DB reports: the bits that DR6 gets. */
  readonly debugStatus?: number;
  /** The check that decided it. */
  readonly rule?: string;
  readonly hazards?: readonly HazardReport[];
}

/** No handler could be reached: the processor is in the shutdown state. */
export interface ShutDown {
  readonly kind: 'shutdown';
  /** From the first exception to the one that could not be delivered. */
  readonly chain: readonly Faulted[];
  readonly rule?: string;
}

/** Something from outside the instruction stream was taken at the boundary between two instructions. */
export interface Interrupted {
  readonly kind: 'interrupted';
  readonly event: 'external interrupt' | 'NMI' | 'INIT' | 'start-up' | 'SMI';
  /** Of the interrupt, or of the startup IPI; absent for INIT and SMI. */
  readonly vector?: number;
}

/** The processor waits: HLT, or a state that a plugin adds. */
export interface Halted {
  readonly kind: 'halted';
}

/** An outcome of a plugin, such as VMfail or a VM exit. `kind` is `plugin/word`. */
export interface PluginOutcome {
  readonly kind: `${string}/${string}`;
  readonly rule?: string;
  readonly hazards?: readonly HazardReport[];
  readonly [field: string]: unknown;
}

export type Outcome = Completed | Faulted | ShutDown | Interrupted | Halted | PluginOutcome;

/** The normal end of an event. `value` is what an intrinsic hands back. */
export function completed(value?: unknown): Completed {
  return value === undefined ? COMPLETED : { kind: 'completed', value };
}

const COMPLETED: Completed = Object.freeze({ kind: 'completed' });

/** An exception as an outcome: `fault('#GP', { errorCode: 0, rule: 'core.rdmsr.address' })`. */
export function fault(vector: ExceptionName, facts: Omit<Faulted, 'kind' | 'vector'> = {}): Faulted {
  return { kind: 'fault', vector, ...facts };
}

/** Whether the event did not do its normal work: what `why` explains and the cli marks. */
export function isFailure(outcome: Outcome): boolean {
  if (outcome.kind === 'completed' || outcome.kind === 'halted' || outcome.kind === 'interrupted') return false;
  return outcome.kind === 'fault' || outcome.kind === 'shutdown' || 'rule' in outcome;
}

/** Freezes an outcome with everything in it before it is handed out. */
export function sealOutcome<Result extends Outcome>(outcome: Result): Result {
  return freezeDeeply(outcome);
}
