// How the other emulators are given a kernel, whether they are installed or not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOCHS, bootDisk, configuration } from './bochs.js';
import { childSeconds, runTimed } from './processor-time.js';
import { type EmulatorProgram, ROUNDS_OFFSET, roundsPerSecond, withRounds } from './program.js';
import { QEMU } from './qemu.js';

const KERNEL = Uint8Array.from({ length: 5000 }, (_, index) => index & 255);
const isInstalled = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

describe('an emulator as a program', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrovisor-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gets the count of rounds in a copy of the kernel', () => {
    const changed = withRounds(KERNEL, 0x1234_5678);
    expect([...changed.subarray(ROUNDS_OFFSET, ROUNDS_OFFSET + 4)]).toEqual([0x78, 0x56, 0x34, 0x12]);
    expect(KERNEL[ROUNDS_OFFSET]).toBe(0);
  });

  it('is told by the difference of two runs', () => {
    const script = 'index=0; while [ $index -lt 20000 ]; do index=$((index + 1)); done';
    const program: EmulatorProgram = {
      name: 'a shell',
      share: 0.5,
      commandsFor: (kernel) => {
        const rounds = new DataView(kernel.buffer).getUint32(ROUNDS_OFFSET, true);
        return [
          { command: 'no-such-emulator', arguments: [] },
          {
            command: 'sh',
            arguments: ['-c', `read line; [ "$line" = go ] || exit 3; ${rounds > 1 ? script : ''}`],
            input: 'go\n',
          },
        ];
      },
      endedByKernel: (status) => status === 0,
    };
    const rate = roundsPerSecond(program, KERNEL, 100);
    expect(rate).toBeGreaterThan(49 / 60);
    expect(roundsPerSecond({ ...program, endedByKernel: () => false }, KERNEL, 100)).toBeUndefined();
  });

  it('that is not installed ends with status 127, and another status is told', () => {
    expect(runTimed({ command: 'no-such-emulator', arguments: [] }).status).toBe(127);
    expect(runTimed({ command: 'sh', arguments: ['-c', 'exit 7'] }).status).toBe(7);
  });

  it('used the processor time in the second line of `times`', () => {
    expect(childSeconds('0m9.000000s 0m9.000000s\n1m2.500000s 0m0.250000s\n')).toBeCloseTo(62.75);
    expect(childSeconds('')).toBeNaN();
  });

  it('is QEMU: the kernel as a file, a debug exit, no window', () => {
    const [command] = QEMU.commandsFor(KERNEL, folder);
    expect(command?.arguments).toEqual(
      expect.arrayContaining(['-kernel', join(folder, 'kernel.bin'), '-display', 'none']),
    );
    expect(readFileSync(join(folder, 'kernel.bin'))).toEqual(Buffer.from(KERNEL));
    expect([0, 1, 124].map((status) => QEMU.endedByKernel(status, folder))).toEqual([false, true, false]);
  });

  describe('Bochs', () => {
    it('boots from a disk: our sector, then the kernel', () => {
      const disk = bootDisk(KERNEL);
      expect(disk.length).toBe(10 * 16 * 63 * 512);
      expect([...disk.subarray(510, 512)]).toEqual([0x55, 0xaa]);
      expect(disk.subarray(512, 512 + KERNEL.length)).toEqual(KERNEL);
      expect(() => bootDisk(new Uint8Array(127 * 512 + 1))).toThrow(
        '65025 bytes: the boot sector loads 65024 at the most',
      );
    });

    it('shows no window, and tries the displays that need none in turn', () => {
      const commands = BOCHS.commandsFor(KERNEL, folder);
      expect(commands.map(({ arguments: given }) => given.at(-1))).toEqual([
        join(folder, 'nogui.bochsrc'),
        join(folder, 'term.bochsrc'),
      ]);
      expect(readFileSync(join(folder, 'term.bochsrc'), 'utf8')).toBe(configuration(folder, 'term'));
      expect(configuration(folder, 'term')).toContain('display_library: term\n');
      expect(readFileSync(join(folder, 'disk.img')).subarray(512, 512 + KERNEL.length)).toEqual(Buffer.from(KERNEL));
    });

    it('was ended by the kernel where its log says so', () => {
      expect(BOCHS.endedByKernel(1, folder)).toBe(false);
      writeFileSync(join(folder, 'bochs.log'), '[UNMAP ] >>PANIC<< Shutdown port: shutdown requested\n');
      expect(BOCHS.endedByKernel(1, folder)).toBe(true);
    });

    it.runIf(isInstalled('bochs'))('runs a workload to its end', () => {
      const kernel = readFileSync(new URL('../workloads/integer.bin', import.meta.url));
      expect(roundsPerSecond(BOCHS, Uint8Array.from(kernel), 2000)).toBeGreaterThan(0);
    });

    it.runIf(isInstalled('nasm'))('has the boot sector that its source builds', () => {
      const source = fileURLToPath(new URL('boot-sector.asm', import.meta.url));
      const built = join(folder, 'boot-sector.bin');
      expect(spawnSync('nasm', ['-f', 'bin', '-o', built, source]).status).toBe(0);
      expect(readFileSync(built)).toEqual(readFileSync(new URL('boot-sector.bin', import.meta.url)));
    });
  });
});
