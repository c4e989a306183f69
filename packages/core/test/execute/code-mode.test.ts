import { describe, expect, it } from 'vitest';
import { codeModeOf, modeKey } from '../../src/execute/code-mode.js';
import type { CodeWidth } from '../../src/execute/decode.js';

const WIDTHS: readonly CodeWidth[] = [16, 32, 64];

describe('the key of a mode', () => {
  const all = WIDTHS.flatMap((codeWidth) =>
    WIDTHS.flatMap((stackWidth) =>
      [false, true].flatMap((user) => [false, true].map((wide) => ({ codeWidth, stackWidth, user, wide }))),
    ),
  );
  const keyOf = ({ codeWidth, stackWidth, user, wide }: (typeof all)[number]): number =>
    modeKey(codeWidth, stackWidth, user, wide);

  it('is another one for each mode, below 64', () => {
    expect(new Set(all.map(keyOf)).size).toBe(all.length);
    expect(Math.max(...all.map(keyOf))).toBeLessThan(64);
  });

  it.each(all)('gives back $codeWidth, $stackWidth, user $user', (mode) => {
    const { codeWidth, stackWidth, user } = mode;
    expect(codeModeOf(keyOf(mode))).toEqual({ key: keyOf(mode), codeWidth, stackWidth, user });
  });
});
