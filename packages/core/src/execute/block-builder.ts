// Makes blocks: decodes bytes, finds the declaration of each instruction and binds it to a closure.
import type { CompiledForm } from '../compile/instruction-facts.js';
import { assertNever, NotModelled } from '../error.js';
import type { InstructionDefinition } from '../instruction/define.js';
import { GP, type Raise, raise, UD } from '../interrupt/exceptions.js';
import { reportsFeatures } from '../register/instruction-features.js';
import type { MachineDraft } from '../state/draft.js';
import { FRAME_BYTES } from '../state/workbench.js';
import { type Block, LONGEST_BLOCK } from './block.js';
import { type CodeWidth, type Decoded, InstructionStream, LONGEST_INSTRUCTION, type Undecoded } from './decode.js';
import { effectOperands } from './effect-operands.js';
import { lower } from './evaluate/lower.js';

/** Where and how to decode. */
export interface BlockOrigin {
  /** RIP of the first instruction. */
  readonly rip: bigint;
  readonly codeWidth: CodeWidth;
  readonly stackWidth: CodeWidth;
  readonly linearBits: 48 | 57;
}

/** Binds function-form instructions and asks intercepts: the runner. */
export interface StepBinder {
  /** A step that executes a function-form instruction on the current processor. */
  functionStep(decoded: Decoded, definition: InstructionDefinition & { form: 'function' }): () => void;
  /** The step with the intercepts before it, if any plugin wants them. */
  intercepted(decoded: Decoded, step: () => void): () => void;
}

interface Step {
  readonly decoded: Decoded | undefined;
  readonly length: number;
  /** Makes the closure: called when the step is first reached, which in cold code most of a block never is. */
  readonly bind: () => () => void;
  readonly ends: boolean;
  readonly branches: boolean;
  readonly repeats: boolean;
}

/** Decodes from bytes that start at the origin; undefined if not even one instruction is whole. */
export function buildBlock(
  draft: MachineDraft,
  binder: StepBinder,
  bytes: Uint8Array,
  origin: BlockOrigin,
  most = LONGEST_BLOCK,
): Block | undefined {
  const stream = new InstructionStream(bytes, origin.codeWidth, origin.rip);
  try {
    const steps: Step[] = [];
    let end = origin.rip;
    while (steps.length < most && steps.at(-1)?.ends !== true) {
      const decoded = stream.next();
      if (decoded === 'needsMoreBytes') break;
      steps.push(typeof decoded === 'string' ? undecodedStep(decoded) : stepOf(draft, binder, decoded, origin));
      end += BigInt(steps.at(-1)?.length ?? 0);
      if (end !== following(end, 0, origin.codeWidth)) break; // RIP wraps, the bytes do not: the next block begins elsewhere
    }
    return steps.length === 0 ? undefined : assemble(steps, origin, bytes);
  } finally {
    stream.end();
  }
}

/**
 * RIP after an instruction: 32 bits of it count in 16-bit code too, where only transfers of 16 bits cut it. So whoever runs
 * over the end of a segment of 64 KBytes meets its limit and does not come to its beginning, as on the 8086.
 */
export function following(address: bigint, length: number, codeWidth: CodeWidth): bigint {
  return BigInt.asUintN(codeWidth === 64 ? 64 : 32, address + BigInt(length));
}

function undecodedStep(why: Exclude<Undecoded, 'needsMoreBytes'>): Step {
  const [what, rule]: readonly [Raise, string] =
    why === 'invalid' ? [UD, 'core.decode.undefined-opcode'] : [GP(0), 'core.decode.length'];
  return {
    decoded: undefined,
    length: 0,
    bind: () => () => raise(what, rule),
    ends: true,
    branches: false,
    repeats: false,
  };
}

