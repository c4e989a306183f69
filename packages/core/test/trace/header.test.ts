import { describe, expect, it } from 'vitest';
import type { BootImage } from '../../src/boot/boot-image.js';
import { defineMachine } from '../../src/plugin/host.js';
import { decodeHeader, encodeHeader, headerOf } from '../../src/trace/header.js';

const BOOT: BootImage = {
  mode: 'protected',
  segments: [{ address: 0x10_0000, bytes: Uint8Array.of(1, 2), memoryBytes: 0x3000, what: 'kernel' }],
  entry: 0x10_0000,
  registers: { RAX: 0x2bad_b002n },
  firmware: 'pc',
};
const headerWith = (boot: unknown) => ({
  ...headerOf(defineMachine({ profile: 'intel-server', boot: BOOT })),
  boot: boot as BootImage,
});

describe('the header of a trace', () => {
  it('keeps all of a boot image', () => {
    expect(decodeHeader(encodeHeader(headerWith(BOOT)), 0).boot).toEqual(BOOT);
  });

  it.each([
    ['boot.registers.RAX', { ...BOOT, registers: { RAX: -1n } }],
    [
      'boot.segments.0.memoryBytes',
      { ...BOOT, segments: [{ address: 0, bytes: Uint8Array.of(), memoryBytes: 'all' }] },
    ],
  ])('with a wrong %s is refused by name', (field, boot) => {
    expect(() => decodeHeader(encodeHeader(headerWith(boot)), 0)).toThrow(`header.${field}`);
  });
});
