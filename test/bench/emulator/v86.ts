// The npm package v86, whose compiler emits WebAssembly too. It runs in this process, on the event loop.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { V86 } from 'v86';

const WINDOWS = 3;

/** Million instructions a second of processor time, warm: the median of some windows of so many seconds. */
export async function v86Mips(kernel: Uint8Array, seconds: number, memoryBytes: number): Promise<number> {
  const folder = dirname(createRequire(import.meta.url).resolve('v86'));
  const emulator = new V86({
    wasm_path: join(folder, 'v86.wasm'),
    multiboot: { buffer: kernel.slice().buffer },
    memory_size: memoryBytes,
    autostart: true,
    acpi: true, // brings the local APIC
    log_level: 0,
  });
  try {
    await pause(Math.max(seconds * 1000, 300));
    const samples: number[] = [];
    for (let window = 0; window < WINDOWS; window++) {
      const [before, started] = [emulator.get_instruction_counter(), process.cpuUsage()];
      await pause(Math.max(seconds * 1000, 50));
      const { user, system } = process.cpuUsage(started);
      samples.push(((emulator.get_instruction_counter() - before) >>> 0) / (user + system)); // the counter has 32 bits
    }
    return samples.toSorted((left, right) => left - right)[WINDOWS >> 1] as number;
  } finally {
    await emulator.destroy();
  }
}
