// The map of physical memory that a PC's firmware reports (BIOS function INT 15H, AX=E820H).
import { ramRanges } from '../state/memory.js';

/** A range of one type: half open, in bytes. */
export interface MemoryMapEntry {
  readonly start: number;
  readonly end: number;
  readonly type: number;
}

/** Types of E820: what software may use, and what it must leave alone. */
const MEMORY_TYPE = { usable: 1, reserved: 2 } as const;

/** The extended BIOS data area, below 640 KiB. */
const EBDA = 0x9_fc00;
const VIDEO = 0xa_0000;
const BIOS = 0xf_0000;
const ONE_MIB = 0x10_0000;

/** The map of a machine with so many bytes of RAM, ascending. */
export function memoryMap(memory: number): readonly MemoryMapEntry[] {
  const [low, high] = ramRanges(memory);
  const lowEnd = low?.end ?? 0;
  return [
    { start: 0, end: EBDA, type: MEMORY_TYPE.usable },
    { start: EBDA, end: VIDEO, type: MEMORY_TYPE.reserved },
    { start: BIOS, end: ONE_MIB, type: MEMORY_TYPE.reserved },
    { start: ONE_MIB, end: lowEnd, type: MEMORY_TYPE.usable },
    ...(high === undefined ? [] : [{ ...high, type: MEMORY_TYPE.usable }]),
  ].filter(({ start, end }) => start < end);
}

/** Past the last byte of RAM below 4 GiB. */
export const usableBelow4Gib = (memory: number): number => ramRanges(memory)[0]?.end ?? 0;
