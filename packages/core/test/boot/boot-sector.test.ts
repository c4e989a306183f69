import { expect, it } from 'vitest';
import { bootSectorImage, isBootSector } from '../../src/boot/boot-sector.js';
import { createMachine } from '../../src/machine/machine.js';

function disk(sectors: number, signature: readonly number[] = [0x55, 0xaa]): Uint8Array {
  const bytes = new Uint8Array(512 * sectors).fill(0x90);
  bytes.set(signature, 510);
  return bytes;
}

it('a boot sector is entered in real mode at 7C00H, with the disk in DL and the vectors of a BIOS', () => {
  const bytes = disk(3);
  const { memory, processors } = createMachine({ profile: 'intel-server', boot: bootSectorImage(bytes) }).state;
  expect(memory.read(0x7c00, 1024)).toEqual(Uint8Array.of(...bytes.subarray(0, 512), ...new Uint8Array(512)));
  expect(memory.read(0x13 * 4, 4)).toEqual(Uint8Array.of(0x59, 0xf8, 0x00, 0xf0));
  const [first] = processors;
  expect(first?.general).toMatchObject({ RIP: 0x7c00n, RDX: 0x80n, RSP: 0x7c00n, RFLAGS: 2n });
  expect(first?.control.CR0).toBe(0x10n);
  expect(first?.segments.CS).toMatchObject({ selector: 0n, base: 0n });
});

it('a boot sector is known by its last two bytes', () => {
  expect(isBootSector(disk(1))).toBe(true);
  expect(isBootSector(disk(1).subarray(0, 511))).toBe(false);
  expect(isBootSector(disk(1, [0xaa, 0x55]))).toBe(false);
  expect(() => bootSectorImage(disk(1, [0x55, 0xab]))).toThrow('0x55 0xab');
});
