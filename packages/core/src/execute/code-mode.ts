// The mode of a processor as far as decoded code depends on it, as one number: blocks of one mode are not found in another.
import type { ModeKey } from './block.js';
import type { CodeWidth } from './decode.js';

/** The mode of the processor, as far as code depends on it. */
export interface CodeMode {
  /** Different for modes that differ. */
  readonly key: ModeKey;
  readonly codeWidth: CodeWidth;
  readonly stackWidth: CodeWidth;
  readonly user: boolean;
}

const WIDTHS = [16, 32, 64] as const;
/** What a key is made of: the stack width, the code width times 4, linear addresses of 57 bits, CPL 3. */
const [CODE_WIDTH, WIDE_ADDRESSES, USER] = [4, 12, 32];
/** What the key of CPL 3 has above that of the same widths at another level: a power of two. */
export const USER_MODE = USER;

/** The key of a mode. `wideAddresses`: 64-bit code with linear addresses of 57 bits. */
export function modeKey(codeWidth: CodeWidth, stackWidth: CodeWidth, user: boolean, wideAddresses: boolean): ModeKey {
  const widths = (codeWidth >> 5) * CODE_WIDTH + (stackWidth >> 5);
  return widths + (wideAddresses ? WIDE_ADDRESSES : 0) + (user ? USER : 0);
}

/** The mode that a key was made of. */
export function codeModeOf(key: ModeKey): CodeMode {
  const widths = (key % USER) % WIDE_ADDRESSES;
  const width = (number: number): CodeWidth => WIDTHS[number] ?? 64;
  const codeWidth = width(Math.floor(widths / CODE_WIDTH));
  return { key, codeWidth, stackWidth: width(widths % CODE_WIDTH), user: key >= USER };
}
