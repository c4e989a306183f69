// A region as a WebAssembly function: from the steps that may be done to those that are left. Registers and flags are in
// locals between its beginning and its ends. RIP is a constant wherever the function is left, and the position follows from
// the steps left: nothing is counted but once a block, before which the function is left if the steps do not suffice.
import { GENERATION_WORD, VALID_PAGES_OFFSET } from '../state/workbench.js';
import { AccessesCode, mostAccesses } from './accesses-code.js';
import { type CodeExit, type CodeListener, type CodePart, NO_LISTENER } from './code-parts.js';
import { ControlFlow } from './control-flow.js';
import { FlagsCode, PENDING_STATE } from './flags-code.js';
import { type BlockExits, instructionCode, storeRip } from './instruction-code.js';
import { registersIn } from './instruction-facts.js';
import { type Region, type RegionBlock, ripAt } from './region.js';
import { RegistersCode } from './registers-code.js';
import type { CodeScope } from './value-code.js';
import { VectorRegistersCode } from './vector-registers-code.js';
import { FunctionCode, type Label, type Local } from './wasm/function-code.js';

/** Numbers of the imported functions that execute an instruction on the reference path. */
export const REFERENCE_FUNCTIONS = { plain: 0, settled: 1 } as const;
/** The only parameter: steps that may be done. */
export const LEFT: Local = { index: 0, type: 'i32' };

/** What the code is written for. */
export interface RegionMode {
  readonly mode64: boolean;
  readonly user: boolean;
  /** Data accesses are recorded for those who observe them in batches. */
  readonly observed: boolean;
}

/** Numbers the instructions that the reference path may be asked to execute. */
type SiteOf = (block: RegionBlock, index: number) => number;

/** The function of a region. */
export function regionCode(region: Region, mode: RegionMode, siteOf: SiteOf, listener = NO_LISTENER): FunctionCode {
  return new RegionCode(region, mode, siteOf, listener).write();
}

class RegionCode {
  readonly #region: Region;
  readonly #flow: ControlFlow;
  readonly #scope: CodeScope;
  readonly #siteOf: SiteOf;
  readonly #listener: CodeListener;
  /** Where to branch to for blocks where paths meet, and for headers of loops. */
  readonly #labels = new Map<number, Label>();
  readonly #rip: Local;
  #exit: Label = { depth: 0 };

  constructor(region: Region, mode: RegionMode, siteOf: SiteOf, listener: CodeListener) {
    this.#region = region;
    this.#flow = new ControlFlow(region);
    this.#siteOf = siteOf;
    this.#listener = listener;
    const code = new FunctionCode(1);
    const all = region.blocks.flatMap(({ instructions }) => instructions);
    const written = new Set(all.flatMap(({ writes }) => registersIn(writes.registers)));
    const used = new Set([...written, ...all.flatMap(({ reads }) => registersIn(reads.registers))]);
    const registers = new RegistersCode(code, mode.mode64, used, written);
    const accesses = mode.observed ? new AccessesCode(code) : undefined;
    const vectors = new VectorRegistersCode(code, all);
    const { mode64, user } = mode;
    this.#scope = { code, registers, vectors, flags: new FlagsCode(code), accesses, mode64, user };
    this.#rip = code.local('i64', 'rip');
  }

  write(): FunctionCode {
    const { code, registers, vectors, flags, accesses } = this.#scope;
    this.#part({ kind: 'prologue' });
    registers.load();
    vectors.load();
    flags.load();
    accesses?.load();
    this.#exit = code.open('block');
    this.#tree(0);
    this.#part({ kind: 'epilogue' });
    code.end();
    storeRip(this.#scope, () => code.get(this.#rip));
    registers.store();
    vectors.store();
    flags.state = PENDING_STATE;
    flags.store();
    accesses?.store();
    code.get(LEFT);
    return code;
  }

  /** What is written from here on. */
  #part(part: CodePart): void {
    this.#listener.part(this.#scope.code.size, part);
  }

