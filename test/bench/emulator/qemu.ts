// QEMU with its compiler TCG, which loads multiboot kernels itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmulatorProgram } from './program.js';

/** Status of QEMU when the kernel writes 0 to the debug exit. */
const EXITED = 1;

/** QEMU. */
export const QEMU: EmulatorProgram = {
  name: 'QEMU TCG',
  share: 1,
  commandsFor: (kernel, folder) => {
    const path = join(folder, 'kernel.bin');
    writeFileSync(path, kernel);
    const machine = ['-accel', 'tcg', '-m', '32', '-display', 'none', '-no-reboot'];
    const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
    return [{ command: 'qemu-system-x86_64', arguments: [...machine, ...exit, '-kernel', path] }];
  },
  endedByKernel: (status) => status === EXITED,
};
