// Bochs, which boots from disks only: a sector of ours loads the kernel from the disk behind it. A kernel ends Bochs by
// writing "Shutdown" to its port 8900H. Packages of Bochs differ in the displays that they have, and some are built with its
// debugger, which waits for a command to begin and makes every instruction dearer.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmulatorProgram } from './program.js';

/** Displays that need no window, the one without any first. */
const DISPLAYS = ['nogui', 'term'] as const;
const SECTOR_BYTES = 512;
/** Of the kernel: what the boot sector reads. */
const KERNEL_SECTORS = 127;
/** The smallest disk that a BIOS is content with. */
const DISK = { cylinders: 10, heads: 16, spt: 63 };
/** What the log says when the kernel wrote to the port. */
const SHUTDOWN = 'Shutdown port: shutdown requested';

/** A disk that boots a multiboot kernel. @throws RangeError if the boot sector does not load so much */
export function bootDisk(kernel: Uint8Array): Uint8Array {
  if (kernel.length > KERNEL_SECTORS * SECTOR_BYTES) {
    const most = KERNEL_SECTORS * SECTOR_BYTES;
    throw new RangeError(`a kernel of ${kernel.length} bytes: the boot sector loads ${most} at the most`);
  }
  const disk = new Uint8Array(DISK.cylinders * DISK.heads * DISK.spt * SECTOR_BYTES);
  disk.set(readFileSync(new URL('boot-sector.bin', import.meta.url)));
  disk.set(kernel, SECTOR_BYTES);
  return disk;
}

/** A configuration file. Time of the guest goes by instructions, not by the clock of the computer. */
export function configuration(folder: string, display: string): string {
  const geometry = Object.entries(DISK).map(([name, value]) => `${name}=${value}`);
  return `${[
    'megs: 32',
    'romimage: file=$BXSHARE/BIOS-bochs-latest',
    'vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest',
    `ata0-master: type=disk, path=${join(folder, 'disk.img')}, mode=flat, ${geometry.join(', ')}`,
    'boot: disk',
    `display_library: ${display}`,
    `log: ${join(folder, 'bochs.log')}`,
    'panic: action=fatal',
    'clock: sync=none',
    'cpu: ips=100000000',
  ].join('\n')}\n`;
}

/** Bochs. */
export const BOCHS: EmulatorProgram = {
  name: 'Bochs',
  share: 0.2,
  commandsFor: (kernel, folder) => {
    writeFileSync(join(folder, 'disk.img'), bootDisk(kernel));
    return DISPLAYS.map((display) => {
      const path = join(folder, `${display}.bochsrc`);
      writeFileSync(path, configuration(folder, display));
      // The terminal's name is for `term`; "c" begins the run where there is a debugger.
      return { command: 'env', arguments: ['TERM=xterm', 'bochs', '-q', '-f', path], input: 'c\n' };
    });
  },
  endedByKernel: (_status, folder) => {
    const log = join(folder, 'bochs.log');
    return existsSync(log) && readFileSync(log, 'latin1').includes(SHUTDOWN);
  },
};
