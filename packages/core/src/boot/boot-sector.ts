// A boot sector as a BIOS starts it: 512 bytes that end with 55H AAH, loaded at 7C00H and entered in real-address mode with
// the drive in DL. There is no BIOS behind it: the interrupt vectors are 0, so that INT 13H and its kin lead nowhere.
import type { BootImage } from './boot-image.js';

const SECTOR_BYTES = 512;
const SIGNATURE_OFFSET = 510;
const LOAD_ADDRESS = 0x7c00;
const FIRST_HARD_DISK = 0x80n;

/** Whether a file is a boot sector, or a disk image that begins with one. */
export function isBootSector(file: Uint8Array): boolean {
  const isWhole = file.length >= SECTOR_BYTES && file.length % SECTOR_BYTES === 0;
  return isWhole && file[SIGNATURE_OFFSET] === 0x55 && file[SIGNATURE_OFFSET + 1] === 0xaa;
}

/** The first sector at 7C00H, in real-address mode. */
export function bootSectorImage(file: Uint8Array): BootImage {
  return {
    mode: 'real',
    segments: [{ address: LOAD_ADDRESS, bytes: file.subarray(0, SECTOR_BYTES) }],
    entry: LOAD_ADDRESS,
    registers: { RDX: FIRST_HARD_DISK },
  };
}
