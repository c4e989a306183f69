// Finds what is to be listed for an address: the block that holds it, and the region that the block was compiled in or
// would be compiled in now. Asks nothing of the TLB, whose processor may be in another mode by now, and changes nothing.

import { UsageError } from '../error.js';
import type { Block } from '../execute/block.js';
import type { CachedBlock } from '../execute/block-cache.js';
import { type CodeMode, codeModeOf } from '../execute/code-mode.js';
import type { Decoded } from '../execute/decode.js';
import type { CompiledRegion } from './compiled-code.js';
import type { CompiledForm } from './instruction-facts.js';
import type { ListedRegion } from './listing.js';
import { type FoundBlock, formRegion, type Region, ripAt } from './region.js';

/** What is known of code. */
export interface KnownCode {
  /** Blocks whose bytes are there. */
  readonly blocks: Iterable<CachedBlock>;
  /** Those that a block is part of, with the one that it begins first. */
  readonly regionsOf: (block: Block) => readonly CompiledRegion[];
  /** Whether somebody observes data accesses. */
  readonly observed: boolean;
  readonly formOf: (decoded: Decoded, mode: CodeMode) => CompiledForm;
}

/** A region to list. */
export interface FoundListing {
  readonly listed: ListedRegion;
  readonly isCompiled: boolean;
}

/**
 * The region to list for an address.
 * @throws UsageError CODE_NEVER_EXECUTED, CODE_NEVER_COMPILED: with the address and why
 */
export function findListing(rip: bigint, known: KnownCode): FoundListing {
  const all = [...known.blocks];
  const holding = all
    .filter(({ block }) => isHeldBy(block, rip))
    .sort((one, other) => rank(other, rip, known) - rank(one, rip, known));
  const [found] = holding;
  if (found === undefined) {
    const message = `no instruction at ${hex(rip)} was executed, or its bytes were changed since then`;
    throw new UsageError('CODE_NEVER_EXECUTED', { address: rip }, message);
  }
  const mode = codeModeOf(found.mode);
  if (mode.codeWidth === 16) refuse(rip, 'it is 16-bit code, which the reference path executes');
  const [compiled] = known.regionsOf(found.block);
  const region = compiled === undefined ? regionOfBlocks(found, all, mode, known) : regionAgain(compiled, mode, known);
  const number = region?.numberAt.get(ripAt(found.block, 0));
  if (region === undefined || number === undefined)
    refuse(rip, `a region cannot begin with ${found.block.instructions[0]?.mnemonic ?? 'what is no instruction'}`);
  const listed = { region, number, mode: { mode64: mode.codeWidth === 64, user: mode.user, observed: known.observed } };
  return { listed: { ...listed, sites: compiled?.sites ?? [] }, isCompiled: compiled !== undefined };
}

/** Whether one of the instructions of a block begins at an address. */
function isHeldBy(block: Block, rip: bigint): boolean {
  return block.instructions.some((_, index) => ripAt(block, index) === rip);
}

/** What is compiled goes before what is not, the block that begins at the address before those that go through it. */
function rank({ block }: CachedBlock, rip: bigint, { regionsOf }: KnownCode): number {
  return (ripAt(block, 0) === rip ? 2 : 0) + (regionsOf(block).length > 0 ? 1 : 0);
}

/** The region of which the code was made: it is formed from the same blocks. */
function regionAgain(compiled: CompiledRegion, mode: CodeMode, { formOf }: KnownCode): Region | undefined {
  const parts = new Map(compiled.parts.map((part) => [part.rip, part] as const));
  return formed(compiled.parts[0]?.rip ?? 0n, (rip) => parts.get(rip), mode, formOf);
}

function regionOfBlocks(
  { block }: CachedBlock,
  all: readonly CachedBlock[],
  { key }: CodeMode,
  { formOf }: KnownCode,
): Region | undefined {
  const frames = [...new Set(all.map(({ frame }) => frame))];
  const found = new Map<bigint, FoundBlock>();
  for (const { block: each, frame, mode } of all)
    if (mode === key) found.set(ripAt(each, 0), { block: each, frame, page: frames.indexOf(frame) });
  return formed(ripAt(block, 0), (rip) => found.get(rip), codeModeOf(key), formOf);
}

function formed(
  entry: bigint,
  find: (rip: bigint) => FoundBlock | undefined,
  mode: CodeMode,
  formOf: KnownCode['formOf'],
): Region | undefined {
  return formRegion(entry, find, (decoded) => formOf(decoded, mode), mode.codeWidth === 64);
}

function refuse(address: bigint, why: string): never {
  throw new UsageError('CODE_NEVER_COMPILED', { address, why }, `what is at ${hex(address)} is never compiled: ${why}`);
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
