// SDM, "Exceptions", "Triple fault" and "Task switches" among the causes of VM exits.
import {
  type Cpu,
  EXCEPTIONS,
  type Faulted,
  type InterceptedTaskSwitch,
  isInGuestMode,
  type Outcome,
  takeOver,
} from '@retrovisor/core';
import type { VmExit } from '../exit/exit.js';
import { vmExit } from '../exit/leave-guest.js';
import { guestWord } from './controls-in-use.js';
import { interruptionInformation, isOfInstruction } from './event-types.js';

const PAGE_FAULT = 14;
const TASK_SWITCH = 9;
const TRIPLE_FAULT = 2;
/** Bits 31:30 of the exit qualification of a task switch. */
const SOURCES = { CALL: 0, IRET: 1, JMP: 2, 'gate in IDT': 3 } as const;

/** Intercept: an exception whose bit in the exception bitmap is 1. */
export function interceptException(cpu: Cpu, raised: Faulted): undefined {
  if (isInGuestMode(cpu) && isIntercepted(cpu, raised))
    takeOver((boundary) => vmExit(boundary, exitFor(boundary, raised)));
}

/** A page fault causes an exit if its bit says so and mask and match agree on its error code, or neither. */
function isIntercepted(cpu: Cpu, { vector: name, errorCode = 0 }: Faulted): boolean {
  const { vector } = EXCEPTIONS[name];
  const bit = ((guestWord(cpu, 'exceptionBitmap') >>> vector) & 1) === 1;
  if (vector !== PAGE_FAULT) return bit;
  const matches = (errorCode & guestWord(cpu, 'pageFaultMask')) >>> 0 === guestWord(cpu, 'pageFaultMatch');
  return bit === matches;
}

/** INT3, INTO and INT1 name the type; all else is a hardware exception. */
function typeOf(cpu: Cpu, { vector }: Faulted) {
  if (vector === '#BP' || vector === '#OF') return 'software exception';
  const isInt1 = vector === '#DB' && cpu.draft.runner.executing?.mnemonic === 'INT1';
  return isInt1 ? 'privileged software exception' : 'hardware exception';
}

function exitFor(cpu: Cpu, raised: Faulted): VmExit {
  const { vector, errorCode, address, debugStatus } = raised;
  const type = typeOf(cpu, raised);
  return {
    reason: 0,
    qualification: address ?? BigInt(debugStatus ?? 0),
    instructionLength: isOfInstruction(type) ? cpu.draft.runner.executing?.length : undefined,
    interruption: {
      information: interruptionInformation(type, EXCEPTIONS[vector].vector, errorCode !== undefined),
      errorCode,
    },
  };
}

/** Intercept: a triple fault of a guest. */
export function interceptShutdown(cpu: Cpu): Outcome | undefined {
  return isInGuestMode(cpu) ? vmExit(cpu, { reason: TRIPLE_FAULT }) : undefined;
}

/** Intercept: a guest may not switch tasks by itself. */
export function interceptTaskSwitch(cpu: Cpu, { selector, source }: InterceptedTaskSwitch): void {
  if (!isInGuestMode(cpu)) return;
  const qualification = BigInt(selector) | (BigInt(SOURCES[source]) << 30n);
  const length = source === 'gate in IDT' ? undefined : cpu.draft.runner.executing?.length;
  takeOver((boundary) => vmExit(boundary, { reason: TASK_SWITCH, qualification, instructionLength: length }));
}
