// Regions: blocks that lead to each other by direct branches, compiled as one function. Only code that was executed already
// is taken in. A region ends where control goes elsewhere: at indirect branches, behind function-form instructions, and at
// blocks that nobody has reached yet.
import type { Block } from '../execute/block.js';
import type { Decoded } from '../execute/decode.js';
import {
  type CompiledForm,
  factsOf,
  findNeededFlags,
  functionFacts,
  type InstructionFacts,
  type KnownConditions,
} from './instruction-facts.js';

/** Where a block is found by its RIP, without changing anything; undefined if it was not decoded yet. */
export type BlockFinder = (rip: bigint) => FoundBlock | undefined;

/** A block with the page that it lies on. */
export interface FoundBlock {
  readonly block: Block;
  readonly frame: number;
  /** Number of the word that says whether the page is still mapped as it was (compile/valid-pages.ts). */
  readonly page: number;
}

/** A block as a node of its region. */
export interface RegionBlock extends FoundBlock {
  readonly rip: bigint;
  /** Those that are part of the region: up to a function-form instruction, which is the last. */
  readonly instructions: readonly InstructionFacts[];
  /** RIP behind the last of them. */
  readonly end: bigint;
}

/** Blocks by number, the entry first. */
export interface Region {
  readonly blocks: readonly RegionBlock[];
  readonly numberAt: ReadonlyMap<bigint, number>;
  readonly successors: readonly (readonly number[])[];
}

/** Instructions of a region at the most: more would make its compilation a long pause. */
const MOST_INSTRUCTIONS = 512;

/** RIP before instruction `index` of a block. */
export function ripAt({ low, high }: Block, index: number): bigint {
  return (BigInt((high[index] ?? 0) >>> 0) << 32n) | BigInt((low[index] ?? 0) >>> 0);
}

/** The region that begins at a block; undefined if its first instruction cannot be part of one. */
export function formRegion(
  entry: bigint,
  find: BlockFinder,
  formOf: (decoded: Decoded) => CompiledForm,
  mode64: boolean,
): Region | undefined {
  const blocks: RegionBlock[] = [];
  const numberAt = new Map<bigint, number>();
  const waiting = [entry];
  let instructions = 0;
  for (let rip = waiting.shift(); rip !== undefined && instructions < MOST_INSTRUCTIONS; rip = waiting.shift()) {
    if (numberAt.has(rip)) continue;
    const block = regionBlock(rip, find, formOf, mode64);
    if (block === undefined) continue;
    numberAt.set(rip, blocks.length);
    blocks.push(block);
    instructions += block.instructions.length;
    waiting.push(...destinations(block));
  }
  if (numberAt.get(entry) === undefined) return undefined;
  const successors = blocks.map((block) =>
    destinations(block).flatMap((rip) => {
      const to = numberAt.get(rip);
      return to === undefined ? [] : [to];
    }),
  );
  return { blocks, numberAt, successors };
}

function regionBlock(
  rip: bigint,
  find: BlockFinder,
  formOf: (decoded: Decoded) => CompiledForm,
  mode64: boolean,
): RegionBlock | undefined {
  const found = find(rip);
  if (found === undefined) return undefined;
  const instructions: InstructionFacts[] = [];
  const known: KnownConditions = new Set();
  for (const decoded of found.block.instructions) {
    const form = decoded === undefined ? undefined : formOf(decoded);
    if (form === undefined) break;
    instructions.push('transfer' in form ? functionFacts(form) : factsOf(form, mode64, known));
  }
  if (instructions.length === 0) return undefined;
  findNeededFlags(instructions);
  return { ...found, rip, instructions, end: ripAt(found.block, instructions.length) };
}

/** Where a block leads, as far as that is known when it is compiled. */
function destinations({ instructions, end }: RegionBlock): readonly bigint[] {
  const last = instructions.at(-1);
  if (last?.form !== undefined) return [];
  const effect = last?.effect ?? [];
  const jump = effect.find((statement) => statement.kind === 'jump');
  if (jump === undefined) return [end];
  const target = jump.target.kind === 'constant' ? [jump.target.value] : [];
  const goesOn = jump.when !== undefined || effect.some(({ kind }) => kind === 'endIf');
  return goesOn ? [...target, end] : target;
}
