// Exceptions and interrupts 0 to 31: vector, class, error code (SDM, "Exception and Interrupt Reference"), and how the
// semantics raise one. A GuestFault is the control flow of an instruction that faults; it never leaves apply.
import type { ExceptionName, Faulted } from '../event/outcome.js';
import { fault } from '../event/outcome.js';

/** benign, contributory or page fault: decides the double fault (SDM, "Interrupt 8—Double Fault Exception (#DF)"). */
export type ExceptionClass = 'benign' | 'contributory' | 'page-fault' | 'double-fault';

interface ExceptionRow {
  readonly vector: number;
  readonly hasErrorCode: boolean;
  readonly class: ExceptionClass;
}

/** One row an exception, in vector order. */
export const EXCEPTIONS: Readonly<Record<ExceptionName, ExceptionRow>> = {
  '#DE': { vector: 0, hasErrorCode: false, class: 'contributory' },
  '#DB': { vector: 1, hasErrorCode: false, class: 'benign' },
  NMI: { vector: 2, hasErrorCode: false, class: 'benign' },
  '#BP': { vector: 3, hasErrorCode: false, class: 'benign' },
  '#OF': { vector: 4, hasErrorCode: false, class: 'benign' },
  '#BR': { vector: 5, hasErrorCode: false, class: 'benign' },
  '#UD': { vector: 6, hasErrorCode: false, class: 'benign' },
  '#NM': { vector: 7, hasErrorCode: false, class: 'benign' },
  '#DF': { vector: 8, hasErrorCode: true, class: 'double-fault' },
  '#TS': { vector: 10, hasErrorCode: true, class: 'contributory' },
  '#NP': { vector: 11, hasErrorCode: true, class: 'contributory' },
  '#SS': { vector: 12, hasErrorCode: true, class: 'contributory' },
  '#GP': { vector: 13, hasErrorCode: true, class: 'contributory' },
  '#PF': { vector: 14, hasErrorCode: true, class: 'page-fault' },
  '#MF': { vector: 16, hasErrorCode: false, class: 'benign' },
  '#AC': { vector: 17, hasErrorCode: true, class: 'benign' },
  '#MC': { vector: 18, hasErrorCode: false, class: 'benign' },
  '#XM': { vector: 19, hasErrorCode: false, class: 'benign' },
  '#VE': { vector: 20, hasErrorCode: false, class: 'page-fault' },
  '#CP': { vector: 21, hasErrorCode: true, class: 'contributory' },
  '#HV': { vector: 28, hasErrorCode: false, class: 'benign' },
  '#VC': { vector: 29, hasErrorCode: true, class: 'contributory' },
  '#SX': { vector: 30, hasErrorCode: true, class: 'contributory' },
};

/** An exception to raise, before it has a rule or an address. */
export type Raise = Omit<Faulted, 'rule' | 'hazards'>;

export const DE: Raise = fault('#DE');
export const UD: Raise = fault('#UD');
export const NM: Raise = fault('#NM');
export const BP: Raise = fault('#BP');
export const BR: Raise = fault('#BR');
/** The error code is always 0. */
export const AC: Raise = fault('#AC', { errorCode: 0 });
export const XM: Raise = fault('#XM');
/** Each takes the error code: 0, or a selector with its EXT, IDT and TI bits. */
export const GP = (errorCode: number): Raise => fault('#GP', { errorCode });
export const SS = (errorCode: number): Raise => fault('#SS', { errorCode });
export const NP = (errorCode: number): Raise => fault('#NP', { errorCode });
export const TS = (errorCode: number): Raise => fault('#TS', { errorCode });
/** `address` is the linear address that goes to CR2. */
export const PF = (errorCode: number, address: bigint): Raise => fault('#PF', { errorCode, address });

/** Thrown by the semantics of an instruction to abandon it; caught where the instruction was begun. */
export class GuestFault {
  readonly raised: Faulted;
  /** A task switch was over before it: the registers are those that the handler finds, and stay. */
  readonly inNewTask: boolean;

  constructor(raised: Faulted, inNewTask = false) {
    this.raised = raised;
    this.inNewTask = inNewTask;
  }
}

/** Abandons the current instruction with an exception; `rule` names the check that decided it. */
export function raise(what: Raise, rule?: string): never {
  throw new GuestFault(rule === undefined ? what : { ...what, rule });
}
