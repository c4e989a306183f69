// From a file to a boot image, by what the file is: a multiboot kernel, an executable, a boot sector, or else raw bytes.
// Saying how it is loaded goes before what it looks like.
import { ImageError } from '../error.js';
import { BOOT_LAYOUT, type BootImage, type BootMode, rawImage } from './boot-image.js';
import { bootSectorImage, isBootSector } from './boot-sector.js';
import { isElf } from './elf.js';
import { elfImage } from './elf-image.js';
import { findMultibootHeader, type MultibootOptions, multibootImage } from './multiboot.js';

/** A file and how it is to be booted. */
export interface GuestImageOptions extends MultibootOptions {
  /** Enters executables and raw bytes in this mode; no boot protocol is looked for. */
  readonly mode?: BootMode | undefined;
  /** Takes the file as raw bytes, whatever it looks like, and loads it here. */
  readonly load?: number | undefined;
  /** Enters executables and raw bytes here. */
  readonly entry?: number | undefined;
}

/** What a file can be booted as. */
export type ImageFormat = 'multiboot' | 'ELF' | 'boot sector' | 'raw';

/** Where each mode's raw images usually lie: a boot sector, or the first byte above 1 MiB. */
const USUAL_LOAD: Readonly<Record<BootMode, number>> = {
  real: 0x7c00,
  protected: BOOT_LAYOUT.image,
  long: BOOT_LAYOUT.image,
};

/** What a file is taken for when nobody says. */
export function detectImageFormat(bytes: Uint8Array): ImageFormat {
  if (findMultibootHeader(bytes) !== undefined) return 'multiboot';
  if (isElf(bytes)) return 'ELF';
  return isBootSector(bytes) ? 'boot sector' : 'raw';
}

/**
 * The boot image of a file.
 * @throws ImageError for a file that cannot be booted so, IMAGE_TAKES_NO_MODULES for modules without multiboot
 * @example guestImage({ bytes: Uint8Array.of(0xf4), fileName: 'halt.bin', memoryBytes: 64 * 2 ** 20 });
 */
export function guestImage(options: GuestImageOptions): BootImage {
  const { modules = [] } = options;
  const format = formatOf(options);
  if (format !== 'multiboot' && modules.length > 0) {
    throw new ImageError(
      'IMAGE_TAKES_NO_MODULES',
      { format, modules: modules.map(({ text }) => text) },
      `a ${format} image cannot be given modules: a multiboot kernel is accepted`,
    );
  }
  return IMAGES[format](options);
}

function formatOf({ bytes, mode, load, entry }: GuestImageOptions): ImageFormat {
  if (load !== undefined) return 'raw';
  if (mode === undefined && entry === undefined) return detectImageFormat(bytes);
  return isElf(bytes) ? 'ELF' : 'raw';
}

const IMAGES: Readonly<Record<ImageFormat, (options: GuestImageOptions) => BootImage>> = {
  multiboot: multibootImage,
  ELF: ({ bytes, mode, entry }) => elfImage({ bytes, mode, entry }),
  'boot sector': ({ bytes }) => bootSectorImage(bytes),
  raw: ({ bytes, mode = 'long', load = USUAL_LOAD[mode], entry = load }) => rawImage({ bytes, mode, load, entry }),
};
