// SDM, "Virtual-8086 Mode": segments without descriptors, 64 KiB from a paragraph on.
import type { Cpu } from '../state/cpu.js';

const LIMIT = 0xffffn;
/** Read/write data, accessed, present, DPL 3: CS too, and CPL is 3. */
const ATTRIBUTES = 0xf3n;
const NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
type Name = (typeof NAMES)[number];

/** Loads a segment register with a paragraph. */
export function loadVirtual8086Segment(cpu: Cpu, name: Name, selector: number): void {
  cpu.setSegment(name, {
    selector: BigInt(selector),
    base: BigInt(selector) << 4n,
    limit: LIMIT,
    attributes: ATTRIBUTES,
  });
}

/** Loads all six. */
export function enterVirtual8086Segments(cpu: Cpu, selectors: Readonly<Record<Name, number>>): void {
  for (const name of NAMES) loadVirtual8086Segment(cpu, name, selectors[name]);
}
