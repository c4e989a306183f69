// SDM, "Accessed and Dirty Flags for EPT" and "Page-Modification Logging": what an access that is allowed leaves behind. With
// bit 6 of the EPTP each entry of the walk gets its accessed flag, and for a write the one that maps the page its dirty flag.
import type { EptContext } from './context.js';
import type { EptMemory, EptWalk } from './walk.js';

/** Memory in which flags can be set, each by one store to the doubleword that holds it. */
export interface FlaggedMemory extends EptMemory {
  setBits(address: number, bits: number): void;
}

/** Where the addresses of pages go whose dirty flag is set. */
export interface PageModificationLog {
  /** The PML index: 0 to 511, or 16 bits that say that the log is full. */
  index(): number;
  /** Stores the address of a page at an index, and counts the index down. */
  append(page: number): void;
}

const [ACCESSED, DIRTY] = [0x100, 0x200];
const LOG_ENTRIES = 512;
const PAGE = 2 ** 12;

/**
 * Sets the flags. False if one had to be set and the log is full: then nothing was changed, and the access does not happen.
 */
export function setEptFlags(
  memory: FlaggedMemory,
  { accessedAndDirty }: EptContext,
  walk: EptWalk,
  write: boolean,
  log: PageModificationLog | undefined,
): boolean {
  if (!accessedAndDirty || hasFlags(walk, write)) return true;
  if (log !== undefined && log.index() >= LOG_ENTRIES) return false;
  for (let index = 0; index < walk.length; index++) {
    const bits = flagsOf(walk, index, write);
    if (((walk.words[index] as number) & bits) !== bits) memory.setBits(walk.addresses[index] as number, bits);
  }
  if (write && (walk.low & DIRTY) === 0) log?.append(walk.guestPhysical - (walk.guestPhysical % PAGE));
  return true;
}

const flagsOf = (walk: EptWalk, index: number, write: boolean): number =>
  write && index === walk.length - 1 ? ACCESSED | DIRTY : ACCESSED;

function hasFlags(walk: EptWalk, write: boolean): boolean {
  let all = flagsOf(walk, walk.length - 1, write);
  if ((walk.low & all) !== all) return false;
  for (let index = 0; index < walk.length - 1; index++) all &= walk.words[index] as number;
  return (all & ACCESSED) !== 0;
}
