import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectImageFormat, guestImage } from '../../src/boot/guest-image.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import { elfFile } from '../support/elf-file.js';

const MAGIC = 0x1bad_b002;
const multiboot = [...new Uint8Array(Uint32Array.of(MAGIC, 0, -MAGIC).buffer)];
const program = (bytes: readonly number[]) =>
  elfFile({ width: 64, entry: 0x10_0000n, segments: [{ address: 0x10_0000, bytes }] });
const sector = new Uint8Array(512);
sector.set([0x55, 0xaa], 510);
const FILES = {
  multiboot: program(multiboot),
  ELF: program([0xf4]),
  'boot sector': sector,
  raw: Uint8Array.of(0xf4),
} as const;
const imageOf = (bytes: Uint8Array, options = {}) =>
  guestImage({ bytes, fileName: 'guest', memoryBytes: 2 ** 24, ...options });

describe('a file', () => {
  it.each(Object.entries(FILES))('is taken for what it is: %s', (format, bytes) => {
    expect(detectImageFormat(bytes)).toBe(format);
  });

  it('is entered as its format says', () => {
    const modes = Object.values(FILES).map((bytes) => imageOf(bytes).mode);
    expect(modes).toEqual(['protected', 'long', 'real', 'long']);
  });

  it('is raw bytes where --load says so, and without a boot protocol where a mode is given', () => {
    expect(imageOf(FILES.multiboot, { load: 0x30_0000 })).toEqual({
      mode: 'long',
      segments: [{ address: 0x30_0000, bytes: FILES.multiboot }],
      entry: 0x30_0000,
    });
    expect(imageOf(FILES.multiboot, { mode: 'protected' })).toMatchObject({ mode: 'protected', entry: 0x10_0000 });
    expect(imageOf(FILES.multiboot, { entry: 0x10_0001 })).toMatchObject({ mode: 'long', entry: 0x10_0001 });
    expect(imageOf(FILES['boot sector'], { mode: 'real' }).segments[0]?.address).toBe(0x7c00);
  });

  it('can be given modules if it is a multiboot kernel', () => {
    const modules = [{ text: 'm', bytes: Uint8Array.of(1) }];
    expect(imageOf(FILES.multiboot, { modules }).segments.map(({ what }) => what)).toContain('module');
    expect(() => imageOf(FILES.ELF, { modules })).toThrow('a multiboot kernel is accepted');
  });
});

it('a damaged or cut file makes a machine or a typed error', () => {
  const kludge = new Uint8Array(
    Uint32Array.of(MAGIC, 0x1_0000, -(MAGIC + 0x1_0000), 2 ** 20, 2 ** 20, 0, 0, 2 ** 20).buffer,
  );
  const damage = fc.record({
    file: fc.constantFrom(...Object.values(FILES), kludge),
    changes: fc.array(fc.tuple(fc.nat(0x90), fc.nat(255)), { maxLength: 4 }),
    length: fc.oneof(fc.constant(0x1000), fc.nat(0x90)),
  });
  fc.assert(
    fc.property(damage, ({ file, changes, length }) => {
      const bytes = file.slice(0, length);
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        createMachine({ profile: 'intel-server', memory: 2 ** 24, boot: imageOf(bytes) });
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
      }
    }),
    { numRuns: 500 },
  );
});
