// A machine as the instruction vectors were recorded on: user level in 64-bit mode, three pages of data and three of code
// mapped. Exceptions are seen and not delivered.
import type { ImageSegment } from '../boot/boot-image.js';
import { createMachine, type Machine } from '../machine/machine.js';
import { definePlugin } from '../plugin/define.js';
import type { ProcessorProfile } from '../profile/profile.js';

/** Linear addresses of the recorded program. */
export const DATA = 0x1000_0000n;
const READ_ONLY = DATA + 0x2000n;
const CODE = 0x2000_0000n;
/** Where the code of a vector begins: the initial RIP. */
export const START = CODE + 0x800n;
const PAGE = 0x1000n;

/** Bytes of the window of data, and as many of code. */
export const WINDOW_BYTES = 0x3000;
/** Where the pages lie in physical memory. */
export const PHYSICAL = { data: 0x1_0000, code: 0x2_0000, tables: 0x10_0000 } as const;
const MEMORY_BYTES = 4 * 2 ** 20;

const [PRESENT, WRITABLE, USER, EXECUTE_DISABLE] = [1n, 2n, 4n, 1n << 63n];

interface Mapping {
  readonly linear: bigint;
  readonly physical: number;
  readonly rights: bigint;
}

const MAPPINGS: readonly Mapping[] = [0n, 1n, 2n].flatMap((page) => [
  {
    linear: DATA + page * PAGE,
    physical: PHYSICAL.data + Number(page * PAGE),
    rights: USER | EXECUTE_DISABLE | (DATA + page * PAGE === READ_ONLY ? 0n : WRITABLE),
  },
  { linear: CODE + page * PAGE, physical: PHYSICAL.code + Number(page * PAGE), rights: USER },
]);

/** Four levels of tables for the mappings, as one piece of memory. */
function pageTables(): ImageSegment {
  const tables = new Map<string, number>([['', PHYSICAL.tables]]);
  const entries = new Map<number, bigint>();
  for (const { linear, physical, rights } of MAPPINGS) {
    const indexes = [39n, 30n, 21n, 12n].map((shift) => Number((linear >> shift) & 0x1ffn));
    for (const [level, index] of indexes.entries()) {
      const table = tables.get(indexes.slice(0, level).join('.')) ?? 0;
      const path = indexes.slice(0, level + 1).join('.');
      if (level < 3 && !tables.has(path)) tables.set(path, PHYSICAL.tables + tables.size * 0x1000);
      const target = level === 3 ? BigInt(physical) | rights : BigInt(tables.get(path) ?? 0) | WRITABLE | USER;
      entries.set(table + index * 8, target | PRESENT);
    }
  }
  const bytes = new Uint8Array(tables.size * 0x1000);
  const view = new DataView(bytes.buffer);
  for (const [address, entry] of entries) view.setBigUint64(address - PHYSICAL.tables, entry, true);
  return { address: PHYSICAL.tables, bytes };
}

/** Takes every exception before it is delivered, so that the state is that of the instruction. */
const seeExceptions = definePlugin({
  name: 'vectors',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'vectors/raised' }) },
});

/** 64-bit code and data of level 3, as Linux has them. */
const USER_SEGMENTS = {
  'CS.selector': 0x33n,
  'CS.attributes': 0xa0fbn,
  'SS.selector': 0x2bn,
  'SS.attributes': 0xc0f3n,
} as const;
const [CR4_OSFXSR, CR4_OSXMMEXCPT, CR4_UMIP] = [1n << 9n, 1n << 10n, 1n << 11n];

/** Makes the machine. */
export function makeVectorMachine(profile: string | ProcessorProfile, compile: number | false): Machine {
  const machine = createMachine({
    profile,
    memory: MEMORY_BYTES,
    compile,
    plugins: [seeExceptions],
    boot: { mode: 'long', segments: [pageTables()], entry: 0 },
  });
  const cpu = machine.processor(0);
  for (const [register, value] of Object.entries(USER_SEGMENTS)) cpu.set(register, value);
  cpu.set('CR4', cpu.read('CR4') | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP);
  cpu.set('TR.limit', 0n); // a TSS too short for an I/O permission bit map
  cpu.set('GS.base', DATA + 0x400n);
  cpu.set('CR3', BigInt(PHYSICAL.tables));
  return machine as unknown as Machine;
}
