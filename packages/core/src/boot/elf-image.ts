// ELF executables that no boot protocol starts: loaded, and entered in the mode of their width.
import { type BootImage, type BootMode, checkBootAddresses } from './boot-image.js';
import { parseElf } from './elf.js';

/**
 * An executable that is entered without a boot protocol: in 64-bit mode if it is an ELF64 file, else in protected mode.
 * @throws ImageError for a file that is no executable for x86, or is entered where the mode does not reach
 */
export function elfImage({
  bytes,
  mode,
  entry,
}: {
  readonly bytes: Uint8Array;
  readonly mode?: BootMode | undefined;
  readonly entry?: number | undefined;
}): BootImage {
  const program = parseElf(bytes);
  const entered = mode ?? (program.width === 64 ? 'long' : 'protected');
  const start = entry ?? program.entry;
  checkBootAddresses(entered, { entry: start });
  return { mode: entered, segments: program.segments, entry: start, firmware: 'pc' };
}
