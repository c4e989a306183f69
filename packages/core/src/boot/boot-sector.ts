// The boot sector of a PC: 512 bytes that end with 55H AAH, loaded at 7C00H and entered in real-address mode. The
// services of a BIOS are not there (boot/bios-interrupts.ts): INT 13H refuses, and of a larger disk image only the first
// sector is ever there.
import { ImageError } from '../error.js';
import type { BootImage } from './boot-image.js';

const SECTOR = 512;
const LOAD = 0x7c00;
const FIRST_HARD_DISK = 0x80n;
/** CR0 as at RESET, but for CD and NW, which firmware clears. */
const CACHES_ON = 0x10n;

/** Whether a file begins with a boot sector. */
export function isBootSector(bytes: Uint8Array): boolean {
  return bytes.length >= SECTOR && bytes[SECTOR - 2] === 0x55 && bytes[SECTOR - 1] === 0xaa;
}

/** The boot image of a disk image. @throws ImageError NO_BOOT_SECTOR */
export function bootSectorImage(bytes: Uint8Array): BootImage {
  if (!isBootSector(bytes)) {
    const found = bytes.subarray(SECTOR - 2, SECTOR);
    throw new ImageError(
      'NO_BOOT_SECTOR',
      { offset: SECTOR - 2, found, fileBytes: bytes.length },
      `no boot sector: its bytes 510 and 511 are 0x55 0xaa; the file has ${bytes.length} bytes, there ${[...found].map((byte) => `0x${byte.toString(16)}`).join(' ') || 'nothing'}`,
    );
  }
  return {
    mode: 'real',
    segments: [{ address: LOAD, bytes: bytes.slice(0, SECTOR), what: 'boot sector' }],
    entry: LOAD,
    firmware: 'pc',
    registers: { CR0: CACHES_ON, RDX: FIRST_HARD_DISK, RSP: BigInt(LOAD) },
  };
}