  /** A block and all that it dominates. */
  #tree(node: number): void {
    const { code, flags } = this.#scope;
    const joins = this.#flow.joinsOf(node);
    if (!this.#flow.isLoopHeader(node)) {
      this.#within(node, joins);
      return;
    }
    flags.meet();
    this.#part({ kind: 'nesting', block: node });
    this.#labels.set(node, code.open('loop'));
    // Blocks of WebAssembly keep the label of a node once as the target behind a block, once as a loop: the loop is inner.
    this.#within(node, joins);
    this.#part({ kind: 'nesting', block: node });
    code.end();
    code.op('unreachable');
  }

  #within(node: number, joins: readonly number[]): void {
    const { code, flags } = this.#scope;
    const [join, ...rest] = joins;
    if (join === undefined) {
      this.#block(node);
      return;
    }
    this.#part({ kind: 'nesting', block: join });
    this.#labels.set(join, code.open('block'));
    this.#within(node, rest);
    this.#part({ kind: 'nesting', block: join });
    code.end();
    flags.state = PENDING_STATE;
    this.#tree(join);
  }

  #block(node: number): void {
    const { code } = this.#scope;
    const block = this.#region.blocks[node] as RegionBlock;
    const steps = block.instructions.length;
    this.#part({ kind: 'budget', block: node });
    code.get(LEFT);
    code.i32(steps);
    code.op('i32.lt_s');
    this.#aside(() => this.#leaveFor({ block: node, index: undefined, why: 'budget', rip: block.rip, steps: 0 }));
    this.#makeRoomFor(node, block);
    code.get(LEFT);
    code.i32(steps);
    code.op('i32.sub');
    code.set(LEFT);
    block.instructions.forEach((facts, index) => {
      const next = ripAt(block.block, index + 1);
      this.#part({ kind: 'fast path', block: node, index });
      instructionCode(this.#scope, facts, next, this.#exits(node, index));
    });
    const branches = block.instructions.at(-1)?.transfers;
    if (!branches) this.#goTo(node, block.end);
  }

  /** Leaves before a block whose accesses may not fit: the records are taken over then. */
  #makeRoomFor(node: number, { instructions, rip }: RegionBlock): void {
    const most = mostAccesses(instructions);
    if (this.#scope.accesses === undefined || most === 0) return;
    this.#scope.accesses.pushIsFull(most);
    this.#aside(() => this.#leaveFor({ block: node, index: undefined, why: 'room', rip, steps: 0 }));
  }

  /** Code that runs where the value on the stack is not 0, and goes elsewhere. */
  #aside(write: () => void): void {
    const { code, flags } = this.#scope;
    const { state } = flags;
    code.open('if');
    write();
    code.end();
    flags.state = state;
  }

  #exits(node: number, index: number): BlockExits {
    const { code } = this.#scope;
    const block = this.#region.blocks[node] as RegionBlock;
    const steps = block.instructions.length;
    return {
      toAddress: (rip) => this.#goTo(node, rip),
      toLocal: (rip) => {
        this.#part({ kind: 'edge', block: node });
        this.#listener.exit({ block: node, index, why: 'computed', rip: undefined, steps });
        code.get(rip);
        code.set(this.#rip);
        this.#leave();
      },
      slowPath: () => this.#part({ kind: 'slow path', block: node, index }),
      callReference: (settled) => {
        code.i32(this.#siteOf(block, index));
        this.#pushLeft(steps - index);
        code.call(settled ? REFERENCE_FUNCTIONS.settled : REFERENCE_FUNCTIONS.plain);
      },
      leave: (rip) => {
        const to = rip === 'set' ? undefined : rip;
        this.#listener.exit({ block: node, index, why: 'reference', rip: to, steps: index + 1 });
        if (rip !== 'set') storeRip(this.#scope, () => code.i64(rip));
        this.#pushLeft(steps - index - 1);
        code.op('return');
      },
    };
  }

  /** Pushes the steps left, with those of the block that are not done. */
  #pushLeft(notDone: number): void {
    const { code } = this.#scope;
    code.get(LEFT);
    if (notDone === 0) return;
    code.i32(notDone);
    code.op('i32.add');
  }

  #goTo(node: number, rip: bigint): void {
    const to = this.#region.numberAt.get(rip);
    const kind = to === undefined ? 'leave' : this.#flow.edge(node, to);
    const steps = (this.#region.blocks[node] as RegionBlock).instructions.length;
    const exit = { block: node, index: steps - 1, rip, steps };
    this.#part({ kind: 'edge', block: node });
    if (to === undefined || kind === 'leave') {
      this.#leaveFor({ ...exit, why: 'leave' });
      return;
    }
    this.#checkPage(node, to, exit);
    this.#listener.exit({ ...exit, why: 'stay' });
    if (kind === 'inline') {
      this.#tree(to);
      this.#part({ kind: 'edge', block: node });
      return;
    }
    this.#scope.flags.meet();
    this.#scope.code.br(this.#labels.get(to) as Label);
  }

  /** Another page may be mapped elsewhere by now: its word then lags behind. */
  #checkPage(from: number, to: number, exit: Omit<CodeExit, 'why'> & { readonly rip: bigint }): void {
    const [source, target] = [this.#region.blocks[from] as RegionBlock, this.#region.blocks[to] as RegionBlock];
    if (source.page === target.page) return;
    const { code } = this.#scope;
    code.loadAt('i32.load', VALID_PAGES_OFFSET + target.page * 4);
    code.loadAt('i32.load', GENERATION_WORD * 4);
    code.op('i32.ne');
    this.#aside(() => this.#leaveFor({ ...exit, why: 'page' }));
  }

  #leaveFor(exit: CodeExit & { readonly rip: bigint }): void {
    this.#listener.exit(exit);
    this.#scope.code.i64(exit.rip);
    this.#scope.code.set(this.#rip);
    this.#leave();
  }

  #leave(): void {
    this.#scope.flags.meet();
    this.#scope.code.br(this.#exit);
  }
}
