import { describe, expect, it } from 'vitest';
import { findMultibootHeader, type MultibootOptions, multibootImage } from '../../src/boot/multiboot.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import type { MachineState } from '../../src/state/machine.js';
import { elfFile } from '../support/elf-file.js';

const MIB = 2 ** 20;
const MEMORY = 16 * MIB;
const MAGIC = 0x1bad_b002;

const words = (...values: readonly number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];
const header = (flags: number, ...rest: readonly number[]) => words(MAGIC, flags, -(MAGIC + flags), ...rest);
/** A flat file: some bytes, a header with addresses, code. */
const flatFile = (before: number, ...addresses: readonly number[]) =>
  Uint8Array.from([...new Array<number>(before).fill(0x11), ...header(0x1_0000, ...addresses), 0xf4, 0xf4, 0xf4, 0xf4]);

function stateOf(options: Partial<MultibootOptions> & { readonly bytes: Uint8Array }): MachineState {
  const boot = multibootImage({ fileName: 'kernel', memoryBytes: MEMORY, ...options });
  return createMachine({ profile: 'intel-server', memory: MEMORY, boot }).state;
}

function errorOf(bytes: Uint8Array): unknown {
  try {
    stateOf({ bytes });
  } catch (error) {
    if (error instanceof ImageError) return { code: error.code, ...error.details };
    throw error;
  }
  return 'accepted';
}

/** Doublewords and texts at physical addresses, as the kernel finds them. */
function reader({ memory }: MachineState) {
  const word = (address: number) => Number(memory.readValue(address, 4));
  const text = (address: number) => {
    const bytes = memory.read(address, 256);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  };
  return { word, text };
}

const elf = (width: 32 | 64, entry = BigInt(MIB + 0x20)) =>
  elfFile({ width, entry, segments: [{ address: MIB, bytes: [...header(3), ...new Array<number>(64).fill(0xf4)] }] });

describe('the multiboot header', () => {
  it('is found on 4 bytes within the first 8192, if its checksum fits', () => {
    const file = (offset: number, checksum = -(MAGIC + 3)) => {
      const bytes = new Uint8Array(16384);
      bytes.set(words(MAGIC, 3, checksum), offset);
      return bytes;
    };
    expect(findMultibootHeader(file(0))).toEqual({ offset: 0, flags: 3 });
    expect(findMultibootHeader(file(8192 - 12))).toEqual({ offset: 8192 - 12, flags: 3 });
    expect(findMultibootHeader(file(8192 - 8))).toBeUndefined();
    expect(findMultibootHeader(file(6))).toBeUndefined();
    expect(findMultibootHeader(file(0, 1))).toBeUndefined();
    expect(findMultibootHeader(new Uint8Array(3))).toBeUndefined();
  });

  it('with addresses says what of the file goes where', () => {
    // The header lies at offset 8 and address 200008H: the file from offset 8 - 8 on is loaded at 200000H.
    const bytes = flatFile(8, 0x20_0008, 0x20_0000, 0x20_002c, 0x20_4000, 0x20_0028);
    const state = stateOf({ bytes });
    expect(state.memory.read(0x20_0000, 48)).toEqual(Uint8Array.of(...bytes.subarray(0, 44), 0, 0, 0, 0));
    expect(state.processors[0]?.general.RIP).toBe(0x20_0028n);
  });

  it('with the ends at 0 loads the rest of the file and has no bss', () => {
    const bytes = flatFile(0, 0x20_0000, 0x20_0000, 0, 0, 0x20_0020);
    expect(multibootImage({ bytes, fileName: 'k', memoryBytes: MEMORY }).segments[0]).toEqual({
      address: 0x20_0000,
      bytes,
      what: 'kernel',
    });
  });

  it.each([
    ['header_addr', [0x1f_fff0, 0x20_0000, 0, 0, 0], 12],
    ['header_addr', [0x20_0004, 0x20_0000, 0, 0, 0], 12],
    ['load_end_addr', [0x20_0000, 0x20_0000, 0x1f_0000, 0, 0], 20],
    ['bss_end_addr', [0x20_0000, 0x20_0000, 0x20_0010, 0x20_0004, 0], 24],
  ] as const)('with a wrong %s is refused', (field, addresses, offset) => {
    expect(errorOf(flatFile(0, ...addresses))).toMatchObject({ code: 'BAD_IMAGE_HEADER', field, offset });
  });

  it('that loads more than the file has is refused', () => {
    const addresses = [0x20_0000, 0x20_0000, 0x20_1000, 0, 0];
    expect(errorOf(flatFile(0, ...addresses))).toMatchObject({ code: 'IMAGE_TRUNCATED', length: 0x1000 });
  });

  it('that requires what version 1 does not define is refused', () => {
    expect(errorOf(Uint8Array.from(header(8)))).toMatchObject({ field: 'flags', found: 8 });
  });

  it('without addresses is for ELF files', () => {
    expect(errorOf(Uint8Array.from(header(3)))).toMatchObject({ code: 'BAD_IMAGE_HEADER', field: 'flags' });
    expect(errorOf(new Uint8Array(64))).toMatchObject({ code: 'NO_MULTIBOOT_HEADER' });
  });

  it('is followed in an ELF64 file too, which must be entered below 4 GiB', () => {
    expect(stateOf({ bytes: elf(64) }).processors[0]?.general.RIP).toBe(BigInt(MIB + 0x20));
    expect(errorOf(elf(64, 0x1_0000_0000n))).toMatchObject({ field: 'e_entry' });
    const segments = [{ address: 2 ** 32, bytes: header(3) }];
    expect(errorOf(elfFile({ width: 64, entry: 0n, segments }))).toMatchObject({ code: 'MULTIBOOT_ABOVE_4_GIB' });
  });
});

