import { describe, expect, it, vi } from 'vitest';
import { Progress, progressLine } from '../../src/output/progress.js';

describe('the line', () => {
  it('has a bar, a share and a rate', () => {
    expect(progressLine('replaying', 50, 100, 2)).toBe(`replaying ${'█'.repeat(12)}${'░'.repeat(12)} 50 % (25/s)`);
  });

  it('counts up without a total', () => {
    expect(progressLine('walk.bin', 3_000_000, undefined, 2)).toBe('walk.bin 3M (1.5M/s)');
  });
});

describe('a bar', () => {
  function drawnAfter(milliseconds: number, isTTY: boolean): string {
    let drawn = '';
    const stream = { isTTY, write: (text: string) => (drawn += text) } as unknown as NodeJS.WriteStream;
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const progress = new Progress(stream, 'replaying', 100, () => true);
    clock.mockReturnValue(milliseconds);
    progress.update(50);
    progress.hide();
    clock.mockRestore();
    return drawn;
  }

  it('is drawn after a second and taken away', () => {
    const drawn = drawnAfter(1500, true);
    expect(drawn).toContain('50 %');
    expect(drawn.endsWith('\r\u001b[K')).toBe(true);
  });

  it('is silent before, and where nobody looks', () => {
    expect(drawnAfter(900, true)).toBe('');
    expect(drawnAfter(1500, false)).toBe('');
  });
});
