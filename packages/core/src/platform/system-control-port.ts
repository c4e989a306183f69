// Port 92H of the PS/2 and of later PCs: a fast way to the A20 gate and to a reset of the processors.
import { isA20GateOpen, setA20Gate } from '../memory/a20.js';
import { definePlugin, type Plugin } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import { bytePorts } from './byte-ports.js';
import { requestReset } from './machine-request.js';

const PLUGIN = 'system-control-port';
const PORT = 0x92;
/** Names of the bits: fast reset acts when it goes from 0 to 1. */
const BITS = { INIT_NOW: 0x01, ALT_A20_GATE: 0x02 } as const;

const slice = defineSlice(PLUGIN, { version: 1, initial: () => ({ INIT_NOW: false }) });

function read({ draft }: Cpu): number {
  const gate = isA20GateOpen(draft) ? BITS.ALT_A20_GATE : 0;
  return gate | (slice.of(draft).INIT_NOW ? BITS.INIT_NOW : 0);
}

function write(cpu: Cpu, _port: number, byte: number): void {
  const { INIT_NOW: before } = slice.of(cpu.draft);
  const after = (byte & BITS.INIT_NOW) !== 0;
  setA20Gate(cpu.draft, (byte & BITS.ALT_A20_GATE) !== 0);
  slice.change(cpu.draft, (port) => {
    port.INIT_NOW = after;
  });
  if (after && !before) requestReset(cpu, 'system control port');
}

/**
 * System control port A.
 * @example createMachine({ profile: 'intel-server', plugins: [systemControlPort] });
 */
export const systemControlPort: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [bytePorts({ first: PORT, last: PORT, read, write })],
});
