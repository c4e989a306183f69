// The function that goes from region to region: it finds the one at RIP in the cache of branch targets, calls it, and goes
// on until there is none, the steps are used up, or somebody wants to look between two steps.
import { GENERATION_WORD, INTERRUPTED_WORD, MODE_WORD, TARGETS_OFFSET } from '../state/workbench.js';
import { RIP_ADDRESS } from './layout.js';
import { FunctionCode, type Local } from './wasm/function-code.js';

/** The cache: entries of 16 bytes, found by bits of RIP. */
export const TARGETS = {
  entries: 1024,
  entryBytes: 16,
  /** RIP; the generation and the mode for which it is true; the number in the table. */
  rip: 0,
  key: 8,
  region: 12,
  /** Bits of the mode in a key; the generation is above them. */
  modeBits: 6,
} as const;

/** Shift that mixes the page into the place of an entry. */
const PAGE_SHIFT = 12;

/** The byte address of the entry for a RIP. */
export function targetAddress(low: number): number {
  return TARGETS_OFFSET + ((low ^ (low >>> PAGE_SHIFT)) & (TARGETS.entries - 1)) * TARGETS.entryBytes;
}

/**
 * From the steps that may be done to those that are left. An instruction may change the mode: it is looked at each time.
 * `regionType` is the type of a region's function.
 */
export function dispatcherCode(regionType: number): FunctionCode {
  const code = new FunctionCode(1);
  const left: Local = { index: 0, type: 'i32' };
  const [rip, entry, after] = [code.local('i64'), code.local('i32'), code.local('i32')];
  const done = code.open('block');
  const again = code.open('loop');
  code.loadAt('i64.load', RIP_ADDRESS);
  code.tee(rip);
  code.op('i32.wrap_i64');
  code.get(rip);
  code.op('i32.wrap_i64');
  code.i32(PAGE_SHIFT);
  code.op('i32.shr_u');
  code.op('i32.xor');
  code.i32(TARGETS.entries - 1);
  code.op('i32.and');
  code.i32(Math.log2(TARGETS.entryBytes));
  code.op('i32.shl');
  code.tee(entry);
  code.memory('i64.load', TARGETS_OFFSET + TARGETS.rip);
  code.get(rip);
  code.op('i64.ne');
  code.brIf(done);
  code.get(entry);
  code.memory('i32.load', TARGETS_OFFSET + TARGETS.key);
  code.loadAt('i32.load', GENERATION_WORD * 4);
  code.i32(TARGETS.modeBits);
  code.op('i32.shl');
  code.loadAt('i32.load', MODE_WORD * 4);
  code.op('i32.or');
  code.op('i32.ne');
  code.brIf(done);
  code.get(left);
  code.get(entry);
  code.memory('i32.load', TARGETS_OFFSET + TARGETS.region);
  code.callIndirect(regionType);
  code.set(after);
  // A region that made no step wants more than are left.
  code.get(after);
  code.get(left);
  code.op('i32.eq');
  code.brIf(done);
  code.get(after);
  code.set(left);
  code.loadAt('i32.load', INTERRUPTED_WORD * 4);
  code.op('i32.eqz');
  code.brIf(again);
  code.end();
  code.end();
  code.get(left);
  return code;
}
