import { describe, expect, it } from 'vitest';
import { parseElf } from '../../src/boot/elf.js';
import { elfImage } from '../../src/boot/elf-image.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import { elfFile } from '../support/elf-file.js';

const MIB = 2 ** 20;
const HIGH = 0xffff_ffff_8000_0000n;
const simple = { entry: BigInt(MIB), segments: [{ address: MIB, bytes: [0x90, 0xf4] }] };

/** The details of the error that reading a file ends with. */
function refusal(bytes: Uint8Array): unknown {
  try {
    parseElf(bytes);
  } catch (error) {
    if (error instanceof ImageError) return { code: error.code, ...error.details };
    throw error;
  }
  return 'accepted';
}

describe.each([32, 64] as const)('an ELF%i file', (width) => {
  it('has its segments at physical addresses, with the memory that they take', () => {
    const segments = [
      { address: MIB, bytes: [1, 2, 3] },
      { address: 2 * MIB, bytes: [4], memoryBytes: 0x5000 },
      { address: 3 * MIB, bytes: [9], type: 4 }, // a note is not loaded
    ];
    expect(parseElf(elfFile({ width, entry: BigInt(MIB + 1), segments }))).toEqual({
      width,
      entry: MIB + 1,
      segments: [
        { address: MIB, bytes: Uint8Array.of(1, 2, 3), what: 'kernel' },
        { address: 2 * MIB, bytes: Uint8Array.of(4), memoryBytes: 0x5000, what: 'kernel' },
      ],
    });
  });

  it('cut short anywhere is refused by name', () => {
    const bytes = elfFile({ width, ...simple });
    for (let length = 4; length < bytes.length; length++)
      expect(refusal(bytes.subarray(0, length))).toMatchObject({ code: 'IMAGE_TRUNCATED', format: 'ELF' });
    expect(refusal(bytes)).toBe('accepted');
  });

  it.each([
    ['EI_CLASS', 4, 3],
    ['EI_DATA', 5, 2],
    ['e_type', 16, 1],
    ['e_machine', 18, 40],
    ['e_phnum', width === 64 ? 56 : 44, 0],
    ['e_phentsize', width === 64 ? 54 : 42, 8],
    ['p_memsz', width === 64 ? 64 + 40 : 52 + 20, 1],
  ] as const)('with a wrong %s is refused with its offset', (field, offset, byte) => {
    const bytes = elfFile({ width, ...simple, patch: { [offset]: byte } });
    expect(refusal(bytes)).toMatchObject({ code: 'BAD_IMAGE_HEADER', field, offset, found: byte });
  });
});

describe('the entry of an executable', () => {
  it('is moved from where it is linked to where it is loaded', () => {
    const segments = [{ address: 2 * MIB, linear: HIGH, bytes: [1, 2, 3, 4] }];
    expect(parseElf(elfFile({ width: 64, entry: HIGH + 2n, segments })).entry).toBe(2 * MIB + 2);
  });

  it('that no segment has must be a physical address', () => {
    const segments = [{ address: 2 * MIB, linear: HIGH, bytes: [1, 2, 3, 4] }];
    expect(parseElf(elfFile({ width: 64, entry: 0x1234n, segments })).entry).toBe(0x1234);
    expect(refusal(elfFile({ width: 64, entry: HIGH - 1n, segments }))).toMatchObject({ field: 'e_entry', offset: 24 });
  });
});

describe('an executable without a boot protocol', () => {
  const stateOf = (width: 32 | 64, processors = 1) =>
    createMachine({ profile: 'intel-server', processors, boot: elfImage({ bytes: elfFile({ width, ...simple }) }) })
      .state;

  it('is entered in 64-bit mode if it is ELF64', () => {
    const { general, msrs } = stateOf(64).processors[0] ?? expect.fail();
    expect(general.RIP).toBe(BigInt(MIB));
    expect((msrs.IA32_EFER ?? 0n) & 0x400n).toBe(0x400n);
  });

  it('is entered in protected mode without paging if it is ELF32', () => {
    const { general, control } = stateOf(32).processors[0] ?? expect.fail();
    expect(general.RIP).toBe(BigInt(MIB));
    expect(control.CR0 & 0x8000_0001n).toBe(1n);
  });

  it('leaves the other processors as INIT does', () => {
    const [, second] = stateOf(64, 2).processors;
    expect(second?.activity).toBe('wait-for-SIPI');
    expect(second?.control.CR0).toBe(0x6000_0010n);
    expect(second?.general.RIP).toBe(0xfff0n);
  });
});
