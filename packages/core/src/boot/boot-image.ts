// How a machine stands at position 0, as plain data: bytes in memory and the mode that a boot loader leaves. It goes into
// the trace header, so that a trace is a whole by itself.
import { ImageError } from '../error.js';

/** The mode at entry. */
export type BootMode = 'real' | 'protected' | 'long';

/** Bytes at a physical address. */
export interface ImageSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** How much memory it takes; what `bytes` does not fill is zero. Default: as much as there are bytes. */
  readonly memoryBytes?: number;
  /** What it is: `kernel`, `module`. For messages, and for what firmware tells of it. */
  readonly what?: string;
}

/** What is loaded and where the first processor starts. */
export interface BootImage {
  readonly mode: BootMode;
  readonly segments: readonly ImageSegment[];
  /** RIP at entry, or a segment:offset packed as (CS << 4) + IP in real mode. */
  readonly entry: number;
  /** Registers of the first processor, by name, in place of what the mode gives them. The others wait for a startup IPI. */
  readonly registers?: Readonly<Record<string, bigint>>;
  /** What firmware leaves in memory (boot/pc-firmware.ts). Default: nothing. */
  readonly firmware?: 'pc';
  /** All processors stand in the mode, not only the first: for intrinsics. */
  readonly everyProcessor?: boolean;
}

/** Where the boot structures lie: page tables, GDT and stack below 64 KiB, above what a loader of raw images takes. */
export const BOOT_LAYOUT = { gdt: 0x800, pageTables: 0x1000, stackTop: 0x8000, image: 0x10_0000 } as const;

const HIGHEST_ENTRY: Readonly<Record<BootMode, number>> = {
  real: 0xf_ffff,
  protected: 0xffff_ffff,
  long: Number.MAX_SAFE_INTEGER,
};

/**
 * A raw image: bytes loaded at an address and entered in a mode.
 * @throws ImageError if the entry cannot be reached in the mode
 */
export function rawImage({
  bytes,
  mode,
  load,
  entry = load,
}: {
  readonly bytes: Uint8Array;
  readonly mode: BootMode;
  readonly load: number;
  readonly entry?: number;
}): BootImage {
  checkBootAddresses(mode, { load, entry });
  return { mode, segments: [{ address: load, bytes }], entry };
}

/** @throws ImageError BAD_IMAGE_ADDRESS for what a mode cannot reach */
export function checkBootAddresses(mode: BootMode, addresses: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(addresses)) {
    if (Number.isInteger(value) && value >= 0 && value <= HIGHEST_ENTRY[mode]) continue;
    throw new ImageError(
      'BAD_IMAGE_ADDRESS',
      { name, value, mode },
      `${name} ${value} cannot be used in ${mode} mode: 0 to 0x${HIGHEST_ENTRY[mode].toString(16)} is accepted`,
    );
  }
}

/** No image: the processors stand in 64-bit mode with 4-level paging, for intrinsics. Every processor is set up. */
export function longMode(): BootImage {
  return { mode: 'long', segments: [], entry: BOOT_LAYOUT.image, everyProcessor: true };
}
