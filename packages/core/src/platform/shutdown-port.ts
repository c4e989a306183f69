// The shutdown port of Bochs and of old QEMU: software that writes the letters of "Shutdown" to port 8900H, one after the
// other, switches the machine off.
import { definePlugin, type Plugin } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import { requestPowerOff } from './machine-request.js';

const PLUGIN = 'shutdown-port';
const PORT = 0x8900;
const WORD = 'Shutdown';

/** How many letters of the word were written. */
const progress = defineSlice(PLUGIN, { version: 1, initial: () => ({ letters: 0 }) });

function write(cpu: Cpu, _port: number, value: number): void {
  const { letters } = progress.of(cpu.draft);
  const byte = value & 0xff;
  const next = byte === WORD.charCodeAt(letters) ? letters + 1 : Number(byte === WORD.charCodeAt(0));
  progress.change(cpu.draft, (slice) => {
    slice.letters = next % WORD.length;
  });
  if (next === WORD.length) requestPowerOff(cpu, PLUGIN);
}

/**
 * The shutdown port 8900H.
 * @example createMachine({ profile: 'intel-server', plugins: [shutdownPort] });
 */
export const shutdownPort: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: progress,
  ports: [{ first: PORT, last: PORT, write }],
});