function stepOf(draft: MachineDraft, binder: StepBinder, decoded: Decoded, origin: BlockOrigin): Step {
  const definition = draft.definition.instructions.get(decoded.mnemonic);
  const step = (bind: () => () => void, ends: boolean, branches: boolean, repeats = false): Step => ({
    decoded,
    length: decoded.length,
    bind: () => binder.intercepted(decoded, bind()),
    ends,
    branches,
    repeats,
  });
  if (!reportsFeatures(draft.definition, decoded.features))
    return step(() => () => raise(UD, 'core.decode.feature'), true, false);
  if (definition === undefined) return step(() => notModelled(decoded), true, false);
  switch (definition.form) {
    case 'function':
      return step(() => binder.functionStep(decoded, definition), true, true);
    case 'expression': {
      const effect = definition.effect(effectOperands(decoded, origin.stackWidth));
      const next = following(decoded.address, decoded.length, origin.codeWidth);
      const bind = () =>
        lower(effect, {
          words: draft.bench.words,
          memory: draft.tlb,
          mode64: origin.codeWidth === 64,
          linearBits: origin.linearBits,
          nextLow: Number(BigInt.asIntN(32, next)),
          nextHigh: Number(BigInt.asIntN(32, next >> 32n)),
        });
      const branches = effect.some(({ kind }) => kind === 'jump');
      return step(bind, branches, branches, effect[0]?.kind === 'endIf');
    }
    default:
      return assertNever(definition);
  }
}

/** What compiled code can make of an instruction that nobody intercepts. A repeated function-form one is no single call. */
export function formOf({ definition }: MachineDraft, decoded: Decoded, stackWidth: CodeWidth): CompiledForm {
  const instruction = definition.instructions.get(decoded.mnemonic);
  if (instruction === undefined || !reportsFeatures(definition, decoded.features)) return undefined;
  if (definition.interceptsBefore(decoded.mnemonic).length > 0) return undefined;
  if (instruction.form === 'expression') return instruction.effect(effectOperands(decoded, stackWidth));
  if (instruction.repeatable && decoded.repeat !== 'none') return undefined;
  const isSeen = definition.interceptsOfInstruction(decoded.mnemonic).length > 0;
  const transfer = isSeen ? undefined : instruction.transfer?.(decoded.codeWidth === 64, definition.profile.vendor);
  return { transfer };
}

function notModelled({ mnemonic, address }: Decoded): () => void {
  return () => {
    throw new NotModelled(`the instruction ${mnemonic}`, { mnemonic, address });
  };
}

function assemble(steps: readonly Step[], { rip, codeWidth }: BlockOrigin, bytes: Uint8Array): Block {
  const low = new Int32Array(steps.length + 1);
  const high = new Int32Array(steps.length + 1);
  let address = rip;
  for (let index = 0; index <= steps.length; index++) {
    low[index] = Number(BigInt.asIntN(32, address));
    high[index] = Number(BigInt.asIntN(32, address >> 32n));
    address = following(address, steps[index]?.length ?? 0, codeWidth);
  }
  return {
    instructions: steps.map(({ decoded }) => decoded),
    steps: closuresOf(steps),
    low,
    high,
    // What follows the block decides too that an instruction is none: without a length of its own it takes all that may count.
    bytes: bytes.slice(
      0,
      steps.reduce((sum, { length, decoded }) => sum + (decoded ? length : LONGEST_INSTRUCTION), 0),
    ),
    branches: steps.at(-1)?.branches ?? false,
    repeats: steps.length === 1 && steps[0]?.repeats === true,
    heat: 0,
  };
}

/** Each closure stands in for itself until it is made. */
function closuresOf(steps: readonly Step[]): readonly (() => void)[] {
  const closures: (() => void)[] = steps.map(({ bind }, index) => () => {
    const run = bind();
    closures[index] = run;
    run();
  });
  return closures;
}

/** Bytes to decode from an offset in the hot memory up to the end of its page. */
export function restOfPage(bytes: Uint8Array, offset: number): Uint8Array {
  const end = offset - (offset % FRAME_BYTES) + FRAME_BYTES;
  return bytes.slice(offset, Math.min(end, offset + LONGEST_BLOCK * LONGEST_INSTRUCTION));
}
