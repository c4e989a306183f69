// Memory-mapped I/O: who answers a physical address that is not to be taken for RAM. The page of the processor's own local
// APIC comes first, wherever software moved it; then the ranges of plugins.
import { localApicPage, readLocalApic, writeLocalApic } from '../interrupt/local-apic-page.js';
import type { DeviceMemory } from '../plugin/define.js';
import type { MachineDraft } from '../state/draft.js';
import { FRAME_BYTES } from '../state/workbench.js';

const LOCAL_APIC: Omit<DeviceMemory, 'first' | 'last'> = { read: readLocalApic, write: writeLocalApic };
const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const;

type AccessBytes = 1 | 2 | 4;

/** The devices that a draft's processors reach through memory. */
export class DeviceBus {
  readonly #draft: MachineDraft;
  readonly #ranges: readonly DeviceMemory[];

  constructor(draft: MachineDraft) {
    this.#draft = draft;
    this.#ranges = draft.definition.deviceMemory;
  }

  /** Whether a frame is the local APIC's page for the current processor, or its guest's, which hide RAM that lies there. */
  hides(frame: number): boolean {
    return localApicPage(this.#draft.current) === frame * FRAME_BYTES || this.#draft.guest?.page?.frame === frame;
  }

  /** An unsigned value of 1, 2 or 4 bytes; ones where nobody answers. */
  read(address: number, bytes: AccessBytes): number {
    const device = this.#at(address, bytes);
    if (device?.read === undefined) return ALL_ONES[bytes];
    return device.read(this.#draft.current, address, bytes) >>> 0;
  }

  write(address: number, value: number, bytes: AccessBytes): void {
    this.#at(address, bytes)?.write?.(this.#draft.current, address, value >>> 0, bytes);
  }

  #at(address: number, bytes: AccessBytes): Omit<DeviceMemory, 'first' | 'last'> | undefined {
    const { guest } = this.#draft;
    if (guest?.page !== undefined && guest.page.frame === Math.floor(address / FRAME_BYTES)) return guest.page;
    if (this.hides(Math.floor(address / FRAME_BYTES))) return LOCAL_APIC;
    return this.#ranges.find(({ first, last }) => first <= address && address + bytes - 1 <= last);
  }
}
