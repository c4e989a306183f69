// QEMU's pc-testdev, which kvm-unit-tests use: ports that drive interrupt lines, a register that ports share in every width,
// and 64 KiB of memory behind which is a device. Left out: the page flush at port E4H, which has nothing to flush here.
import { definePlugin, type Plugin } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';

const PLUGIN = 'pc-testdev';
/** Port 2000H + n drives line n. */
const LINES = { first: 0x2000, count: 24 } as const;
/** The register of four bytes. */
const REGISTER = { first: 0xe0, last: 0xe3 } as const;
const FLUSH = { first: 0xe4, last: 0xe7 } as const;
/** The same register as a device of one byte. E9H is the debug console's. */
const BYTE_REGISTER = 0xe8;
const MEMORY = { first: 0xff00_0000, last: 0xff00_ffff } as const;

type AccessBytes = 1 | 2 | 4;

interface TestDevice {
  /** The register, 32 bits unsigned. */
  register: number;
  /** Bytes of the memory by offset: those that were written. */
  readonly memory: Record<number, number>;
}

const slice = defineSlice<TestDevice>(PLUGIN, { version: 1, initial: () => ({ register: 0, memory: {} }) });

function driveLine({ draft }: Cpu, port: number, value: number, bytes: AccessBytes): void {
  if (bytes === 1) draft.setInterruptLine(port - LINES.first, value !== 0);
}

function readRegister({ draft }: Cpu, port: number, bytes: AccessBytes): number {
  const shifted = slice.of(draft).register >>> ((port & 3) * 8);
  return bytes === 4 ? shifted : shifted & (2 ** (bytes * 8) - 1);
}

function writeRegister({ draft }: Cpu, port: number, value: number, bytes: AccessBytes): void {
  const shift = (port & 3) * 8;
  const mask = (2 ** (bytes * 8) - 1) << shift;
  slice.change(draft, (device) => {
    device.register = ((device.register & ~mask) | ((value << shift) & mask)) >>> 0;
  });
}

function readMemory({ draft }: Cpu, address: number, bytes: AccessBytes): number {
  const { memory } = slice.of(draft);
  let value = 0;
  for (let index = 0; index < bytes; index++) value += (memory[address - MEMORY.first + index] ?? 0) * 2 ** (index * 8);
  return value;
}

function writeMemory({ draft }: Cpu, address: number, value: number, bytes: AccessBytes): void {
  slice.change(draft, ({ memory }) => {
    for (let index = 0; index < bytes; index++) memory[address - MEMORY.first + index] = (value >>> (index * 8)) & 0xff;
  });
}

/**
 * QEMU's device for tests of processors.
 * @example createMachine({ profile: 'intel-server', plugins: [pcTestdev] });
 */
export const pcTestdev: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [
    { first: LINES.first, last: LINES.first + LINES.count - 1, write: driveLine },
    { ...REGISTER, read: readRegister, write: writeRegister },
    FLUSH,
    { first: BYTE_REGISTER, last: BYTE_REGISTER, read: readRegister, write: writeRegister },
  ],
  deviceMemory: [{ ...MEMORY, read: readMemory, write: writeMemory }],
});
