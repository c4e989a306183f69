// The end of an instruction: exceptions that it raises itself, then flags and registers, where nothing can fault. Every
// value has been read by now, but for those that a source names.
import type { ArithmeticFlags, FlagName, RegisterPlace } from '../../expression/nodes.js';
import { type Raise, raise } from '../../interrupt/exceptions.js';
import { RFLAGS, STATUS_FLAGS } from '../../register/rflags.js';
import { SCRATCH_OFFSET } from '../../state/workbench.js';
import { dropFlags, PENDING_RULE, PENDING_WORDS, RFLAGS_WORD, recordFlags, settleFlags } from './flags.js';
import { high, isConstantSource, low, put, putWide, type Source, type Step, spareBits } from './source.js';

/** Abandons the instruction where the condition holds. */
export function faultCheck(words: Int32Array, condition: Source, what: Raise, rule: string): Step {
  return () => {
    if (low(words, condition) !== 0) raise(what, rule);
  };
}

/** Abandons the instruction where the condition does not hold. */
export function faultUnless(words: Int32Array, condition: Source, what: Raise, rule: string): Step {
  return () => {
    if (low(words, condition) === 0) raise(what, rule);
  };
}

/** Set by an instruction that `endIf` completed, which has written none of its registers. Who wants to know clears it. */
export const ENDED_WORD = SCRATCH_OFFSET / 4 + PENDING_WORDS;

/** Goes on with a step, or ends with another one where the value is 0. */
export function unlessZero(words: Int32Array, value: Source, goOn: Step, end: Step): Step {
  return () => {
    if ((low(words, value) | high(words, value)) !== 0) goOn();
    else {
      words[ENDED_WORD] = 1;
      end();
    }
  };
}

/** Writes a general register: 32 bits clear those above, 16 and 8 bits leave them. */
export function registerWrite(words: Int32Array, place: RegisterPlace, value: Source): Step {
  const to = place.index * 2;
  if (place.width === 64) return () => putWide(words, to, low(words, value), high(words, value));
  if (place.width === 32) return () => put(words, to, low(words, value));
  const shift = place.high ? 8 : 0;
  const kept = ~((place.width === 16 ? 0xffff : 0xff) << shift);
  return () => {
    words[to] = ((words[to] as number) & kept) | (low(words, value) << shift);
  };
}

/** Operands and result of arithmetic, in place. */
export interface Operands {
  readonly left: Source;
  readonly right: Source;
  readonly result: Source;
}

/** Leaves the operands and the result of arithmetic for whoever asks for a flag. */
export function flagsRecord(words: Int32Array, statement: ArithmeticFlags, { left, right, result }: Operands): Step {
  const rule = PENDING_RULE[statement.rule];
  const spare = spareBits(statement.result.width);
  if (statement.result.width === 64) {
    return () => {
      const a = low(words, left);
      const b = low(words, right);
      const c = low(words, result);
      recordFlags(words, rule, a, high(words, left), b, high(words, right), c, high(words, result));
    };
  }
  return () => {
    const a = low(words, left);
    const b = low(words, right);
    const c = low(words, result);
    recordFlags(words, rule, a, a << spare, b, b << spare, c, c << spare);
  };
}

/** Writes single flags of RFLAGS where `when` holds; the others keep what arithmetic left pending. */
export function flagsWrite(words: Int32Array, flags: readonly (readonly [FlagName, Source])[], when: Source): Step {
  const mask = flags.reduce((all, [name]) => all | (1 << RFLAGS.bits[name]), 0);
  const isKnown = ([, source]: (typeof flags)[number]): boolean => isConstantSource(source);
  const known = flags.filter(isKnown).reduce((all, [name, source]) => all | (source.low << RFLAGS.bits[name]), 0);
  const computed = flags.filter((flag) => !isKnown(flag));
  const bits = computed.map(([name]) => RFLAGS.bits[name]);
  const sources = computed.map(([, source]) => source);
  const prepare = (mask & STATUS_FLAGS) === STATUS_FLAGS ? dropFlags : settleFlags;
  return () => {
    if (low(words, when) === 0) return;
    let written = known;
    for (let index = 0; index < sources.length; index++) {
      written |= low(words, sources[index] as Source) << (bits[index] as number);
    }
    prepare(words);
    words[RFLAGS_WORD] = ((words[RFLAGS_WORD] as number) & ~mask) | written;
  };
}
