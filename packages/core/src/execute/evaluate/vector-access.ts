// Vectors to and from memory and registers, and the exceptions of floating-point operations: what is done with the values
// of vectors when they are known.
import type { VectorMemoryPlace } from '../../expression/nodes.js';
import { ALL_EXCEPTIONS, EXCEPTION, MASK_SHIFT } from '../../float/environment.js';
import { GP, raise, UD, XM } from '../../interrupt/exceptions.js';
import { wide } from '../../memory/linear-memory.js';
import { CR4 } from '../../register/control-registers.js';
import { slotOf } from '../../register/register-file.js';
import { type Access, linearOf } from './address.js';
import type { EvaluationContext } from './context.js';
import type { Step } from './source.js';

const MXCSR_WORD = slotOf('MXCSR') * 2;
const CR4_WORD = slotOf('CR4') * 2;
const BEFORE_THE_RESULT = EXCEPTION.invalid | EXCEPTION.denormal | EXCEPTION.divideByZero;

/** The manual does not say which comes first; a processor finds the alignment before that an address is not canonical. */
const misaligned = (): never => raise(GP(0), 'core.sse.alignment');

/** Reads 16 bytes into four words. */
export function loadVector(
  context: EvaluationContext,
  { aligned }: VectorMemoryPlace,
  access: Access,
  to: number,
): Step {
  const { words, memory } = context;
  const mask = aligned ? 15 : 0;
  return () => {
    const address = linearOf(words, memory, access, false);
    if ((address & mask) !== 0) misaligned();
    memory.load128(address, wide.high, access.segment, words, to);
  };
}

/** Writes four words to memory. */
export function storeVector(
  context: EvaluationContext,
  { aligned }: VectorMemoryPlace,
  access: Access,
  from: number,
): Step {
  const { words, memory } = context;
  const mask = aligned ? 15 : 0;
  return () => {
    const address = linearOf(words, memory, access, true);
    if ((address & mask) !== 0) misaligned();
    memory.store128(address, wide.high, access.segment, words, from);
  };
}

/** Four words to a register. */
export function vectorWrite(words: Int32Array, to: number, from: number): Step {
  return () => {
    words[to] = words[from] as number;
    words[to + 1] = words[from + 1] as number;
    words[to + 2] = words[from + 2] as number;
    words[to + 3] = words[from + 3] as number;
  };
}

/** Takes up exceptions that were left in words. */
export function exceptionCheck(words: Int32Array, flags: readonly number[]): Step {
  return () => {
    let found = 0;
    for (let index = 0; index < flags.length; index++) found |= words[flags[index] as number] as number;
    if (found !== 0) takeUpExceptions(words, found);
  };
}

/**
 * SDM, "Exception Priority" of SIMD floating-point exceptions: an unmasked exception of an operand comes before the result
 * is computed, for all elements, so that the flags of results are not set.
 */
export function takeUpExceptions(words: Int32Array, found: number): void {
  const control = words[MXCSR_WORD] as number;
  const unmasked = found & ~(control >> MASK_SHIFT) & ALL_EXCEPTIONS;
  words[MXCSR_WORD] = control | (unmasked & BEFORE_THE_RESULT ? found & BEFORE_THE_RESULT : found);
  if (unmasked === 0) return;
  const isDelivered = ((words[CR4_WORD] as number) & (1 << CR4.bits.OSXMMEXCPT)) !== 0;
  raise(isDelivered ? XM : UD, 'core.sse.unmasked-exception');
}
