// Which format an image has, by its contents, and how a machine is booted from it: what QEMU's -kernel does, and what a
// BIOS does with a boot sector.
import type { BootImage } from './boot-image.js';
import { bootSectorImage, isBootSector } from './boot-sector.js';
import { isElf, readElf } from './elf.js';
import { isMultiboot, type MultibootOptions, multibootImage } from './multiboot.js';

/** The formats that are told apart, in the order in which they are tried. */
export type ImageFormat = 'multiboot' | 'elf' | 'boot sector' | 'raw';

/** The format of an image. */
export function imageFormat(file: Uint8Array): ImageFormat {
  if (isMultiboot(file)) return 'multiboot';
  if (isElf(file)) return 'elf';
  return isBootSector(file) ? 'boot sector' : 'raw';
}

/**
 * A boot image of a file that says itself where it is loaded and how it is entered; undefined for a raw binary, of which
 * the user must say it. An ELF file of 64 bits is entered in 64-bit mode, one of 32 bits in protected mode.
 * @throws ImageError
 */
export function detectedImage(file: Uint8Array, options: MultibootOptions): BootImage | undefined {
  switch (imageFormat(file)) {
    case 'multiboot':
      return multibootImage(file, options);
    case 'elf': {
      const { bits, segments, entry } = readElf(file);
      return { mode: bits === 64 ? 'long' : 'protected', segments, entry };
    }
    case 'boot sector':
      return bootSectorImage(file);
    case 'raw':
      return undefined;
  }
}
