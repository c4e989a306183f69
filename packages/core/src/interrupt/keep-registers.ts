// What switches stacks while it can still fault (delivery, INT n, far CALL and RET, IRET) either happens or leaves every
// register as it was. Values that were stored on the new stack stay there, as on a processor.
import type { Cpu } from '../state/cpu.js';

/** Runs an action; an exception or a gap in it puts the registers back before it goes on. */
export function keepingRegisters<Result>(cpu: Cpu, action: () => Result): Result {
  const before = cpu.words.slice();
  try {
    return action();
  } catch (thrown) {
    cpu.words.set(before);
    cpu.draft.contextChanged(cpu);
    throw thrown;
  }
}
