// Images of each format from outside: what they print, and that a recording of them replays.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elfFile } from '../../packages/core/test/support/elf-file.js';
import { type Workplace, workplace } from '../support/command.js';
import { ROOT } from '../support/source-tree.js';

const GUEST = join(ROOT, 'test/guests/multiboot');
const MIB = 2 ** 20;
let place: Workplace;

beforeAll(() => {
  place = workplace();
});
afterAll(() => place.remove());

/** Prints a letter at port E9H and ends with 0 at F4H; the same bytes in every mode. */
const program = (letter: string) => [0xb0, letter.charCodeAt(0), 0xe6, 0xe9, 0x31, 0xc0, 0xe6, 0xf4, 0xf4];

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(place.folder, name), bytes);
  return name;
}

function bootSector(): Uint8Array {
  const bytes = new Uint8Array(1024);
  bytes.set(program('R'));
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

const elf = (width: 32 | 64, letter: string) =>
  elfFile({ width, entry: BigInt(MIB), segments: [{ address: MIB, bytes: program(letter) }] });

describe('run', () => {
  it.each([
    ['a boot sector', 'disk.img', bootSector, 'R'],
    ['an executable of 32 bits', 'elf32', () => elf(32, 'P'), 'P'],
    ['an executable of 64 bits', 'elf64', () => elf(64, 'L'), 'L'],
  ])('starts %s as it is', (_, name, bytes, letter) => {
    const { status, stdout, stderr } = place.retrovisor('run', write(name, bytes()));
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: `${letter}\n` });
  });

  it('tells a multiboot kernel its command line, its modules and the size of memory', () => {
    const { console } = JSON.parse(readFileSync(join(GUEST, 'expected.json'), 'utf8')) as {
      readonly console: { readonly debugcon: readonly string[] };
    };
    const modules = `${GUEST}/first.txt alpha beta,${GUEST}/second.txt`;
    const words = [join(GUEST, 'multiboot.elf'), '-m', '64M', '--append', 'one two', '--initrd', modules];
    const { status, stdout, stderr } = place.retrovisor('record', ...words, '-o', 'kernel.rvt');
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: console.debugcon.join('\n') });
    expect(place.retrovisor('replay', 'kernel.rvt').status).toBe(0);
  });

  it('says what is wrong with an image', () => {
    const cut = place.retrovisor('run', write('cut.elf', elf(64, 'L').subarray(0, 70)));
    expect(cut.status).toBe(3);
    expect(cut.stderr).toContain('p_offset of the ELF image lies at offset 0x48');
    const low = elfFile({ width: 64, entry: 0x1000n, segments: [{ address: 0x1000, bytes: program('L') }] });
    expect(place.retrovisor('run', write('low.elf', low)).stderr).toContain('the page tables of boot');
    const modules = place.retrovisor('run', write('elf64', elf(64, 'L')), '--initrd', 'elf64');
    expect(modules.stderr).toContain('a multiboot kernel is accepted');
  });

  it('gives a guest files by fw_cfg, the same ones when it is replayed', () => {
    // Reads the first byte of item 20H and prints it: mov dx, 510H; mov ax, 20H; out dx, ax; inc dx; in al, dx; out E9H, al
    const code = [
      0x66, 0xba, 0x10, 5, 0x66, 0xb8, 0x20, 0, 0x66, 0xef, 0x66, 0x42, 0xec, 0xe6, 0xe9, 0x31, 0xc0, 0xe6, 0xf4,
    ];
    const image = write('fw', elfFile({ width: 32, entry: BigInt(MIB), segments: [{ address: MIB, bytes: code }] }));
    const files = ['--fw-cfg', 'name=opt/b,string=second', '--fw-cfg', 'name=opt/a,string=first'];
    expect(place.retrovisor('record', image, ...files, '-o', 'fw.rvt').stdout).toBe('f\n');
    expect(place.retrovisor('replay', 'fw.rvt').status).toBe(0);
  });
});
