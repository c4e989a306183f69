// The two ports that bare-metal test programs know: bytes written to E9H appear on the console (Bochs, QEMU), a value
// written to F4H ends the run and is reported (QEMU's isa-debug-exit).
import { definePlugin, type Plugin } from '../plugin/define.js';
import type { Cpu } from '../state/cpu.js';

const CONSOLE_PORT = 0xe9;
const EXIT_PORT = 0xf4;

function writeConsole(cpu: Cpu, _port: number, value: number): void {
  cpu.draft.emissions.push({
    type: 'console/byteWritten',
    position: cpu.position,
    device: 'debugcon',
    byte: value & 0xff,
  });
}

function requestExit(cpu: Cpu, _port: number, value: number): void {
  cpu.draft.emissions.push({ type: 'machine/exitRequested', position: cpu.position, device: 'debug-exit', value });
  cpu.draft.runner.stopRequested = true;
}

/**
 * The debug console at port E9H and the debug exit at port F4H.
 * @example createMachine({ profile: 'intel-server', plugins: [debugConsole] });
 */
export const debugConsole: Plugin = definePlugin({
  name: 'debug-console',
  version: '1.0.0',
  apiVersion: 1,
  ports: [
    // Reading E9H gives E9H: how programs find out that the port is there.
    { first: CONSOLE_PORT, last: CONSOLE_PORT, read: () => CONSOLE_PORT, write: writeConsole },
    { first: EXIT_PORT, last: EXIT_PORT + 3, write: requestExit },
  ],
});
