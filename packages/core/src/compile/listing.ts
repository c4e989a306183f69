// A compiled block as people read it: the guest's instructions, what each of them does as an expression, the WebAssembly of
// its region, and how positions are counted where the block is left. Made from the same code that writes what runs.
import { disassemble } from '../execute/disassemble.js';
import { printEffect } from '../expression/print.js';
import type { CodeExit, CodePart } from './code-parts.js';
import type { InstructionFacts } from './instruction-facts.js';
import { accessName } from './place-names.js';
import { type Region, type RegionBlock, ripAt } from './region.js';
import { LEFT, REFERENCE_FUNCTIONS, type RegionMode, regionCode } from './region-code.js';
import { functionText, type TextNames } from './wasm/text.js';

/** An instruction of a listed block. */
export interface ListedInstruction {
  /** RIP before it. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** In Intel syntax. */
  readonly text: string;
  /** What it does; undefined for one in the function form. */
  readonly effect: string | undefined;
  /**
   * `inline`: generated code does all of it. `inline or reference`: the reference path executes it where the fast path does
   * not suffice. `reference`: the reference path executes it, called by generated code. `outside`: the region ends before it.
   */
  readonly path: 'inline' | 'inline or reference' | 'reference' | 'outside';
  /** Flags that it writes and that nobody can see before they are written again: no code is made for them. */
  readonly deadFlags: readonly string[];
}

/** A line of WebAssembly text. */
export interface ListedLine {
  /** Blocks around it. */
  readonly depth: number;
  readonly text: string;
  /** What is loaded or stored. */
  readonly comment: string | undefined;
  readonly part: CodePart['kind'];
  /** RIP of the block that it is part of; undefined for prologue and epilogue. */
  readonly block: bigint | undefined;
  /** RIP of the instruction that it is part of. */
  readonly instruction: bigint | undefined;
}

/** A way out of a listed block. */
export interface ListedExit {
  /** RIP of the instruction that it belongs to; undefined for one at the beginning of the block. */
  readonly instruction: bigint | undefined;
  readonly why: CodeExit['why'];
  /** RIP behind it; undefined: it is known when the code runs. */
  readonly rip: bigint | undefined;
  /** Steps of the block that are done then. */
  readonly steps: number;
}

/** A block of a region, with the code of the whole region. */
export interface CompiledListing {
  /** RIP of its first instruction. */
  readonly address: bigint;
  readonly codeWidth: 32 | 64;
  /** Whether it was executed at CPL 3. */
  readonly user: boolean;
  /** Whether the machine has compiled it; otherwise this is the code that it would make now. */
  readonly isCompiled: boolean;
  /** How often a block is executed on the reference path before it is compiled. */
  readonly threshold: number;
  readonly region: {
    /** RIP where its function begins. */
    readonly entry: bigint;
    readonly blocks: readonly { readonly address: bigint; readonly steps: number }[];
    /** Length of its function. */
    readonly codeBytes: number;
  };
  readonly instructions: readonly ListedInstruction[];
  /** Steps that are taken off the budget when the block begins. */
  readonly steps: number;
  /** The first line of the function and its locals. */
  readonly head: readonly string[];
  /** The function, as it runs. */
  readonly lines: readonly ListedLine[];
  readonly exits: readonly ListedExit[];
}

/** A region with the block that is asked for. */
export interface ListedRegion {
  readonly region: Region;
  /** Number of the block in its region. */
  readonly number: number;
  readonly mode: RegionMode;
  /** Numbers of the instructions that the reference path may be asked for; empty if it is not compiled. */
  readonly sites: readonly number[];
}

/** What is listed but for how the machine stands to it. */
type ListedCode = Omit<CompiledListing, 'isCompiled' | 'threshold'>;

/** The listing of a block. */
export function listBlock({ region, number, mode, sites }: ListedRegion): ListedCode {
  const block = blockOf(region, number);
  const parts: { readonly at: number; readonly part: CodePart }[] = [];
  const exits: CodeExit[] = [];
  let site = 0;
  const code = regionCode(region, mode, () => sites[site++] ?? site - 1, {
    part: (at, part) => void parts.push({ at, part }),
    exit: (exit) => void exits.push(exit),
  });
  const names = namesOf(code.names);
  const { locals, lines } = functionText(code.body(), names);
  const partAt = (at: number): CodePart => parts.findLast((part) => part.at <= at)?.part ?? { kind: 'prologue' };
  return {
    address: block.rip,
    codeWidth: mode.mode64 ? 64 : 32,
    user: mode.user,
    region: {
      entry: blockOf(region, 0).rip,
      blocks: region.blocks.map(({ rip, instructions }) => ({ address: rip, steps: instructions.length })),
      codeBytes: code.size,
    },
    instructions: listedInstructions(block),
    steps: block.instructions.length,
    head: [
      `(func $region (param $${STEPS} i32) (result i32)`,
      ...locals.map((type, index) => `(local ${indexed(names, LEFT.index + 1 + index)}${type})`),
    ],
    lines: lines.map((line, index) => {
      const { kind, block: within, index: instruction } = partAt(line.at);
      const of = within === undefined ? undefined : blockOf(region, within);
      return {
        depth: line.depth,
        text: line.text,
        comment: accessName(line, lines.slice(Math.max(0, index - 2), index)),
        part: kind,
        block: of?.rip,
        instruction: of === undefined || instruction === undefined ? undefined : ripAt(of.block, instruction),
      };
    }),
    exits: exits
      .filter((exit) => exit.block === number)
      .map(({ index, why, rip, steps }) => ({
        instruction: index === undefined ? undefined : ripAt(block.block, index),
        why,
        rip,
        steps,
      })),
  };
}

function blockOf({ blocks }: Region, number: number): RegionBlock {
  return blocks[number] as RegionBlock;
}

/** The parameter: steps that may be done. */
const STEPS = 'steps';

function namesOf(locals: ReadonlyMap<number, string>): TextNames {
  return {
    locals: new Map([[LEFT.index, STEPS], ...locals]),
    functions: new Map(Object.entries(REFERENCE_FUNCTIONS).map(([name, index]) => [index, name] as const)),
  };
}

const indexed = ({ locals }: TextNames, index: number): string => {
  const name = locals?.get(index);
  return name === undefined ? `(;${index};) ` : `$${name} `;
};

function listedInstructions({ block, instructions }: RegionBlock): readonly ListedInstruction[] {
  const first = ripAt(block, 0);
  return block.instructions.flatMap((decoded, index) => {
    if (decoded === undefined) return [];
    const address = ripAt(block, index);
    const start = Number(address - first);
    const bytes = block.bytes.slice(start, start + decoded.length);
    const facts = instructions[index];
    return [
      {
        address,
        bytes,
        text: disassemble(bytes, decoded.codeWidth, address).text,
        effect: facts === undefined || facts.form !== undefined ? undefined : printEffect(facts.effect),
        path: pathOf(facts),
        deadFlags: facts === undefined ? [] : [...facts.writes.flags].filter((flag) => !facts.neededFlags.has(flag)),
      },
    ];
  });
}

function pathOf(facts: InstructionFacts | undefined): ListedInstruction['path'] {
  if (facts === undefined) return 'outside';
  if (facts.form?.transfer !== undefined) return 'inline or reference';
  if (!facts.isGenerated) return 'reference';
  return facts.mayLeave ? 'inline or reference' : 'inline';
}