describe('the state that a multiboot kernel is entered in', () => {
  const state = stateOf({ bytes: elf(32) });
  const { general, control, segments, descriptorTables } = state.processors[0] ?? expect.fail();

  it('is protected mode without paging, interrupts masked', () => {
    expect(general.RAX).toBe(0x2bad_b002n);
    expect(general.RFLAGS).toBe(2n);
    expect(control.CR0).toBe(0x11n);
    expect(general.RIP).toBe(BigInt(MIB + 0x20));
  });

  it('has flat segments of 32 bits, which the GDT has too', () => {
    const flat = { base: 0n, limit: 0xffff_ffffn };
    expect(segments.CS).toEqual({ ...flat, selector: 8n, attributes: 0xc09bn });
    for (const name of ['DS', 'ES', 'FS', 'GS', 'SS'] as const)
      expect(segments[name]).toEqual({ ...flat, selector: 0x10n, attributes: 0xc093n });
    expect(descriptorTables.GDTR.limit).toBe(39n);
    expect(state.memory.readValue(descriptorTables.GDTR.base + 8n, 8)).toBe(0x00cf_9b00_0000_ffffn);
    expect(state.memory.readValue(descriptorTables.GDTR.base + 16n, 8)).toBe(0x00cf_9300_0000_ffffn);
  });
});

describe('the multiboot information', () => {
  it('has the command line with the name of the file first', () => {
    const state = stateOf({ bytes: elf(32), fileName: 'a/kernel.elf', commandLine: 'one two' });
    const { word, text } = reader(state);
    const at = Number(state.processors[0]?.general.RBX);
    expect(word(at)).toBe(0x24f);
    expect(text(word(at + 16))).toBe('a/kernel.elf one two');
    expect(text(word(at + 64))).toBe('retrovisor');
    expect([word(at + 4), word(at + 8)]).toEqual([639, 15 * 1024 - 128]);
  });

  it('has modules on pages behind the kernel, each with its text', () => {
    const modules = [
      { text: 'first x', bytes: new Uint8Array(5000).fill(0xaa) },
      { text: 'second', bytes: Uint8Array.of(1, 2, 3) },
    ];
    const state = stateOf({ bytes: elf(32), modules });
    const { word, text } = reader(state);
    const at = Number(state.processors[0]?.general.RBX);
    expect(word(at + 20)).toBe(2);
    const table = word(at + 24);
    const found = [table, table + 16].map((entry) => ({
      text: text(word(entry + 8)),
      onPage: word(entry) % 4096,
      bytes: state.memory.read(word(entry), word(entry + 4) - word(entry)),
    }));
    expect(found).toEqual(modules.map((module) => ({ ...module, onPage: 0 })));
    expect(word(table)).toBeGreaterThan(table);
  });

  it('has the memory map as entries that say their size', () => {
    const state = stateOf({ bytes: elf(32) });
    const { word } = reader(state);
    const at = Number(state.processors[0]?.general.RBX);
    const entries = [];
    for (let entry = word(at + 48); entry < word(at + 48) + word(at + 44); entry += 4 + word(entry)) {
      const [base, length] = [4, 12].map((offset) => state.memory.readValue(entry + offset, 8));
      entries.push([base, length, word(entry + 20)]);
    }
    expect(entries.slice(0, 2)).toEqual([
      [0n, 0x9_fc00n, 1],
      [0x9_fc00n, 0x400n, 2],
    ]);
    expect(entries).toContainEqual([BigInt(MIB), BigInt(MEMORY - MIB - 128 * 1024), 1]);
  });

  it('makes way for a kernel that lies where it usually does', () => {
    const bytes = Uint8Array.from([
      ...header(0x1_0000, 0x8000, 0x8000, 0, 0, 0x8020),
      ...new Array<number>(0x3000).fill(7),
    ]);
    const state = stateOf({ bytes });
    expect(Number(state.processors[0]?.general.RBX)).toBeGreaterThanOrEqual(0x8000 + bytes.length);
    expect(state.memory.read(0x8000, bytes.length)).toEqual(bytes);
  });

  it('goes above 1 MiB where base memory ends', () => {
    const bytes = Uint8Array.from(header(0x1_0000, 0x9_e000, 0x9_e000, 0, 0x9_f800, 0x9_e020));
    const { word } = reader(stateOf({ bytes }));
    expect(word(0x9000 + 16)).toBeGreaterThanOrEqual(MIB);
  });
});
