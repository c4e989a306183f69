// What switches stacks while it can still fault (delivery, INT n, far CALL and RET, IRET) either happens or leaves every
// register as it was; after a task switch there is no way back. Values that were stored on the new stack stay there, as on a processor.

import type { Cpu } from '../state/cpu.js';
import { GuestFault } from './exceptions.js';

/**
 * Runs an action; an exception or a gap in it puts the registers back before it goes on. Transfers change those that stand
 * before the XMM registers, `all` those that an action may change beside them.
 */
export function keepingRegisters<Result>(cpu: Cpu, action: () => Result, all = false): Result {
  cpu.keep(all); // one action at a time, as each is a part of one step
  try {
    return action();
  } catch (thrown) {
    if (!(thrown instanceof GuestFault && thrown.inNewTask)) cpu.restore();
    throw thrown;
  }
}
