// Exceptions, events from outside, task switches and shutdown of a guest (APM, "Exception Intercepts", "Interrupt Intercepts",
// "Miscellaneous Intercepts"): which of them end in #VMEXIT, and with what.
import {
  type Cpu,
  deliverException,
  type EventName,
  EXCEPTIONS,
  enterDebugHandler,
  type Faulted,
  fault,
  type InterceptedTaskSwitch,
  isInGuestMode,
  type Outcome,
  PENDING,
  setPending,
  takeOver,
} from '@retrovisor/core';
import { exitCode, isIntercepted } from './exit-codes.js';
import { resumeFlagInfo, TASK_BITS } from './exit-information.js';
import { instructionBytes } from './instruction-bytes.js';
import { VM_CR } from './msrs.js';
import { exitGuest } from './world-switch.js';

const FIRST_EXCEPTION = exitCode('EXCP_0');
const SHUTDOWN = exitCode('SHUTDOWN');
const TASK_SWITCH = exitCode('TASK_SWITCH');
const FETCH = 16;

/** An exception that was raised, before CR2 is written; DR6 and DR7 are as the handler of #DB would see them. */
export function interceptException(cpu: Cpu, raised: Faulted): Outcome | undefined {
  if (!isInGuestMode(cpu)) return undefined;
  const code = FIRST_EXCEPTION + EXCEPTIONS[raised.vector].vector;
  if (!isIntercepted(cpu, code)) return undefined;
  const { errorCode, address, debugStatus } = raised;
  return takeOver((boundary) => {
    if (debugStatus !== undefined) enterDebugHandler(boundary, debugStatus);
    const ofData = raised.vector === '#PF' && ((errorCode ?? 0) & FETCH) === 0;
    return exitGuest(boundary, {
      code,
      info1: BigInt(errorCode ?? 0),
      info2: address ?? 0n,
      ...(ofData && { bytes: instructionBytes(boundary) }),
    });
  });
}

/** Events that stay pending when their exit is taken. */
const EVENT_EXITS: Readonly<Record<string, number>> = {
  SMI: exitCode('SMI'),
  INIT: exitCode('INIT'),
  NMI: exitCode('NMI'),
  'external interrupt': exitCode('INTR'),
  'svm/virtual interrupt': exitCode('VINTR'),
};

const INIT_REDIRECTION = 1;

/** An event that is about to be taken. */
export function interceptEvent(cpu: Cpu, event: EventName): Outcome | undefined {
  const code = EVENT_EXITS[event];
  if (code !== undefined && isInGuestMode(cpu) && isIntercepted(cpu, code)) return exitGuest(cpu, { code });
  if (event !== 'INIT' || ((cpu.read('VM_CR') >> BigInt(VM_CR.bits.R_INIT)) & 1n) === 0n) return undefined;
  setPending(cpu, PENDING.INIT, false);
  return deliverException(cpu, fault('#SX', { errorCode: INIT_REDIRECTION }), 'trap');
}

/** The guest would shut down. */
export function interceptShutdown(cpu: Cpu): Outcome | undefined {
  if (!isInGuestMode(cpu) || !isIntercepted(cpu, SHUTDOWN)) return undefined;
  return takeOver((boundary) => exitGuest(boundary, { code: SHUTDOWN }));
}

/** A task switch after the checks of its descriptor. */
export function interceptTaskSwitch(cpu: Cpu, { selector, source, errorCode }: InterceptedTaskSwitch): void {
  if (!isInGuestMode(cpu) || !isIntercepted(cpu, TASK_SWITCH)) return;
  const info2 =
    BigInt(errorCode ?? 0) |
    (source === 'IRET' ? TASK_BITS.IRET : 0n) |
    (source === 'JMP' ? TASK_BITS.JMP : 0n) |
    (errorCode === undefined ? 0n : TASK_BITS.errorCode);
  takeOver((boundary) =>
    exitGuest(boundary, { code: TASK_SWITCH, info1: BigInt(selector), info2: info2 | resumeFlagInfo(boundary) }),
  );
}
