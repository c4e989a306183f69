// What firmware keeps in the battery-backed memory of a PC's clock: the sizes of memory, the equipment, the order of boot
// devices. The places are those of the IBM PC/AT and of QEMU.
import type { MachineDefinition } from '../plugin/host.js';
import type { MachineDraft } from '../state/draft.js';

const CMOS_BYTES = 128;
/** Places that others than the clock look at. */
export const CMOS = { shutdownStatus: 0x0f } as const;
const CLOCK_PLUGIN = 'rtc';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const HIGH_MEMORY_UNIT = 64 * KIB;
const BASE_KIB = 640;
/** A processor's x87 FPU, and a PS/2 mouse. */
const EQUIPMENT = 0x06;
/** Hard disk. */
const BOOT_DEVICES = 0x02;
const CHECKED = { first: 0x10, last: 0x2d, sum: 0x2e } as const;

/** Little-endian values that firmware left: address, bytes, value. */
type Field = readonly [address: number, bytes: number, value: number];

function fields({ ranges, processors }: MachineDefinition): readonly Field[] {
  const [low, high] = ranges;
  const lowEnd = low?.end ?? 0;
  const extended = Math.min(0xffff, Math.max(0, lowEnd - MIB) / KIB);
  const above16Mib = Math.min(0xffff, Math.max(0, lowEnd - 16 * MIB) / HIGH_MEMORY_UNIT);
  const above4Gib = high === undefined ? 0 : (high.end - high.start) / HIGH_MEMORY_UNIT;
  return [
    [0x14, 1, EQUIPMENT],
    [0x15, 2, BASE_KIB],
    [0x17, 2, extended],
    [0x30, 2, extended],
    [0x34, 2, above16Mib],
    [0x3d, 1, BOOT_DEVICES],
    [0x5b, 3, above4Gib],
    [0x5f, 1, processors - 1],
  ];
}

/** The memory of a fresh machine; the clock's own registers are 0. */
export function cmosMemory(definition: MachineDefinition): number[] {
  const memory = new Array<number>(CMOS_BYTES).fill(0);
  for (const [address, bytes, value] of fields(definition))
    for (let index = 0; index < bytes; index++) memory[address + index] = Math.floor(value / 2 ** (index * 8)) & 0xff;
  const sum = memory.slice(CHECKED.first, CHECKED.last + 1).reduce((total, byte) => total + byte, 0);
  memory[CHECKED.sum] = sum >> 8; // the high byte comes first here
  memory[CHECKED.sum + 1] = sum & 0xff;
  return memory;
}

/** A byte of the memory now; undefined for a machine without a clock. */
export function cmosByte(draft: MachineDraft, address: number): number | undefined {
  if (!draft.definition.plugins.some(({ name }) => name === CLOCK_PLUGIN)) return undefined;
  const { bytes } = draft.readSlice(CLOCK_PLUGIN) as { readonly bytes: readonly number[] };
  return bytes[address];
}
