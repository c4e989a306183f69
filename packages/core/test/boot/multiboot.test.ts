import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectedImage, imageFormat } from '../../src/boot/guest-image.js';
import { multibootImage } from '../../src/boot/multiboot.js';
import { ImageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import { hex } from '../support/booted-machine.js';
import { elfFile, multibootHeader } from './images.js';

const MEMORY = 64 * 2 ** 20;
const LOOP = hex('eb fe');
const options = { commandLine: 'kernel.elf a=b', memory: MEMORY };

/** A kernel whose header, in an ELF segment, has no addresses. */
const elfKernel = (bits: 32 | 64, more: Partial<Parameters<typeof elfFile>[0]> = {}) =>
  elfFile({
    bits,
    bytes: Uint8Array.from([...multibootHeader(3), ...LOOP]),
    physical: 0x10_0000,
    entry: 0x10_000c,
    ...more,
  });

function booted(boot: ReturnType<typeof multibootImage>) {
  const machine = createMachine({ profile: 'intel-server', memory: MEMORY, boot, processors: 2 });
  const { memory } = machine.state;
  const word = (address: number | bigint) => Number(memory.readValue(address, 4));
  const text = (address: number) => {
    const bytes = memory.read(address, 200);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  };
  return { machine, word, text, information: Number(machine.processor(0).read('RBX')) };
}

describe('a multiboot kernel', () => {
  it.each([32, 64] as const)('in an ELF file of %s bits is entered as the specification says', (bits) => {
    const { machine } = booted(multibootImage(elfKernel(bits), options));
    const cpu = machine.processor(0);
    expect([cpu.read('RAX'), cpu.read('RIP'), cpu.read('RFLAGS')]).toEqual([0x2bad_b002n, 0x10_000cn, 2n]);
    expect([cpu.read('CR0') & 0x8000_0001n, cpu.read('CS.base'), cpu.read('SS.limit')]).toEqual([1n, 0n, 0xffff_ffffn]);
    expect(machine.state.processors[1]).toMatchObject({ activity: 'wait-for-SIPI', control: { CR0: 0x6000_0010n } });
  });

  it('finds the command line, the size of memory and its map', () => {
    const { word, text, information } = booted(multibootImage(elfKernel(32), options));
    expect(word(information)).toBe(0b10_0100_1111);
    expect([word(information + 4), word(information + 8)]).toEqual([639, MEMORY / 1024 - 1024]);
    expect([text(word(information + 16)), text(word(information + 64))]).toEqual(['kernel.elf a=b', 'retrovisor']);
    const [length, start] = [word(information + 44), word(information + 48)];
    const entries = Array.from({ length: length / 24 }, (_, index) => start + index * 24);
    expect(entries.map((at) => [word(at), word(at + 4), word(at + 12), word(at + 20)])).toEqual([
      [20, 0, 0x9_fc00, 1],
      [20, 0x9_fc00, 0x400, 2],
      [20, 0xf_0000, 0x1_0000, 2],
      [20, 0x10_0000, MEMORY - 0x10_0000, 1],
    ]);
  });

  it('finds its modules behind its zero fill, on page boundaries', () => {
    const modules = [
      { bytes: Uint8Array.from([1, 2, 3]), commandLine: 'one' },
      { bytes: new Uint8Array(5000).fill(7), commandLine: 'two x' },
    ];
    const file = elfKernel(32, { memoryBytes: 0x2001 });
    const { machine, word, text, information } = booted(multibootImage(file, { ...options, modules }));
    const list = word(information + 24);
    expect(word(information + 20)).toBe(2);
    expect([0, 4, 16, 20].map((offset) => word(list + offset))).toEqual([0x10_3000, 0x10_3003, 0x10_4000, 0x10_5388]);
    expect([text(word(list + 8)), text(word(list + 24))]).toEqual(['one', 'two x']);
    expect([...machine.readMemory(0x10_3000, 4)]).toEqual([1, 2, 3, 0]);
  });

  it('may say itself where it is loaded, anywhere in the first 8192 bytes', () => {
    const header = multibootHeader(0x1_0000, 0x20_0010, 0x20_0000, 0x20_0030, 0x20_1000, 0x20_002e);
    const file = Uint8Array.from([...new Uint8Array(0x110), ...header, ...LOOP, ...new Uint8Array(100)]);
    const image = multibootImage(file, options);
    expect(image.segments[0]).toMatchObject({ address: 0x20_0000, bytes: { length: 0x30 } });
    expect(image.entry).toBe(0x20_002e);
  });

  it.each([
    ['needs what no loader knows', multibootHeader(8), 'asks for 0x8'],
    ['has neither addresses nor an ELF header', multibootHeader(0), 'flag 16 is 0'],
    ['loads from before the file', multibootHeader(0x1_0000, 0x1000, 0, 0, 0, 0), 'before the start'],
    ['loads more than the file has', multibootHeader(0x1_0000, 0x1000, 0x1000, 0x9000, 0, 0), 'beyond the end'],
    ['ends within its addresses', multibootHeader(0x1_0000, 0x1000), 'cut off'],
  ])('that %s is refused', (_, file, why) => {
    expect(() => multibootImage(file, options)).toThrow(why);
    expect(() => multibootImage(file, options)).toThrow(ImageError);
  });

  it('that leaves no room for its modules is refused', () => {
    const modules = [{ bytes: new Uint8Array(2 ** 20), commandLine: 'big' }];
    expect(() => multibootImage(elfKernel(32), { ...options, memory: 2 * 2 ** 20, modules })).toThrow('big');
  });
});

describe('an image', () => {
  it('is told by its contents', () => {
    const sector = new Uint8Array(512);
    sector.set([0x55, 0xaa], 510);
    const elf = elfFile({ bits: 64, bytes: Uint8Array.from(LOOP), physical: 0x20_0000 });
    expect([elfKernel(32), elf, sector, sector.subarray(1)].map(imageFormat)).toEqual([
      'multiboot',
      'elf',
      'boot sector',
      'raw',
    ]);
    expect(detectedImage(elf, options)).toMatchObject({ mode: 'long', entry: 0x20_0000 });
    expect(detectedImage(sector, options)).toMatchObject({ mode: 'real', entry: 0x7c00, registers: { RDX: 0x80n } });
    expect(detectedImage(Uint8Array.from(LOOP), options)).toBeUndefined();
  });

  it('that is damaged or cut is read or refused by a typed error', () => {
    const change = fc.tuple(fc.nat(0x90), fc.nat(255));
    const damage = fc.record({
      bits: fc.constantFrom<32 | 64>(32, 64),
      changes: fc.array(change, { maxLength: 4 }),
      length: fc.nat(0x1100),
    });
    fc.assert(
      fc.property(damage, ({ bits, changes, length }) => {
        const file = elfKernel(bits).slice(0, length);
        for (const [at, byte] of changes) file[at] = byte;
        try {
          detectedImage(file, options);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
