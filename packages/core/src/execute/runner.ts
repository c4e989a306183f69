// Runs fetched instructions on the processor that has its turn: finds blocks, runs their closures, delivers what they
// raise. A step is one instruction retired, one fault delivered or one event taken; it is one position of the log.

import type { Site } from '../compile/compiled-code.js';
import { Compiler } from '../compile/compiler.js';
import type { CompiledListing } from '../compile/listing.js';
import { assert, UsageError } from '../error.js';
import type { Outcome } from '../event/outcome.js';
import { completed } from '../event/outcome.js';
import type { FunctionInstruction } from '../instruction/define.js';
import { deliverException } from '../interrupt/delivery.js';
import { GuestFault } from '../interrupt/exceptions.js';
import { Interception } from '../interrupt/interception.js';
import { canRun, isAnythingThere, takeEvent, wouldWake } from '../interrupt/pending-events.js';
import { SingleStepping } from '../interrupt/single-stepping.js';
import { advanceTo, cyclesOf, machineTime } from '../interrupt/virtual-time.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { ATTENTION_WORD, INTERRUPTED_WORD, MODE_WORD } from '../state/workbench.js';
import type { Block } from './block.js';
import { following, type StepBinder } from './block-builder.js';
import { BlockFinder } from './block-finder.js';
import { type CodeMode, codeModeOf } from './code-mode.js';
import type { Decoded } from './decode.js';
import { settleFlags } from './evaluate/flags.js';
import { executeChecked } from './execute-checked.js';
import { executionOf, repeatCounter } from './operands.js';

const RIP = slotOf('RIP') * 2;
const SHADOW = slotOf('interruptShadow') * 2;
const CYCLES = slotOf('cycles') * 2;
const ACTIVITY = slotOf('activity') * 2;
const ACTIVE = 0;
const CS_BASE = slotOf('CS.base') * 2;
const CS_LIMIT = slotOf('CS.limit') * 2;
/** Steps that generated code makes at once: they are counted in 32 bits. */
const MOST_STEPS = 2 ** 30;

/** An intercept took an instruction before it began. */
class Intercepted {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    this.outcome = outcome;
  }
}

/** The reference path of one draft. */
export class Runner implements StepBinder {
  readonly #draft: MachineDraft;
  readonly #words: Int32Array;
  readonly #blocks: BlockFinder;
  #codeMode: CodeMode = codeModeOf(0);
  #codeBase = 0;
  #codeLimit = 0;
  /** Steps of the run before the current block, and of the block. */
  #done = 0;
  #cursor = 0;
  /** The guest that the step began in wants to hear of each. */
  #isStepwise = false;
  /** Steps that generated code made before the block that is being executed. */
  #ahead = 0;
  /** Set when an instruction starts a new interrupt shadow. */
  shadowRenewed = false;
  /** The function-form instruction that is being executed, if it was fetched. */
  executing: Decoded | undefined;
  /** A device asked for the run to end (debug exit). */
  stopRequested = false;
  /** PAUSE gave the rest of the turn away. */
  yielded = false;
  /** How many steps of the run may pass before a deadline is reached; 0: it is not known. */
  #horizon = 0;
  readonly singleStepping: SingleStepping;
  /** Undefined: everything takes the reference path. */
  readonly #compiler: Compiler | undefined;
  /** What generated code that runs may do; 0: none does. */
  #compiledBudget = 0;
  /** Steps that generated code made, since the draft was made. */
  compiledSteps = 0;
  /** How the last step ended, if not simply completed. */
  #outcome: Outcome | undefined;
  /** Where the last step was: a block and the number of its steps done. */
  #lastBlock: Block | undefined;
  #lastEnd = 0;

