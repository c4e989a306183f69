// The DMA interface of QEMU's firmware configuration device (its specification, "DMA Interface"): software writes the
// physical address of a descriptor to ports 514H and 518H, the most significant half first, and the device acts at the write
// of the second one. Descriptor and registers are big-endian. Left out: writing items, which ends with the error bit.
import { isRamThroughout } from '../state/memory.js';
import type { PhysicalDraft } from '../state/physical-draft.js';

/** Ports of the address; reading them tells of the interface. */
export const DMA_PORTS = { high: 0x514, low: 0x518, last: 0x51b } as const;
/** What the two registers read as: `QEMU CFG`. */
export const DMA_SIGNATURE: Readonly<Record<number, number>> = { 1300: 0x554d_4551, 1304: 0x4746_4320 };

/** Bits of the descriptor's control word, whose upper half is a selector. */
const CONTROL = { error: 0x01, read: 0x02, skip: 0x04, select: 0x08, write: 0x10 } as const;
const DESCRIPTOR_BYTES = 16;

/** The item that is selected, and how far it was read. */
export interface Selection {
  selector: number;
  offset: number;
}

/** Exchanges the bytes of a register of 32 bits. */
export const swapped = (value: number): number =>
  (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

/** Does what a descriptor asks for, and says in its control word how that ended. Returns the selection after it. */
export function transfer(
  memory: PhysicalDraft,
  descriptor: bigint,
  before: Selection,
  itemOf: (selector: number) => Uint8Array | undefined,
): Selection {
  if (!isThere(memory, descriptor, DESCRIPTOR_BYTES)) return before;
  const view = new DataView(memory.readBytes(descriptor, DESCRIPTOR_BYTES).buffer);
  const [control, length, address] = [view.getUint32(0), view.getUint32(4), view.getBigUint64(8)];
  const { selector, offset } = (control & CONTROL.select) === 0 ? before : { selector: control >>> 16, offset: 0 };
  const isRead = (control & CONTROL.read) !== 0;
  const fails = isRead ? !isThere(memory, address, length) : (control & CONTROL.write) !== 0;
  if (isRead && !fails) {
    const bytes = new Uint8Array(length); // zeros after the end of the item
    bytes.set(itemOf(selector)?.subarray(offset, offset + length) ?? []);
    memory.writeBytes(address, bytes);
  }
  memory.write(descriptor, 4, fails ? BigInt(swapped(CONTROL.error)) : 0n);
  const passes = !fails && (control & (CONTROL.read | CONTROL.skip)) !== 0;
  return { selector, offset: passes ? offset + length : offset };
}

/** Nothing but RAM is reached. */
const isThere = ({ ranges }: PhysicalDraft, address: bigint, bytes: number): boolean =>
  bytes === 0 || (address < 2n ** 52n && isRamThroughout(ranges, Number(address), bytes));
