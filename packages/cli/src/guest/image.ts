// Guest images: raw binaries. ELF and multiboot are recognised by their first bytes only to say that they are not accepted.
import { BOOT_LAYOUT, type BootImage, type BootMode, ImageError, rawImage } from '@retrovisor/core';
import { readInput } from './input-file.js';

/** How a raw image is loaded and entered. */
export interface ImageOptions {
  readonly mode?: BootMode | undefined;
  /** Physical addresses. */
  readonly load?: number | undefined;
  readonly entry?: number | undefined;
}

/** Where each mode's images usually lie: a boot sector, or the first byte above 1 MiB. */
const USUAL_LOAD: Readonly<Record<BootMode, number>> = {
  real: 0x7c00,
  protected: BOOT_LAYOUT.image,
  long: BOOT_LAYOUT.image,
};

const ELF_MAGIC = '\x7fELF';

/** Reads a raw image. @throws InputError, ImageError */
export function readImage(
  path: string,
  { mode = 'long', load = USUAL_LOAD[mode], entry = load }: ImageOptions,
): BootImage {
  const bytes = readInput(path);
  if (bytes.length === 0) throw new ImageError('IMAGE_EMPTY', { path }, `${path} is empty: a raw binary is accepted`);
  if (new TextDecoder('latin1').decode(bytes.subarray(0, 4)) === ELF_MAGIC) {
    const accepted = ['raw binary'];
    throw new ImageError(
      'IMAGE_FORMAT',
      { path, found: 'ELF', accepted },
      `${path} is an ELF file; accepted is a raw binary with --mode real|protected|long, --load and --entry`,
    );
  }
  return rawImage({ bytes, mode, load, entry });
}
