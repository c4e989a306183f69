// PCI configuration mechanism #1: CONFIG_ADDRESS at port CF8H names a register, CONFIG_DATA at CFCH reaches it. Functions that
// are not there read as ones. The reset control register of the PIIX3 lies among these ports, at CF9H.
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineState } from '../state/machine.js';
import { requestReset } from './machine-request.js';
import { findRegister, PCI_FUNCTIONS } from './pci-configuration.js';

const PLUGIN = 'pci';
const CONFIG_ADDRESS = 0xcf8;
const RESET_CONTROL = 0xcf9;
const CONFIG_DATA = 0xcfc;

/** CONFIG_ADDRESS: enable, bus 23:16, device 15:11, function 10:8, register 7:2. */
const ENABLE = 0x8000_0000;
const ADDRESS_BITS = 0x80ff_fffc;
/** RCR: the kind of reset, and the bit that resets the processors when it goes from 0 to 1. */
const RCR = { SRST: 0x02, RCPU: 0x04 } as const;

type AccessBytes = 1 | 2 | 4;

interface Pci {
  /** CONFIG_ADDRESS, unsigned. */
  address: number;
  resetControl: number;
  /** Registers that software changed, by `device/offset`. */
  readonly changed: Record<string, number>;
}

const slice = defineSlice<Pci>(PLUGIN, { version: 1, initial: () => ({ address: 0, resetControl: 0, changed: {} }) });

const maskOf = (bytes: AccessBytes): number => 2 ** (bytes * 8) - 1;
const keyOf = (device: number, offset: number): string => `${device}/0x${offset.toString(16).padStart(2, '0')}`;

/** What CONFIG_ADDRESS names, while it is enabled. */
function selected({ address }: Pci): { readonly device: number; readonly offset: number } | undefined {
  const isOnBusZero = (address & 0x00ff_0700) === 0; // and function 0
  return (address & ENABLE) === 0 || !isOnBusZero
    ? undefined
    : { device: (address >> 11) & 0x1f, offset: address & 0xfc };
}

function readAddress({ draft }: Cpu, port: number, bytes: AccessBytes): number {
  const { address, resetControl } = slice.of(draft);
  if (port === CONFIG_ADDRESS && bytes === 4) return address;
  return port === RESET_CONTROL && bytes === 1 ? resetControl : maskOf(bytes);
}

/** Only an access of 32 bits is meant for CONFIG_ADDRESS: others pass to what lies behind the bridge. */
function writeAddress(cpu: Cpu, port: number, value: number, bytes: AccessBytes): void {
  if (port === CONFIG_ADDRESS && bytes === 4) {
    slice.change(cpu.draft, (pci) => {
      pci.address = (value & ADDRESS_BITS) >>> 0;
    });
  }
  if (port === RESET_CONTROL && bytes === 1) writeResetControl(cpu, value);
}

function writeResetControl(cpu: Cpu, value: number): void {
  const { resetControl } = slice.of(cpu.draft);
  slice.change(cpu.draft, (pci) => {
    pci.resetControl = value & (RCR.SRST | RCR.RCPU);
  });
  if ((value & ~resetControl & RCR.RCPU) !== 0) requestReset(cpu, 'reset control register');
}

function registerValue(pci: Pci): number {
  const place = selected(pci);
  const register = place === undefined ? undefined : findRegister(place.device, place.offset);
  if (place === undefined || register === undefined) return 0xffff_ffff;
  return pci.changed[keyOf(place.device, place.offset)] ?? register.fresh;
}

function readData({ draft }: Cpu, port: number, bytes: AccessBytes): number {
  const register = registerValue(slice.of(draft));
  let value = 0;
  for (let index = 0; index < bytes; index++) {
    const byte = port - CONFIG_DATA + index; // over the last port nobody is met
    value += (byte > 3 ? 0xff : (register >>> (byte * 8)) & 0xff) * 2 ** (index * 8);
  }
  return value;
}

function writeData({ draft }: Cpu, port: number, value: number, bytes: AccessBytes): void {
  const pci = slice.of(draft);
  const place = selected(pci);
  const register = place === undefined ? undefined : findRegister(place.device, place.offset);
  if (place === undefined || register === undefined) return;
  const shift = (port - CONFIG_DATA) * 8;
  const mask = (maskOf(bytes) << shift) & register.writable;
  const written = ((registerValue(pci) & ~mask) | ((value << shift) & mask)) >>> 0;
  slice.change(draft, ({ changed }) => {
    changed[keyOf(place.device, place.offset)] = written;
  });
}

function pciView(state: MachineState): readonly View[] {
  const { changed } = state.plugins[PLUGIN] as Pci;
  const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;
  return [
    {
      title: 'PCI functions',
      columns: ['function', 'what', 'register', 'value'],
      rows: PCI_FUNCTIONS.flatMap(({ device, name, registers }) =>
        registers.map(({ offset, value }) => [
          `00:0${device}.0`,
          name,
          `0x${offset.toString(16).padStart(2, '0')}`,
          hex(changed[keyOf(device, offset)] ?? value),
        ]),
      ),
    },
  ];
}

/**
 * PCI bus 0 with a host bridge and an ISA bridge.
 * @example createMachine({ profile: 'intel-server', plugins: [pci] });
 */
export const pci: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [
    { first: CONFIG_ADDRESS, last: CONFIG_ADDRESS + 3, read: readAddress, write: writeAddress },
    { first: CONFIG_DATA, last: CONFIG_DATA + 3, read: readData, write: writeData },
  ],
  views: { pci: pciView },
});
