// The named points where core asks "does anyone take this?". A point without a plugin costs nothing: the host builds the
// list of each point once, and the hot path tests for an empty one where it is entered, not at each instruction.
import type { Faulted, Outcome } from '../event/outcome.js';
import type { Decoded } from '../execute/decode.js';
import type { Operand } from '../instruction/operand.js';
import type { EventName } from '../interrupt/pending-events.js';
import type { Cpu } from '../state/cpu.js';

/** An instruction about to be executed, as far as an intercept may look. */
export interface InterceptedInstruction {
  readonly mnemonic: string;
  /** Bytes of the encoding; 0 for an intrinsic. */
  readonly length: number;
  /** As it was decoded; undefined for an intrinsic. */
  readonly decoded?: Decoded | undefined;
  /** Of the function form, where `instruction` asks. */
  readonly operands?: readonly Operand[];
  readonly operandWidth?: 16 | 32 | 64;
}

/** A task switch whose checks of the descriptor passed. */
export interface InterceptedTaskSwitch {
  /** Of the new task's TSS. */
  readonly selector: number;
  readonly source: 'CALL' | 'IRET' | 'JMP' | 'gate in IDT';
  /** What the event pushes on the new stack. */
  readonly errorCode: number | undefined;
}

/** IN or OUT of 1, 2 or 4 bytes; `value` is what OUT writes. */
export interface PortAccess {
  readonly port: number;
  readonly bytes: 1 | 2 | 4;
  readonly write: boolean;
  readonly value?: number;
}

/** MOV to or from a control register, and what writes one in passing. */
export interface ControlRegisterAccess {
  readonly register: 'CR0' | 'CR2' | 'CR3' | 'CR4' | 'CR8';
  readonly write: boolean;
  /** The value about to be written. */
  readonly value: bigint;
}

/** RDMSR or WRMSR of an MSR that exists. */
export interface MsrAccess {
  readonly address: number;
  readonly name: string;
  readonly write: boolean;
  readonly value: bigint;
}

/** A data access by an instruction, page walks excluded, accesses to its own structures (cpu.memory) included. */
export interface MemoryAccess {
  readonly physical: number;
  readonly bytes: number;
  readonly write: boolean;
}

/** Data accesses of one processor in program order, by index from 0. They are there during the call alone. */
export interface AccessBatch {
  readonly length: number;
  /** The physical address of the first byte. */
  physical(index: number): number;
  /** Bytes of the access within one page: one that crosses pages is two accesses. */
  bytes(index: number): number;
  isWrite(index: number): boolean;
}

/**
 * What a plugin may take. An outcome returned ends the instruction; undefined lets it go on. `takeOver` may be called in any
 * of them, and puts the registers back to the boundary first.
 */
export interface Intercepts {
  /** Before any check of the instruction. */
  readonly beforeInstruction?: (cpu: Cpu, instruction: InterceptedInstruction) => Outcome | undefined;
  /** After the checks that have priority over interception: those for #UD, of privilege, and of the permission of ports. */
  readonly instruction?: (cpu: Cpu, instruction: InterceptedInstruction) => Outcome | undefined;
  /** Each exception that is raised, those of a delivery included: `cpu.draft.delivering` tells of what. */
  readonly exception?: (cpu: Cpu, raised: Faulted) => Outcome | undefined;
  /** An event from outside the instruction stream is about to be taken; it stays pending if a plugin takes it. */
  readonly event?: (cpu: Cpu, event: EventName) => Outcome | undefined;
  /** Whether an event that is there is held back now; `held` is what was decided so far. */
  readonly holdsEvent?: (cpu: Cpu, event: EventName, held: boolean) => boolean;
  /** The processor would shut down: a triple fault, or a machine check that nobody handles. */
  readonly shutdown?: (cpu: Cpu, chain: readonly Faulted[]) => Outcome | undefined;
  readonly taskSwitch?: (cpu: Cpu, task: InterceptedTaskSwitch) => void;
  readonly portAccess?: (cpu: Cpu, access: PortAccess) => Outcome | undefined;
  /** May raise: a fixed bit in VMX operation is #GP(0). May give another value to be read or written instead. */
  readonly controlRegister?: (cpu: Cpu, access: ControlRegisterAccess) => bigint | undefined | void;
  readonly msr?: (cpu: Cpu, access: MsrAccess) => Outcome | undefined;
  /** What software reads of the time-stamp counter; `value` is what it would read so far. */
  readonly timeStamp?: (cpu: Cpu, value: bigint) => bigint;
  /** An instruction completed while the guest mode asks for steps one by one. */
  readonly stepped?: (cpu: Cpu) => void;
  /** RDRAND or RDSEED wants 64 bits; undefined leaves it to the next plugin, at last to the machine's own generator. */
  readonly randomNumber?: (cpu: Cpu) => bigint | undefined;
  /** Observes every data access when it is made; switches the memory fast path and generated code off for the machine. */
  readonly memoryAccess?: (cpu: Cpu, access: MemoryAccess) => void;
  /**
   * Observes every data access, later: before slices are read or sealed, and at the end of an event at the latest. The
   * registers are those of some later moment, and where batches end depends on how code is executed; what a plugin
   * makes of them must depend on neither.
   */
  readonly memoryAccesses?: (cpu: Cpu, accesses: AccessBatch) => void;
  /** Observes stores to frames that the plugin watches (cpu.memory.watch). */
  readonly watchedStore?: (cpu: Cpu, access: MemoryAccess) => void;
}

export type InterceptName = keyof Intercepts;
