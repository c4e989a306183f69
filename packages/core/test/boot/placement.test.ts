import { describe, expect, it } from 'vitest';
import type { BootImage } from '../../src/boot/boot-image.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';

const MIB = 2 ** 20;

function codeOf(boot: BootImage, memory = 16 * MIB): string {
  try {
    createMachine({ profile: 'intel-server', memory, boot });
  } catch (error) {
    if (error instanceof ImageError) return error.code;
    throw error;
  }
  return 'accepted';
}

const at = (address: number, length = 1, more = {}) => ({ address, bytes: new Uint8Array(length).fill(1), ...more });
const image = (mode: BootImage['mode'], ...segments: BootImage['segments']): BootImage => ({
  mode,
  segments,
  entry: MIB,
});

describe('what a boot image brings', () => {
  it('may not lie where boot writes its tables', () => {
    expect(codeOf(image('long', at(0x800)))).toBe('IMAGE_OVERLAP');
    expect(codeOf(image('long', at(0x6fff)))).toBe('IMAGE_OVERLAP');
    expect(codeOf(image('long', at(0x7000)))).toBe('accepted');
    expect(codeOf(image('protected', at(0x81f)))).toBe('IMAGE_OVERLAP');
    expect(codeOf(image('protected', at(0x1000)))).toBe('accepted');
    expect(codeOf(image('real', at(0x800, 0x6800)))).toBe('accepted');
  });

  it('may not lie on itself, zeros included', () => {
    expect(codeOf(image('long', at(MIB, 16), at(MIB + 15)))).toBe('IMAGE_OVERLAP');
    expect(codeOf(image('long', at(MIB, 16, { memoryBytes: 4096 }), at(MIB + 4095)))).toBe('IMAGE_OVERLAP');
    expect(codeOf(image('long', at(MIB + 4096), at(MIB, 16, { memoryBytes: 4096 })))).toBe('accepted');
  });

  it('must end within memory, zeros included', () => {
    expect(codeOf(image('long', at(15 * MIB, 1, { memoryBytes: MIB })))).toBe('accepted');
    expect(codeOf(image('long', at(15 * MIB, 1, { memoryBytes: MIB + 1 })))).toBe('IMAGE_OUTSIDE_MEMORY');
  });

  it('leaves firmware its place, if there is one', () => {
    const withFirmware = (address: number) => ({ ...image('real', at(address)), firmware: 'pc' }) as const;
    for (const address of [0x413, 0x9_fc00, 0xf_0000, 16 * MIB - 1])
      expect(codeOf(withFirmware(address))).toBe('IMAGE_OVERLAP');
    expect(codeOf(withFirmware(MIB))).toBe('accepted');
    expect(codeOf(withFirmware(0x500), MIB)).toBe('MEMORY_TOO_SMALL');
  });
});

it('registers of the image go before those of the mode, on the first processor alone', () => {
  const boot = { ...image('long', at(MIB)), registers: { RAX: 7n, 'IDTR.limit': 0xfffn } };
  const { processors } = createMachine({ profile: 'intel-server', processors: 2, boot }).state;
  expect(processors.map(({ general, descriptorTables }) => [general.RAX === 7n, descriptorTables.IDTR.limit])).toEqual([
    [true, 0xfffn],
    [false, 0xffffn],
  ]);
});
