// A VM exit as its cause describes it (SDM, "Basic VM-Exit Information", "Information for VM Exits Due to Instruction
// Execution"). What is absent is written as 0.
import type { ExitReason } from './exit-reasons.js';

/** Why a guest is left, and what the read-only data fields say of it. */
export interface VmExit {
  readonly reason: ExitReason;
  /** The check that decided it, where there is one. */
  readonly rule?: string | undefined;
  /** Exit qualification, 64 bits. */
  readonly qualification?: bigint | undefined;
  readonly guestLinearAddress?: bigint | undefined;
  readonly guestPhysicalAddress?: bigint | undefined;
  /** Bytes of the instruction, for exits that instructions cause; 0 for an intrinsic. */
  readonly instructionLength?: number | undefined;
  /** VM-exit instruction information, 32 bits. */
  readonly instructionInformation?: number | undefined;
  /** VM-exit interruption information with its valid bit, and the error code. */
  readonly interruption?: { readonly information: number; readonly errorCode?: number | undefined } | undefined;
}
