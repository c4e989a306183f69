// Guest images and what goes with them: the files are read here, what they are core finds out.
import { type BootImage, type BootMode, type BootModule, guestImage, ImageError, isTrace } from '@retrovisor/core';
import { InputError } from '../input-error.js';
import { readInput } from './input-file.js';

/** How an image is loaded and entered, and what it is given. */
export interface ImageOptions {
  readonly mode?: BootMode | undefined;
  /** Physical addresses. */
  readonly load?: number | undefined;
  readonly entry?: number | undefined;
  /** The command line of the guest. */
  readonly append?: string | undefined;
  /** Modules as QEMU takes them: `FILE[ ARGUMENTS][,FILE…]`, a comma doubled for one that is meant. */
  readonly initrd?: string | undefined;
}

/** Reads an image for a machine with so much RAM. @throws InputError, ImageError */
export function readImage(path: string, options: ImageOptions, memoryBytes: number): BootImage {
  const { mode, load, entry, append: commandLine, initrd } = options;
  const bytes = readInput(path);
  if (bytes.length === 0) {
    const accepted = ['multiboot kernel', 'ELF executable', 'boot sector', 'raw binary'];
    throw new ImageError('IMAGE_EMPTY', { path, accepted }, `${path} is empty: ${accepted.join(', ')} are accepted`);
  }
  if (isTrace(bytes) && load === undefined) {
    const message = `${path} is a trace, which is no image: retrovisor replay ${path} runs it again`;
    throw new InputError('IMAGE_IS_TRACE', { path }, message);
  }
  return guestImage({
    bytes,
    fileName: path,
    memoryBytes,
    mode,
    load,
    entry,
    modules: initrd === undefined ? [] : readModules(initrd),
    ...(commandLine === undefined ? {} : { commandLine }),
  });
}

/** The file of a module is named by the first word of its text. */
function readModules(list: string): readonly BootModule[] {
  return splitAtCommas(list).map((text) => ({ text, bytes: readInput(text.split(' ', 1)[0] ?? '') }));
}

function splitAtCommas(list: string): readonly string[] {
  return (list.match(/(?:,,|[^,])+/g) ?? []).map((text) => text.replaceAll(',,', ',').trimStart());
}