  constructor(draft: MachineDraft) {
    this.#draft = draft;
    this.#words = draft.bench.words;
    this.singleStepping = new SingleStepping(draft);
    this.#compiler = this.#makeCompiler();
    this.#blocks = new BlockFinder(draft, this, (low, high, frame, user) =>
      this.#compiler?.fetched(low, high, frame, user),
    );
  }

  #makeCompiler(): Compiler | undefined {
    const { compileThreshold, translations } = this.#draft.definition;
    if (compileThreshold === undefined || translations !== undefined) return undefined;
    return new Compiler(this.#draft, compileThreshold, {
      known: (frame, offset, mode) => this.#blocks.known(frame, offset, mode),
      cover: (frame, offset, length) => this.#blocks.cover(frame, offset, length),
      execute: (site, left, settled) => this.#executeSite(site, left, settled),
      all: () => this.#blocks.all(),
    });
  }

  /** @throws UsageError NOTHING_COMPILED, CODE_NEVER_EXECUTED, CODE_NEVER_COMPILED */
  listCompiled(rip: bigint): CompiledListing {
    if (this.#compiler !== undefined) return this.#compiler.list(rip);
    const { compileThreshold } = this.#draft.definition;
    const why = compileThreshold === undefined ? 'code must not be generated' : 'its TLB is modelled';
    throw new UsageError('NOTHING_COMPILED', { address: rip, why }, `the machine compiles nothing: ${why}`);
  }

  /** Another state was loaded: nothing decoded is known to be there. */
  forget(): void {
    this.#blocks.forget();
    this.#compiler?.retire();
    this.#outcome = undefined;
    this.stopRequested = false;
  }

  /**
   * Bytes of a frame changed. What was decoded from them is gone, and the block that runs stops after its current step.
   * Returns whether other code of the frame is still known.
   */
  codeWritten(frame: number, offset: number, length: number): boolean {
    if (!this.#blocks.written(frame, offset, length)) return true;
    this.#compiler?.written(frame, offset, length);
    this.#draft.tlb.advanceGeneration();
    this.#words[INTERRUPTED_WORD] = 1;
    return this.#blocks.holds(frame);
  }

  /** The block that runs stops after its current step: the next instruction is fetched anew. */
  interrupt(): void {
    this.#words[INTERRUPTED_WORD] = 1;
  }

  /** Something may wait for a processor now: the current step is the last before it is looked at. */
  attend(): void {
    this.#attention = true;
    this.#words[INTERRUPTED_WORD] = 1;
  }

  /** A deadline may have moved. */
  reschedule(): void {
    this.#horizon = 0;
    this.#words[INTERRUPTED_WORD] = 1;
  }

  /** The processor gives the rest of its turn away, if another one could use it. */
  yield(): void {
    if (this.#draft.processorCount === 1) return;
    this.yielded = true;
    this.#words[INTERRUPTED_WORD] = 1;
  }

  /** RFLAGS, CS, SS or a control register was written. */
  contextChanged(cpu: Cpu, code: CodeMode): void {
    this.singleStepping.contextChanged(cpu);
    this.#codeMode = code;
    this.#words[MODE_WORD] = code.key;
    this.#codeSegmentChanged();
  }

  /** Blocks are found by RIP, which is another address in another segment. */
  #codeSegmentChanged(): void {
    const base = this.#words[CS_BASE] as number;
    const limit = this.#words[CS_LIMIT] as number;
    if (base === this.#codeBase && limit === this.#codeLimit) return;
    this.#codeBase = base;
    this.#codeLimit = limit;
    this.#draft.tlb.advanceGeneration();
  }

  /** Something may wait to be taken at the next boundary. */
  get #attention(): boolean {
    return this.#words[ATTENTION_WORD] !== 0;
  }

  set #attention(attention: boolean) {
    this.#words[ATTENTION_WORD] = attention ? 1 : 0;
  }

  /** Steps of the current run before the step that is being executed. */
  get stepsBefore(): number {
    return this.#done + this.#cursor;
  }

  /** Steps of the current block that the cycle counter does not contain yet. */
  get uncountedSteps(): number {
    return this.#cursor;
  }

  /** How the last step ended. */
  get lastOutcome(): Outcome {
    return this.#outcome ?? completed();
  }

  /** The instruction of the last step, if one was decoded. */
  get lastInstruction(): Decoded | undefined {
    const instructions = this.#lastBlock?.instructions;
    return instructions?.[Math.min(this.#lastEnd, instructions.length) - 1];
  }

  /**
   * Runs up to `budget` steps on a processor; fewer if it stops being active or a device asks for the end.
   * An error that ends the run (NotModelled) is thrown with the state at the boundary before the step.
   * `executed` hears the number of steps in either case.
   */
  run(processor: number, budget: number, executed: (steps: number) => void): void {
    const cpu = this.#draft.activate(processor);
    this.#done = 0;
    this.#cursor = 0;
    this.#outcome = undefined; // of another run, should this one take no step
    this.#attention = true;
    this.#horizon = 0;
    this.yielded = false;
    try {
      while (this.#done < budget && !this.stopRequested && !this.yielded) {
        if (this.#isCrowded) this.#makeRoom();
        const between = this.#attention || this.#done >= this.#horizon || (this.#words[ACTIVITY] as number) !== ACTIVE;
        const next = between ? this.#boundary(cpu) : 'execute';
        if (next === 'stop') break;
        if (next === 'execute') this.#runBlock(cpu, Math.min(budget, this.#horizon) - this.#done);
      }
    } finally {
      const steps = this.#done;
      this.#done = 0;
      this.#cursor = 0;
      executed(steps);
    }
  }

  /** Something has to be put away before the next block. */
  get #isCrowded(): boolean {
    return this.#draft.memory.isCrowded || this.#draft.accesses?.isCrowded === true;
  }

  #makeRoom(): void {
    this.#draft.accesses?.deliver();
    if (this.#draft.memory.isCrowded) this.#draft.memory.spill();
  }

  /** Between two steps: deadlines are met, then an event is taken, which is a step; a processor that waits lets time pass. */
  #boundary(cpu: Cpu): 'execute' | 'stepped' | 'stop' {
    if (this.#done >= this.#horizon) this.#meetDeadlines(cpu);
    const isActive = (this.#words[ACTIVITY] as number) === ACTIVE;
    if (this.#attention) {
      if (!isActive && wouldWake(cpu)) advanceTo(cpu, machineTime(this.#draft));
      if (this.#takeEvent(cpu)) return 'stepped';
      this.#attention = isAnythingThere(cpu);
    }
    return isActive ? 'execute' : this.#letTimePass(cpu);
  }

  /** The processor waits. When all wait, time jumps to the next deadline; one that wakes nobody is a step all the same. */
  #letTimePass(cpu: Cpu): 'stepped' | 'stop' {
    const deadline = this.#draft.timers.deadlineFor(cpu);
    if (cpu.activity !== 'HLT' || deadline === Number.POSITIVE_INFINITY || this.#anotherRuns(cpu)) return 'stop';
    advanceTo(cpu, deadline);
    this.#meetDeadlines(cpu);
    if (this.#takeEvent(cpu)) return 'stepped';
    this.#outcome = { kind: 'halted' };
    this.#lastBlock = undefined;
    this.#count(1);
    return 'stop';
  }

  #anotherRuns(cpu: Cpu): boolean {
    for (let id = 0; id < this.#draft.processorCount; id++)
      if (id !== cpu.id && canRun(this.#draft.cpu(id))) return true;
    return false;
  }

  #meetDeadlines(cpu: Cpu): void {
    const { timers } = this.#draft;
    const now = cyclesOf(cpu);
    let deadline = timers.deadlineFor(cpu);
    while (deadline <= now) {
      timers.expire(cpu, now);
      const next = timers.deadlineFor(cpu);
      assert(next > deadline, 'a timer expired and did not move on', { deadline, next });
      deadline = next;
    }
    this.#horizon = this.#done + (deadline - now);
  }

  #takeEvent(cpu: Cpu): boolean {
    settleFlags(this.#words);
    const outcome = this.#eventTaken(cpu);
    if (outcome === undefined) return false;
    this.#outcome = outcome;
    this.#lastBlock = undefined;
    this.#words[SHADOW] = 0;
    this.#count(1);
    return true;
  }

  #eventTaken(cpu: Cpu): Outcome | undefined {
    try {
      return takeEvent(cpu);
    } catch (thrown) {
      if (thrown instanceof Interception) return this.#takenOver(cpu, thrown);
      throw thrown;
    }
  }

  #runBlock(cpu: Cpu, budget: number): void {
    this.#words[INTERRUPTED_WORD] = 0;
    if (this.#outcome !== undefined) this.#outcome = undefined;
    this.#lastBlock = undefined;
    const { singleStepping } = this;
    const isSingle = singleStepping.isOn;
    this.#isStepwise = this.#draft.guest?.stepwise === true;
    const shadowed = (this.#words[SHADOW] as number) !== 0;
    try {
      if (!shadowed && !isSingle && this.#compiler?.isEntered(this.#codeMode) === true) {
        const made = this.#runCompiled(this.#compiler, budget);
        if (made > 0) return;
      }
      if (isSingle) singleStepping.before(cpu);
      const block = this.#blocks.find(this.#codeMode);
      this.#lastBlock = block;
      const { steps } = block;
      this.shadowRenewed = false;
      if (!shadowed && !isSingle && this.#compiler?.isReady(block, this.#codeMode) === true) {
        const made = this.#runCompiled(this.#compiler, budget);
        if (made > 0) return;
      }
      const count = shadowed || isSingle ? 1 : block.repeats ? budget : Math.min(steps.length, budget);
      if (block.repeats) this.#repeat(block, count);
      else {
        const words = this.#words;
        let cursor = 0;
        while (cursor < count && (words[INTERRUPTED_WORD] as number) === 0) {
          (steps[cursor] as () => void)();
          cursor++;
          this.#cursor = cursor;
        }
      }
      // A block that ends with a branch or a function-form instruction has set RIP itself.
      if (this.#cursor < steps.length || !block.branches) this.#setRip(block, this.#cursor);
      this.#count(this.#cursor);
      if (shadowed && !this.shadowRenewed) this.#words[SHADOW] = 0;
      if (isSingle || singleStepping.trapFlag === 'after') singleStepping.after(cpu, this.lastInstruction);
      this.#tellStep(cpu);
    } catch (thrown) {
      this.#abandon(cpu, thrown);
    }
  }

  /** Generated code from RIP on. Returns the steps that it made: none if the first block has more than the budget. */
  #runCompiled(compiler: Compiler, budget: number): number {
    const most = Math.min(budget, MOST_STEPS);
    this.#compiledBudget = most;
    const left = compiler.run(most);
    this.#noticeLevel();
    this.#draft.accesses?.collect(this.#draft.current);
    this.#leaveCompiled(most - left);
    this.#count(most - left);
    if (most > left) this.#lastBlock = undefined;
    return most - left;
  }

  /** Generated code changes the level by itself (compile/transfer-code.ts). */
  #noticeLevel(): void {
    if (this.#words[MODE_WORD] !== this.#codeMode.key) this.#draft.levelChanged(this.#draft.current);
  }

  #leaveCompiled(steps: number): void {
    this.compiledSteps += steps;
    this.#compiledBudget = 0;
    this.#ahead = 0;
  }

  /** Generated code asks for one instruction, with `left` steps to do before it. */
  #executeSite({ block, index }: Site, left: number, settled: boolean): number {
    this.#noticeLevel();
    this.#draft.accesses?.collect(this.#draft.current);
    this.#lastBlock = block;
    this.#cursor = this.#compiledBudget - left;
    this.#ahead = this.#cursor - index;
    (block.steps[index] as () => void)();
    if (settled) settleFlags(this.#words);
    if (index === block.steps.length - 1 && !this.#goesOnBehind(block)) this.#words[INTERRUPTED_WORD] = 1;
    if (this.stopRequested || this.yielded || this.#isCrowded) this.#words[INTERRUPTED_WORD] = 1;
    return this.#words[INTERRUPTED_WORD] as number;
  }

  /** Behind the last instruction of a block generated code goes on only where nothing else is to be done before the next. */
  #goesOnBehind({ instructions }: Block): boolean {
    const { singleStepping } = this;
    if (singleStepping.trapFlag === 'after') singleStepping.after(this.#draft.current, instructions.at(-1));
    const words = this.#words;
    return (
      this.#outcome === undefined &&
      !this.#attention && // what was held back may have its way now
      words[SHADOW] === 0 &&
      words[ACTIVITY] === ACTIVE &&
      this.#compiler?.mayRun(this.#codeMode) === true
    );
  }

  /** Iterations of a repeated instruction: what `run` would do, without looking for the same block each time. */
  #repeat({ steps, low, high }: Block, count: number): void {
    const words = this.#words;
    do {
      (steps[0] as () => void)();
      this.#cursor++;
    } while (
      words[RIP] === low[0] &&
      words[RIP + 1] === high[0] &&
      this.#cursor < count &&
      (this.#words[INTERRUPTED_WORD] as number) === 0 &&
      !this.stopRequested &&
      !this.#isCrowded
    );
  }

  #setRip({ low, high }: Block, index: number): void {
    this.#words[RIP] = low[index] as number;
    this.#words[RIP + 1] = high[index] as number;
  }

  /** Virtual time: one cycle a step. */
  #count(steps: number): void {
    this.#done += steps;
    this.#lastEnd = steps;
    this.#cursor = 0;
    const low = (this.#words[CYCLES] as number) >>> 0;
    this.#words[CYCLES] = (low + steps) | 0;
    if (low + steps >= 2 ** 32) this.#words[CYCLES + 1] = ((this.#words[CYCLES + 1] as number) + 1) | 0;
  }

  /** A step did not complete: the state goes back to its boundary, then the exception is delivered. */
  #abandon(cpu: Cpu, thrown: unknown): void {
    const done = this.#cursor;
    const index = done - this.#ahead;
    if (this.#compiledBudget > 0) this.#leaveCompiled(done);
    const block = this.#lastBlock;
    const inNewTask = thrown instanceof GuestFault && thrown.inNewTask;
    if (block !== undefined && !inNewTask) this.#setRip(block, block.repeats ? 0 : index);
    settleFlags(this.#words);
    if (thrown instanceof GuestFault) {
      this.singleStepping.discard(cpu);
      this.#outcome = this.#deliver(cpu, thrown, done);
      this.#tellStep(cpu);
    } else if (thrown instanceof Intercepted) this.#outcome = thrown.outcome;
    else if (thrown instanceof Interception) this.#outcome = this.#takenOver(cpu, thrown);
    else {
      this.#count(done);
      throw thrown;
    }
    this.#words[SHADOW] = 0;
    this.#count(done + 1);
    this.#lastEnd = index + 1;
  }

  #deliver(cpu: Cpu, { raised }: GuestFault, done: number): Outcome {
    try {
      return deliverException(cpu, raised);
    } catch (thrown) {
      if (thrown instanceof Interception) return this.#takenOver(cpu, thrown);
      this.#count(done);
      throw thrown;
    }
  }

  #tellStep(cpu: Cpu): void {
    if (!this.#isStepwise) return;
    for (const tell of this.#draft.definition.intercepts.stepped) tell(cpu);
  }

  /** A plugin has the processor, at a boundary: what it does there raises nothing. */
  #takenOver(cpu: Cpu, { take }: Interception): Outcome {
    const outcome = take(cpu);
    this.#draft.delivering = undefined;
    this.attend();
    return outcome;
  }

  functionStep(decoded: Decoded, definition: FunctionInstruction): () => void {
    const next = following(decoded.address, decoded.length, decoded.codeWidth);
    const [nextLow, nextHigh] = [Number(BigInt.asIntN(32, next)), Number(BigInt.asIntN(32, next >> 32n))];
    const { checks, effect, interceptedAfter } = definition; // of objects of one shape: those of plugins may have another
    const intercepts = this.#draft.definition.interceptsOfInstruction(decoded.mnemonic);
    const rules = { checks, effect, interceptedAfter, mnemonic: decoded.mnemonic, intercepts };
    const executionOn = executionOf(decoded);
    const step = () => {
      const cpu = this.#draft.current;
      settleFlags(this.#words);
      this.#words[RIP] = nextLow;
      this.#words[RIP + 1] = nextHigh;
      this.#draft.writeTrace?.register(cpu.id, RIP / 2);
      this.executing = decoded;
      const outcome = executeChecked(executionOn(cpu), rules, decoded);
      if (outcome !== undefined) this.#outcome = outcome;
    };
    return definition.repeatable && decoded.repeat !== 'none' ? this.#iteration(decoded, next, step) : step;
  }

  /** What instruction/string.ts says of a repeated instruction in the expression form, for the function form. */
  #iteration({ address, addressWidth }: Decoded, next: bigint, step: () => void): () => void {
    return () => {
      const cpu = this.#draft.current;
      const counter = repeatCounter(cpu, addressWidth);
      const count = counter.read();
      if (count === 0n) {
        cpu.RIP = next;
        return;
      }
      step();
      if (this.#outcome !== undefined) return; // a plugin took it
      counter.write(count - 1n);
      if (count !== 1n) cpu.RIP = address;
    };
  }

  intercepted(decoded: Decoded, step: () => void): () => void {
    const intercepts = this.#draft.definition.interceptsBefore(decoded.mnemonic);
    if (intercepts.length === 0) return step;
    const seen = { mnemonic: decoded.mnemonic, length: decoded.length, decoded };
    return () => {
      for (const intercept of intercepts) {
        const outcome = intercept(this.#draft.current, seen);
        if (outcome !== undefined) throw new Intercepted(outcome);
      }
      step();
    };
  }
}
