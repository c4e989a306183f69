import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';

const GIB = 2 ** 30;

function stateOf(load: number, length: number, memory: number) {
  const boot = rawImage({ bytes: new Uint8Array(length).fill(0x90), mode: 'long', load });
  return createMachine({ profile: 'intel-server', memory, boot }).state;
}

describe('an image', () => {
  it('may end with the last byte of memory', () => {
    expect(stateOf(0x1f_ffff, 1, 2 * 2 ** 20).memory.read(0x1f_ffff, 1)).toEqual(Uint8Array.of(0x90));
  });

  it.each([
    ['ends after memory', 0x1f_ffff, 2, 2 * 2 ** 20],
    ['begins after memory', 0x20_0000, 1, 2 * 2 ** 20],
    ['runs into the hole below 4 GiB', 3 * GIB - 1, 2, 4 * GIB],
    ['lies in the hole', 3 * GIB + 4096, 1, 4 * GIB],
  ])('that %s is refused', (_, load, length, memory) => {
    expect(() => stateOf(load, length, memory)).toThrow(ImageError);
  });

  it('that reaches over the hole is refused, although its first and last byte are memory', () => {
    const ends = [3 * GIB - 1, 4 * GIB].map((address) => ({ address, bytes: Uint8Array.of(0x90) }));
    const spanning = { address: 3 * GIB - 4096, bytes: new Uint8Array(GIB + 8192) };
    const machineOf = (segments: typeof ends) =>
      createMachine({ profile: 'intel-server', memory: 4 * GIB, boot: { mode: 'long', segments, entry: 0x10_0000 } });
    expect(machineOf(ends).state.memory.usedFrames).toBeGreaterThan(1);
    expect(() => machineOf([spanning]).state).toThrow(ImageError);
  });
});
