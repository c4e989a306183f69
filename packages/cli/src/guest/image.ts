// Guest images: of a format that is found by the contents, or raw when the user says how they are entered.
import {
  BOOT_LAYOUT,
  type BootImage,
  type BootMode,
  detectedImage,
  ImageError,
  type MultibootModule,
  rawImage,
} from '@retrovisor/core';
import { readInput } from './input-file.js';

/** How an image is loaded and entered. */
export interface ImageOptions {
  readonly mode?: BootMode | undefined;
  /** Physical addresses. */
  readonly load?: number | undefined;
  readonly entry?: number | undefined;
  /** Of a multiboot kernel: the rest of its command line, and its modules. */
  readonly append?: string | undefined;
  readonly initrd?: string | undefined;
}

/** Where each mode's images usually lie: a boot sector, or the first byte above 1 MiB. */
const USUAL_LOAD: Readonly<Record<BootMode, number>> = {
  real: 0x7c00,
  protected: BOOT_LAYOUT.image,
  long: BOOT_LAYOUT.image,
};

/** What an image becomes: the machine at position 0, and the command line that fw_cfg repeats. */
export interface ReadImage {
  readonly boot: BootImage;
  readonly commandLine: string;
}

/** Reads an image of any format. @throws InputError, ImageError */
export function readImage(path: string, options: ImageOptions, memory: number): ReadImage {
  const bytes = readInput(path);
  if (bytes.length === 0) throw new ImageError('IMAGE_EMPTY', { path }, `${path} is empty: an image is expected`);
  const commandLine = options.append === undefined ? path : `${path} ${options.append}`;
  const isRaw = options.mode !== undefined || options.load !== undefined || options.entry !== undefined;
  const modules = modulesOf(options.initrd);
  const detected = isRaw ? undefined : detectedImage(bytes, { commandLine, modules, memory });
  if (detected !== undefined) return { boot: detected, commandLine };
  const { mode = 'long', load = USUAL_LOAD[mode], entry = load } = options;
  return { boot: rawImage({ bytes, mode, load, entry }), commandLine };
}

/** `FILE TEXT,FILE`: text after a file name goes with it into the module's command line, as QEMU has it. */
function modulesOf(initrd: string | undefined): readonly MultibootModule[] {
  if (initrd === undefined) return [];
  return initrd.split(',').map((commandLine) => {
    const [path = ''] = commandLine.trim().split(' ');
    return { bytes: readInput(path), commandLine: commandLine.trim() };
  });
}
